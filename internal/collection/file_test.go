// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/obsctl"
)

// A machine is a home directory with an OBS that is closed.
type machine struct {
	home, config, proc string
}

const firstText = `{"name":"Main","sources":[{"id":"scene","name":"Scene"}],"unknown":{"é":[1.50,"\u00e9"]}}`

func newMachine(t testing.TB) machine {
	t.Helper()
	dir := t.TempDir()
	m := machine{dir, filepath.Join(dir, ".config"), filepath.Join(dir, "proc")}
	m.put(t, "global.ini", "[General]\nLastVersion=486539266\n\n[Basic]\nProfile=Pro file\nProfileDir=Pro_file\nSceneCollection=Main\nSceneCollectionFile=main_file\n")
	m.put(t, "basic/scenes/main_file.json", firstText)
	m.put(t, "basic/scenes/Other.json", `{"name":"Other one"}`)
	if err := os.Mkdir(m.proc, 0o700); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m machine) path(name string) string { return filepath.Join(m.config, "obs-studio", name) }

func (m machine) put(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(m.path(name)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.path(name), []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func (m machine) dir(t testing.TB) Dir {
	t.Helper()
	d, err := Find(obsctl.FindOptions{Home: m.home, XDGConfigHome: m.config, ProcRoot: m.proc})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (m machine) open(t testing.TB) *File {
	t.Helper()
	f, err := m.dir(t).Open("")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// startOBS makes it look as if an OBS ran.
func (m machine) startOBS(t testing.TB) {
	t.Helper()
	dir := filepath.Join(m.proc, "321")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"cmdline": "/usr/bin/obs\x00", "comm": "obs\n", "environ": "HOME=" + m.home + "\x00XDG_CONFIG_HOME=" + m.config + "\x00"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func setX(d *Doc) error { return d.Set(strings.Repeat("x", 100), "x") }

var secondText = firstText[:len(firstText)-1] + `,"x":"` + strings.Repeat("x", 100) + `"}`

func TestEdit(t *testing.T) {
	m := newMachine(t)
	f := m.open(t)
	if err := f.Edit(setX); err != nil {
		t.Fatal(err)
	}
	if got := read(t, f.Path()); got != secondText {
		t.Errorf("got %s, want %s", got, secondText)
	}
	if got := read(t, f.Backup()); got != firstText {
		t.Errorf("backup: got %s, want %s", got, firstText)
	}
	if info, err := os.Stat(f.Path()); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode: got %v, %v; want 0640", info.Mode(), err)
	}
	if err := f.Edit(func(d *Doc) error { d.Delete("x"); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := read(t, f.Path()); got != firstText {
		t.Errorf("taken back: got %s, want %s", got, firstText)
	}
	before, _ := os.Stat(f.Path())
	if err := f.Edit(func(*Doc) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Stat(f.Path()); !os.SameFile(before, after) {
		t.Error("an edit of nothing wrote the file")
	}
	noLitter(t, m)
}

// noLitter: OBS takes every .json for a collection, and nothing else of ours lies about but the backup.
func noLitter(t testing.TB, m machine) {
	t.Helper()
	entries, err := os.ReadDir(m.path("basic/scenes"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		switch e.Name() {
		case "main_file.json", "main_file.json.before-costream-obs", "Other.json":
		default:
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

func TestEditFollowsLink(t *testing.T) {
	m := newMachine(t)
	f := m.open(t)
	real := filepath.Join(m.home, "dotfiles.json")
	if err := errors.Join(os.Rename(f.Path(), real), os.Symlink(real, f.Path())); err != nil {
		t.Fatal(err)
	}
	if err := f.Edit(setX); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(f.Path()); err != nil || info.Mode()&os.ModeSymlink == 0 || read(t, real) != secondText {
		t.Errorf("the link is %v, %v, and the file behind it %s", info.Mode(), err, read(t, real))
	}
}

func TestEditRefuses(t *testing.T) {
	wanted := errors.New("the caller's")
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, m machine, f *File)
		edit  func(*Doc) error
		want  error
	}{
		{"OBS runs", func(t *testing.T, m machine, _ *File) { m.startOBS(t) }, setX, ErrRunning},
		{"OBS starts meanwhile", func(t *testing.T, m machine, f *File) {
			f.at = func(step string) error {
				if step == stepWritten {
					m.startOBS(t)
				}
				return nil
			}
		}, setX, ErrRunning},
		{"the caller gives up", nil, func(d *Doc) error { return errors.Join(setX(d), wanted) }, wanted},
		{"another one edits", func(t *testing.T, m machine, _ *File) {
			unlock, err := lock(m.path("basic/scenes"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(unlock)
		}, setX, ErrBusy},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t)
			f := m.open(t)
			if test.spoil != nil {
				test.spoil(t, m, f)
			}
			if err := f.Edit(test.edit); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if got := read(t, f.Path()); got != firstText {
				t.Errorf("the collection became %s", got)
			}
			noLitter(t, m)
		})
	}
}

func TestEditChangedMeanwhile(t *testing.T) {
	for _, step := range []string{stepRead, stepBackedUp, stepWritten} {
		m := newMachine(t)
		f := m.open(t)
		theirs := `{"name":"Main","theirs":true}`
		f.at = func(done string) error {
			if done == step {
				m.put(t, "basic/scenes/main_file.json", theirs)
			}
			return nil
		}
		if err := f.Edit(setX); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: got %v, want ErrChanged", step, err)
		}
		if got := read(t, f.Path()); got != theirs {
			t.Errorf("%s: got %s, want theirs", step, got)
		}
	}
}

func TestEditOfInvalid(t *testing.T) {
	m := newMachine(t)
	f := m.open(t)
	for _, text := range []string{"", "{", firstText[:50], "\x00\x00\x00", "[1]"} {
		m.put(t, "basic/scenes/main_file.json", text)
		if err := f.Edit(setX); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: got %v, want ErrInvalid", text, err)
		}
		if got := read(t, f.Path()); got != text {
			t.Errorf("%q became %q", text, got)
		}
		if _, err := m.dir(t).Open(""); !errors.Is(err, ErrInvalid) {
			t.Errorf("Open of %q: got %v, want ErrInvalid", text, err)
		}
	}
	noLitter(t, m)
}

// A fault after any step leaves the old text.
func TestEditFails(t *testing.T) {
	fault := errors.New("fault")
	for _, step := range []string{stepRead, stepBackedUp, stepWritten, stepChecked, stepRenamed} {
		m := newMachine(t)
		f := m.open(t)
		f.at = func(done string) error {
			if done == step {
				return fault
			}
			return nil
		}
		if err := f.Edit(setX); !errors.Is(err, fault) {
			t.Errorf("%s: got %v, want the fault", step, err)
		}
		if got := read(t, f.Path()); got != firstText {
			t.Errorf("%s: got %s, want the first text", step, got)
		}
		noLitter(t, m)
	}
}

func TestEditRestores(t *testing.T) {
	m := newMachine(t)
	f := m.open(t)
	f.at = func(done string) error {
		if done == stepRenamed {
			return os.Truncate(f.Path(), 10)
		}
		return nil
	}
	if err := f.Edit(setX); err == nil {
		t.Error("a file that is not what was written is no error")
	}
	if got := read(t, f.Path()); got != firstText {
		t.Errorf("got %s, want the first text", got)
	}
}

// child runs this test again in a process of its own, in which ROLE is set.
func child(t *testing.T, m machine, role string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "ROLE="+role, "MACHINE="+m.home)
	return cmd
}

// asChild returns the machine and the role of a child.
func asChild() (machine, string) {
	home := os.Getenv("MACHINE")
	return machine{home, filepath.Join(home, ".config"), filepath.Join(home, "proc")}, os.Getenv("ROLE")
}

func TestEditKilled(t *testing.T) {
	if m, step := asChild(); step != "" {
		f := m.open(t)
		f.at = func(done string) error {
			if done == step {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
			return nil
		}
		t.Fatalf("alive after %s: %v", step, f.Edit(setX))
	}
	for _, test := range []struct{ step, want string }{
		{stepRead, firstText}, {stepBackedUp, firstText}, {stepWritten, firstText}, {stepChecked, firstText}, {stepRenamed, secondText},
	} {
		m := newMachine(t)
		out, err := child(t, m, test.step).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("%s: got %v, want a kill: %s", test.step, err, out)
		}
		f := m.open(t)
		if got := read(t, f.Path()); got != test.want {
			t.Errorf("killed when %s: got %s, want %s", test.step, got, test.want)
		}
		// The next edit is none the worse for it.
		if err := f.Edit(setX); err != nil || read(t, f.Path()) != secondText {
			t.Errorf("after the kill: %v, %s", err, read(t, f.Path()))
		}
		noLitter(t, m)
	}
}

// A limit on the size of files fails a write in its middle.
func TestEditWriteFails(t *testing.T) {
	if m, role := asChild(); role != "" {
		signal.Ignore(syscall.SIGXFSZ)
		var limit uint64
		_, _ = fmt.Sscan(role, &limit)
		f := m.open(t)
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
			t.Fatal(err)
		}
		err := f.Edit(setX)
		if !errors.Is(err, syscall.EFBIG) {
			t.Fatalf("got %v, want EFBIG", err)
		}
		return
	}
	// In the backup at its begin and in its middle, and in the new text.
	for _, limit := range []int{0, 10, len(firstText) - 1, len(firstText), len(secondText) - 1} {
		m := newMachine(t)
		if out, err := child(t, m, fmt.Sprint(limit)).CombinedOutput(); err != nil {
			t.Errorf("limit %d: %v: %s", limit, err, out)
		}
		if got := read(t, m.open(t).Path()); got != firstText {
			t.Errorf("limit %d: got %s, want the first text", limit, got)
		}
		noLitter(t, m)
	}
}

// A file system without room, in a mount namespace of the child's own.
func TestEditDiskFull(t *testing.T) {
	if m, role := asChild(); role != "" {
		if err := unix.Mount("tmpfs", m.config, "tmpfs", 0, "size=64k"); err != nil {
			t.Skipf("SKIPPED no tmpfs can be mounted here: %v", err)
		}
		made := newMachine(t)
		if err := os.CopyFS(m.config, os.DirFS(made.config)); err != nil {
			t.Fatal(err)
		}
		f := m.open(t)
		if err := os.WriteFile(filepath.Join(m.config, "filler"), make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("got %v, want a full disk", err)
		}
		if err := f.Edit(setX); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("got %v, want ENOSPC", err)
		}
		if got := read(t, f.Path()); got != firstText {
			t.Errorf("got %s, want the first text", got)
		}
		noLitter(t, m)
		return
	}
	m := newMachine(t)
	cmd := child(t, m, "full")
	cmd.Args = append(cmd.Args, "-test.v")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM), strings.Contains(string(out), "SKIPPED"):
		t.Skipf("no name space of our own here: %v %s", err, out)
	case err != nil:
		t.Errorf("%v: %s", err, out)
	}
}
