// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/golden"
	"github.com/costream-obs/costream-obs/internal/v4l2"
)

func planFile(name string) string { return filepath.Join("testdata", "plan", name+".txt") }

// planText is all of a plan that a user would see.
func planText(p Plan, err error) string {
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	text := p.Text("sudo")
	if p.Empty() {
		text = "nothing to do\n"
	}
	if p.Unloads {
		text += "\nunloads a module\n"
	}
	for _, note := range p.Notes {
		text += "\nnote: " + note + "\n"
	}
	return text
}

func usual() Options {
	return Options{Out: "/dev/video10", In: "/dev/video11", OutLabel: "costream-topeer", InLabel: "costream-frompeer", User: "alice"}
}

// debian is a machine with the module installed and nothing loaded.
func debian() State {
	return State{
		Kernel: "6.1.0-28-amd64", KernelDir: true, Headers: true, Installer: "apt-get", Apt: apt(nil),
		Loopback:  KernelModule{File: "/lib/modules/6.1.0-28-amd64/updates/dkms/v4l2loopback.ko"},
		Aloop:     KernelModule{File: "/lib/modules/6.1.0-28-amd64/kernel/sound/drivers/snd-aloop.ko"},
		AloopCard: -1,
	}
}

// loop is a loopback node that nobody uses.
func loop(n int) v4l2.Node {
	return v4l2.Node{Path: "/dev/video" + itoa(n), Number: n, Label: "loop " + itoa(n), Loopback: true, Output: true}
}

// loaded is debian with the module loaded and these nodes.
func loaded(nodes ...v4l2.Node) State {
	s := debian()
	s.Loopback.Loaded = true
	s.Group = "video"
	s.Nodes = nodes
	return s
}

// ready is a machine that setup has been through.
func ready(o Options, r records) State {
	s := loaded(loop(number(o.Out)), loop(number(o.In)))
	s.Files = o.wantFiles(r)
	return s
}

func TestPlanSetup(t *testing.T) {
	change := func(s State, f func(*State)) State { f(&s); return s }
	with := func(f func(*Options)) Options { o := usual(); f(&o); return o }
	aloop := with(func(o *Options) { o.Aloop = true })
	webcam := v4l2.Node{Path: "/dev/video10", Number: 10, Label: "Webcam", Capture: true}
	denied := loop(10)
	denied.Err = &fs.PathError{Op: "open", Path: "/dev/video10", Err: fs.ErrPermission}
	denied.Output = false
	unknown := func(...string) (AptChanges, error) {
		return AptChanges{}, errors.New("Unable to locate package v4l2loopback-dkms")
	}
	bothWays := loop(11)
	bothWays.Capture = true
	for _, test := range []struct {
		name string
		s    State
		o    Options
	}{
		{"installed", debian(), usual()},
		{"ready", ready(usual(), records{modules: []string{"v4l2loopback"}}), usual()},
		{"other-numbers-and-labels", debian(), with(func(o *Options) {
			o.Out, o.In, o.OutLabel, o.InLabel = "/dev/video4", "/dev/video7", "out", "in"
		})},
		{"bare-debian", change(debian(), func(s *State) { s.Loopback.File, s.Headers = "", false }), usual()},
		{"bare-debian-unknown-to-apt", change(debian(), func(s *State) {
			s.Loopback.File, s.Apt = "", unknown
		}), usual()},
		{"bare-debian-unknown-to-apt-updated", change(debian(), func(s *State) {
			s.Loopback.File, s.Apt, s.ListsUpdated = "", unknown, true
		}), usual()},
		{"bare-debian-with-utils", change(debian(), func(s *State) {
			s.Loopback.File, s.Present = "", []string{"v4l2loopback-utils"}
		}), usual()},
		{"bare-debian-secure-boot", change(debian(), func(s *State) { s.Loopback.File, s.SecureBoot = "", true }), usual()},
		{"no-headers", change(debian(), func(s *State) { s.Loopback.File, s.Source, s.Headers = "", true, false }), usual()},
		{"not-built", change(debian(), func(s *State) { s.Loopback.File, s.Source = "", true }), usual()},
		{"bare-fedora", change(debian(), func(s *State) { s.Loopback.File, s.Installer = "", "dnf" }), usual()},
		{"bare-arch", change(debian(), func(s *State) { s.Loopback.File, s.Installer = "", "pacman" }), usual()},
		{"bare-opensuse", change(debian(), func(s *State) { s.Loopback.File, s.Installer = "", "zypper" }), usual()},
		{"no-installer", change(debian(), func(s *State) { s.Loopback.File, s.Installer = "", "" }), usual()},
		{"no-kernel-directory", change(debian(), func(s *State) { s.Loopback.File, s.KernelDir = "", false }), usual()},
		{"secure-boot-unsigned", change(debian(), func(s *State) { s.SecureBoot, s.Loopback.Unsigned = true, true }), usual()},
		{"secure-boot-signed", change(debian(), func(s *State) { s.SecureBoot = true }), usual()},
		{"loaded-without-ours", loaded(loop(20)), usual()},
		{"loaded-without-ours-add", change(loaded(loop(20)), func(s *State) { s.CanAdd = true }), usual()},
		{"loaded-with-one-of-ours-add", change(loaded(loop(10)), func(s *State) { s.CanAdd = true }), usual()},
		{"loaded-and-held", change(loaded(loop(20)), func(s *State) {
			s.Loopback.Users = 1
			s.Holders = map[string][]v4l2.Holder{"/dev/video20": {{PID: 700, Command: "obs"}}}
		}), usual()},
		{"loaded-and-held-by-another-user", change(loaded(loop(20)), func(s *State) { s.Loopback.Users = 1 }), usual()},
		{"one-exclusive-caps", loaded(loop(10), bothWays), usual()},
		{"one-exclusive-caps-add", change(loaded(loop(10), bothWays), func(s *State) { s.CanAdd = true }), usual()},
		{"both-ways-while-held", change(loaded(loop(10), bothWays), func(s *State) {
			s.Holders = map[string][]v4l2.Holder{"/dev/video11": {{PID: 700, Command: "obs"}}}
		}), usual()},
		{"lower-number", loaded(loop(3), loop(10), loop(11)), usual()},
		{"lower-number-add", change(ready(usual(), records{}), func(s *State) {
			s.CanAdd, s.Nodes = true, slices.Insert(s.Nodes, 0, loop(3))
		}), usual()},
		{"webcam-in-the-way", loaded(webcam), usual()},
		{"no-permission", loaded(denied, loop(11)), usual()},
		{"no-permission-until-login", change(loaded(denied, loop(11)), func(s *State) { s.Members = []string{"alice"} }), usual()},
		{"no-permission-as-root", loaded(denied, loop(11)), with(func(o *Options) { o.User = "" })},
		{"other-options", change(debian(), func(s *State) {
			s.Others = []OptionsFile{{Path: "/etc/modprobe.d/droidcam.conf", Options: map[string]string{"video_nr": "9"}}}
		}), usual()},
		{"aloop", debian(), aloop},
		{"aloop-ready", change(ready(aloop, records{modules: []string{"v4l2loopback", "snd-aloop"}}), func(s *State) {
			s.Aloop.Loaded, s.AloopCard = true, 10
		}), aloop},
		{"aloop-other-card", change(loaded(loop(10), loop(11)), func(s *State) { s.Aloop.Loaded, s.AloopCard = true, 1 }), aloop},
		{"aloop-other-card-used", change(loaded(loop(10), loop(11)), func(s *State) {
			s.Aloop.Loaded, s.AloopCard, s.Aloop.Users = true, 1, 1
		}), aloop},
		{"no-aloop-any-more", ready(aloop, records{}), usual()},
	} {
		t.Run(test.name, func(t *testing.T) { golden.Check(t, planFile(test.name), planText(PlanSetup(test.s, test.o))) })
	}
}

func TestPlanUndo(t *testing.T) {
	change := func(s State, f func(*State)) State { f(&s); return s }
	all := records{packages: []string{"v4l2loopback-dkms", "v4l2loopback-utils"}, members: []string{"alice in video"}, modules: []string{"v4l2loopback"}}
	aloop := usual()
	aloop.Aloop = true
	both := records{modules: []string{"v4l2loopback", "snd-aloop"}}
	for _, test := range []struct {
		name string
		s    State
		keep bool
	}{
		{"nothing", loaded(loop(10), loop(11)), false},
		{"all", ready(usual(), all), false},
		{"needed-by-others", change(ready(usual(), all), func(s *State) {
			s.Apt = apt(map[string][]string{"v4l2loopback-utils": {"droidcam", "droidcam-obs"}})
		}), false},
		{"not-told-by-apt", change(ready(usual(), all), func(s *State) { s.Apt = nil }), false},
		{"fedora", change(ready(usual(), all), func(s *State) { s.Installer = "dnf" }), false},
		{"arch", change(ready(usual(), all), func(s *State) { s.Installer = "pacman" }), false},
		{"all-but-modules", ready(usual(), all), true},
		{"held", change(ready(usual(), all), func(s *State) {
			s.Holders = map[string][]v4l2.Holder{"/dev/video10": {{PID: 700, Command: "obs"}}}
		}), false},
		{"beside-others", change(ready(usual(), records{}), func(s *State) { s.Nodes = append(s.Nodes, loop(20)) }), false},
		{"beside-others-delete", change(ready(usual(), records{}), func(s *State) {
			s.CanAdd, s.Nodes = true, append(s.Nodes, loop(20))
		}), false},
		{"after-a-restart-without-module", change(ready(usual(), all), func(s *State) { s.Loopback.Loaded, s.Nodes = false, nil }), false},
		{"somebody-elses-file", change(ready(usual(), all), func(s *State) {
			s.Files = map[string]string{optionsPath: "options v4l2loopback video_nr=10,11\n"}
		}), false},
		{"aloop", change(ready(aloop, both), func(s *State) { s.Aloop.Loaded, s.AloopCard = true, 10 }), false},
		{"aloop-used", change(ready(aloop, both), func(s *State) { s.Aloop.Loaded, s.AloopCard, s.Aloop.Users = true, 10, 1 }), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			golden.Check(t, planFile("undo-"+test.name), planText(PlanUndo(test.s, test.keep)))
		})
	}
}

func TestOptionsCheck(t *testing.T) {
	for _, test := range []struct {
		change func(*Options)
		want   string
	}{
		{func(o *Options) { o.Out = "/dev/video" }, `"/dev/video" is not a device that can be made`},
		{func(o *Options) { o.In = "/dev/video256" }, `"/dev/video256" is not a device that can be made`},
		{func(o *Options) { o.Out = "/dev/video12" }, "must have a smaller number"},
		{func(o *Options) { o.In = o.Out }, "must have a smaller number"},
		{func(o *Options) { o.OutLabel = "two words" }, `label "two words"`},
		{func(o *Options) { o.InLabel = strings.Repeat("x", 32) }, "up to 31"},
		{func(o *Options) { o.InLabel = "" }, `label ""`},
	} {
		o := usual()
		test.change(&o)
		if _, err := PlanSetup(debian(), o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: got %v, want %q in it", o, err, test.want)
		}
	}
}

func TestBlockedIsTyped(t *testing.T) {
	s := debian()
	s.Loopback.File, s.KernelDir = "", false
	_, err := PlanSetup(s, usual())
	var blocked *Blocked
	if !errors.As(err, &blocked) || blocked.Next == "" {
		t.Errorf("got %v, want a *Blocked that says what to do", err)
	}
}

// What setup writes is what undo reads.
func TestRecordsSurvive(t *testing.T) {
	want := records{packages: []string{"a", "b"}, members: []string{"alice in video", "bob in video"}, modules: []string{"v4l2loopback"}}
	text := usual().wantFiles(want)[optionsPath]
	if diff := cmp.Diff(want, readRecords(text), cmp.AllowUnexported(records{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	o := optionsOf(text)
	if o.Out != "/dev/video10" || o.In != "/dev/video11" {
		t.Errorf("got %s and %s, want /dev/video10 and /dev/video11", o.Out, o.In)
	}
}
