// SPDX-License-Identifier: Apache-2.0

package kernel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// look runs costream-obs doctor on module and devices, as root or as another
// user, and returns what it found wrong.
func look(t *testing.T, as string, more ...string) []string {
	t.Helper()
	args := append([]string{"env", "HOME=/tmp", binary, "doctor", "--only", "host.user,v4l2"}, more...)
	if as != "root" {
		args = append([]string{"runuser", "-u", as, "--"}, args...)
	}
	return findings(t, exec.CommandContext(t.Context(), args[0], args[1:]...))
}

// findings runs a costream-obs doctor and returns what it found wrong as
// "status id: detail". What concerns the next start of the machine is left out.
func findings(t *testing.T, cmd *exec.Cmd) []string {
	t.Helper()
	cmd.Args = append(cmd.Args, "--json", "--route=devices")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var report doctor.Report
	if jsonErr := json.Unmarshal(stdout.Bytes(), &report); jsonErr != nil {
		t.Fatalf("%v (%v), it wrote %q and %q", jsonErr, err, stdout.String(), stderr.String())
	}
	found := []string{}
	for _, f := range report.Checks {
		if wrong := f.Status == doctor.Warn || f.Status == doctor.Fail; !wrong || f.ID == "v4l2.conf" {
			continue
		}
		found = append(found, fmt.Sprintf("%s %s: %s", f.Status, f.ID, f.Detail))
		t.Logf("%s %s: %s\n  why: %s\n  next: %s", f.Status, f.ID, f.Detail, f.Why, f.Next)
	}
	return found
}

func wantFound(t *testing.T, as string, want ...string) {
	t.Helper()
	if want == nil {
		want = []string{}
	}
	if diff := cmp.Diff(want, look(t, as)); diff != "" {
		t.Errorf("doctor (-want +got):\n%s", diff)
	}
}

// TestGuestDoctor: faults of the real module and its devices, each of which
// doctor tells from the others.
func TestGuestDoctor(t *testing.T) {
	needGuest(t, "alone")
	clear := func() {
		if _, err := os.Stat("/sys/module/v4l2loopback"); err == nil {
			command(t, "modprobe", "-r", "v4l2loopback")
		}
	}
	load := func(parameters ...string) {
		t.Helper()
		clear()
		loadLoopback(t, parameters...)
	}
	// mend does what doctor says in most cases. Its files go again: they would
	// add to the parameters of the next case.
	mend := func(t *testing.T) {
		t.Helper()
		command(t, "env", "HOME=/tmp", binary, "setup", "--yes", "--restart")
		wantFound(t, "root")
		command(t, "env", "HOME=/tmp", binary, "setup", "--undo", "--yes", "--restart")
	}
	const labels = "card_label=costream-topeer,costream-frompeer"

	t.Run("not loaded", func(t *testing.T) {
		clear()
		wantFound(t, "root", "fail v4l2.module.loaded: v4l2loopback is installed but not loaded.")
		mend(t)
	})
	t.Run("as it should be", func(t *testing.T) {
		load("video_nr=10,11", labels, "exclusive_caps=1,1")
		wantFound(t, "root")
	})
	t.Run("held and written", func(t *testing.T) {
		stop := writeTo(t, videoIn, "costream-obs")
		defer stop()
		wantFound(t, "root")
	})
	t.Run("no permission", func(t *testing.T) {
		wantFound(t, "nobody", "fail host.user: You may not open /dev/video10 and /dev/video11.")
		command(t, "usermod", "-aG", "video", "nobody")
		wantFound(t, "nobody")
	})
	t.Run("another writer", func(t *testing.T) {
		stop := writeTo(t, videoOut, "thief")
		defer stop()
		found := look(t, "root")
		if len(found) != 1 || !strings.HasPrefix(found[0], "fail v4l2.dev.holders: thief (process ") || !strings.HasSuffix(found[0], "writes to /dev/video10.") {
			t.Errorf("got %q, want thief found as writer of video10", found)
		}
	})
	t.Run("another writer is gone", func(t *testing.T) { wantFound(t, "root") })
	t.Run("controls", func(t *testing.T) {
		command(t, "v4l2-ctl", "-d", videoIn, "-c", "keep_format=1")
		wantFound(t, "root", "warn v4l2.dev.keepformat: The control keep_format of /dev/video11 is on.")
		command(t, "v4l2-ctl", "-d", videoIn, "-c", "keep_format=0")
		command(t, "v4l2-ctl", "-d", videoOut, "-c", "timeout=1000")
		wantFound(t, "root", "warn v4l2.dev.keepformat: The control timeout of /dev/video10 is on (1000 ms).")
		command(t, "v4l2-ctl", "-d", videoOut, "-c", "timeout=0")
		wantFound(t, "root")
	})
	t.Run("exclusive_caps for one", func(t *testing.T) {
		load("video_nr=10,11", labels, "exclusive_caps=1")
		const want = "warn v4l2.dev.excl: /dev/video11 can be read and written at once: exclusive_caps is off for it (`exclusive_caps=1` covers only the first device)."
		wantFound(t, "root", want)
		stop := writeTo(t, videoIn, "costream-obs")
		wantFound(t, "root", want)
		stop()
		mend(t)
	})
	t.Run("other numbers", func(t *testing.T) {
		load("video_nr=20,21", labels, "exclusive_caps=1,1")
		wantFound(t, "root", `fail v4l2.dev.pair: There is no /dev/video10, the device for OBS's picture for the peer. v4l2loopback is loaded with /dev/video20 ("costream-topeer"), /dev/video21 ("costream-frompeer").`)
		if found := look(t, "root", "--video-out=/dev/video20", "--video-in=/dev/video21"); len(found) > 0 {
			t.Errorf("with their numbers given: got %q, want nothing wrong", found)
		}
		mend(t)
	})
	t.Run("a third one before", func(t *testing.T) {
		load("video_nr=3,10,11", "card_label=DroidCam,costream-topeer,costream-frompeer", "exclusive_caps=1,1,1")
		wantFound(t, "root", `fail v4l2.dev.order: OBS's virtual camera would write to /dev/video3 ("DroidCam"), which comes before /dev/video10.`)
		if found := look(t, "root", "--video-out=/dev/video3"); len(found) > 0 {
			t.Errorf("with its number given: got %q, want nothing wrong", found)
		}
	})
	clear()
}

// TestGuestDoctorOnAir: nothing is wrong while pictures go over the devices but
// that the friend is not there, nor before and after.
func TestGuestDoctorOnAir(t *testing.T) {
	needGuest(t, "alone")
	loadLoopback(t, "video_nr=10,11", "card_label=costream-topeer,costream-frompeer", "exclusive_caps=1,1")
	options, other := friends("a")
	// OBS must have time for answers: with 10 pictures a second, and sound, the guest is so busy on air that some take 5 s.
	options.FPS = 5
	self := e2e.NewPerson(t, options, testbed.NewDisplay(t))
	self.Address = "127.0.0.2"
	peer := &e2e.Person{PersonOptions: other, Address: "127.0.0.3"}
	t.Cleanup(func() { keepLogs(t, self.OBS) })
	look := func() []string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), binary, "doctor", "--only", "svc,host,v4l2,obs,net", "--no-clean-feed", "--listen="+self.Address, "--peer="+peer.Address)
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}, self.Env()...)
		return findings(t, cmd)
	}
	none := func(when string) {
		t.Helper()
		if found := look(); len(found) > 0 {
			t.Errorf("%s: got %q, want nothing wrong", when, found)
		}
	}
	onAir := func(when string) {
		t.Helper()
		found := slices.DeleteFunc(look(), func(f string) bool { return strings.Contains(f, "reports: your friend: nothing arrives") })
		if len(found) > 0 {
			t.Errorf("%s: got %q, want nothing wrong but that the friend is away", when, found)
		}
	}
	none("without costream-obs")
	companion := self.Run(binary, peer, "--route=devices", "--no-clean-feed")
	companion.Await(e2e.Ready, readyLimit)
	none("ready")
	self.Channel.AwaitListening()
	self.OBS.StartStream()
	companion.Await(e2e.OnAir, airLimit)
	await(t, "OBS reads "+videoIn, pictureLimit, func() error {
		_, err := self.OBS.TryScreenshot(e2e.PeerInput)
		return err
	})
	onAir("on air")

	// The companion itself mends this one, within its slow tick, so doctor may find it or not.
	self.OBS.Request("SetInputSettings", testbed.D{"inputName": e2e.PeerInput, "inputSettings": testbed.D{"buffering": true}}, nil)
	await(t, "the peer source is unbuffered again", pictureLimit, func() error {
		var answer struct {
			InputSettings struct{ Buffering bool }
		}
		if err := self.OBS.TryRequest("GetInputSettings", testbed.D{"inputName": e2e.PeerInput}, &answer); err != nil {
			return err
		}
		return orNil(!answer.InputSettings.Buffering, "it buffers")
	})
	onAir("mended")
	self.OBS.StopStream()
	companion.Await(e2e.Ready, airLimit)
	none("off air again")
	companion.Stop()

	// OBS's own button is as good.
	self.OBS.Request("StartVirtualCam", nil, nil)
	await(t, "the camera runs", pictureLimit, func() error { return orNil(written(t, videoOut), "nothing writes to it") })
	none("camera started by hand")
}

// writeTo has a program of that name write pictures to a device until the
// returned function is called.
func writeTo(t *testing.T, device, name string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	path, err := exec.LookPath("gst-launch-1.0")
	if err != nil {
		t.Fatal(err)
	}
	// The kernel calls a process by the name of its file.
	own := t.TempDir() + "/" + name
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, data, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, own, strings.Fields("-q videotestsrc is-live=true ! video/x-raw,format=YUY2,width=320,height=180,framerate=10/1 ! identity drop-allocation=true ! v4l2sink sync=false device="+device)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	testbed.Await(t, name+" has set a format", 60*time.Second, func() error {
		format, err := os.ReadFile("/sys/class/video4linux/" + strings.TrimPrefix(device, "/dev/") + "/format")
		return orNil(err == nil && strings.Contains(string(format), "320x180"), "format: got %q, %v", format, err)
	})
	return func() {
		cancel()
		_ = cmd.Wait()
	}
}
