// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// childDir is the variable that makes TestRealKilled the process that is killed.
const childDir = "RECORDING_TEST_DIR"

// TestRealKilled kills a process that records.
func TestRealKilled(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		recordStdin(t, dir)
		return
	}
	video := realPictures(t, 320, 180, 4)
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRealKilled$")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for n, packet := range video {
		time.Sleep(time.Until(began.Add(captured(video, n, 90000))))
		if _, err := in.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)); err != nil {
			t.Fatal(err)
		}
	}
	var path string
	testbed.Await(t, "the recording grows", 10*time.Second, func() error {
		for _, path = range files(t, dir) {
			if info, err := os.Stat(path); err == nil && info.Size() > 50_000 {
				return nil
			}
		}
		return errors.New("it is still small")
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	got := pictureTimes(video)
	left := probe(t, path).times(t, 0)
	if len(left) < 30 {
		t.Errorf("%d pictures are left", len(left))
	}
	checkTimes(t, "picture", left, got[:len(left)])
}

// recordStdin records the packets that come, until it is killed.
func recordStdin(t *testing.T, dir string) {
	p := &peer{t: t}
	r := Start(p.options(dir))
	defer r.Close(time.Second)
	var size [2]byte
	for {
		if _, err := io.ReadFull(os.Stdin, size[:]); err != nil {
			<-t.Context().Done()
			return
		}
		packet := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(os.Stdin, packet); err != nil {
			t.Fatal(err)
		}
		r.Picture(1, packet, time.Now())
	}
}

// TestRealFullDisk records to a small file system until it is full.
func TestRealFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a small file system")
	}
	video, voice := realPictures(t, 320, 180, 6), realVoice(t, 6)
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=80k"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	p := newPeer(t, dir)
	p.play(video, voice, nothing)
	path, wrong := p.r.State()
	if path != "" || wrong == nil || !strings.Contains(wrong.Error(), "the disk is full") || !strings.Contains(wrong.Error(), "df -h '"+dir+"'") {
		t.Errorf("got the state %q, %v", path, wrong)
	}
	p.end()
	all := files(t, dir)
	if len(all) != 1 {
		t.Fatalf("got the files %v, want 1", all)
	}
	left := probe(t, all[0]).times(t, 0)
	if len(left) < 20 || len(left) > 150 {
		t.Errorf("%d pictures are left of 180", len(left))
	}
	checkTimes(t, "picture", left, pictureTimes(video)[:len(left)])
}

// slowFile takes nothing while it is blocked.
type slowFile struct {
	file
	blocks  chan struct{} // closed when somebody waits
	release chan struct{}
	block   bool
}

func (f *slowFile) WriteAt(b []byte, at int64) (int, error) {
	if f.block {
		f.block = false
		close(f.blocks)
		<-f.release
	}
	return f.file.WriteAt(b, at)
}

// TestRealSlowDisk: a disk that takes nothing for a long time costs the recording something, and nobody else.
func TestRealSlowDisk(t *testing.T) {
	video, voice := realPictures(t, 320, 180, 3), realVoice(t, 3)
	dir := t.TempDir()
	p := newPeer(t, dir)
	slow := &slowFile{blocks: make(chan struct{}), release: make(chan struct{})}
	p.r.create = func(dir, name string, now time.Time) (file, error) {
		f, err := create(dir, name, now)
		slow.file = f
		return slow, err
	}
	p.play(video, voice, nothing)

	slow.block = true
	stuck := make(chan struct{})
	go func() {
		defer close(stuck)
		p.r.look(p.now, true)
	}()
	testbed.Receive(t, slow.blocks, "a write")
	packet := video[len(video)-1]
	began := time.Now()
	for n := 0; n < 2*maxQueue; n += len(packet) {
		p.r.Picture(1, packet, p.now)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the packets took %v", took)
	}
	if size := cap(p.r.queue.batch.data); size > 2*maxQueue {
		t.Errorf("%d bytes wait", size)
	}
	if path, wrong := p.r.State(); path == "" || wrong == nil || !strings.Contains(wrong.Error(), "too slow") {
		t.Errorf("got the state %q, %v", path, wrong)
	}
	if p.asked > 0 {
		t.Error("a key frame was asked for that cannot be recorded")
	}
	close(slow.release)
	testbed.Receive(t, stuck, "the end of the write")

	p.r.look(p.now, false)
	if p.asked != 1 {
		t.Errorf("asked for a key frame %d times, want once", p.asked)
	}
	p.id++
	p.now = p.now.Add(20 * time.Second)
	p.play(video, voice, nothing)
	p.end()
	all := files(t, dir)
	if len(all) != 1 {
		t.Fatalf("got the files %v, want 1", all)
	}
	if n := len(probe(t, all[0]).times(t, 0)); n < 175 || n > 180 {
		t.Errorf("got %d pictures, want about 180", n)
	}
}
