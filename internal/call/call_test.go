// SPDX-License-Identifier: Apache-2.0

package call

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/media"
)

// On air without a sound server our voice is tried again and again, which must not cost a thread each time.
func TestVoiceWithoutSoundServer(t *testing.T) {
	t.Setenv("PULSE_SERVER", "unix:"+filepath.Join(t.TempDir(), "nobody"))
	if err := media.Init(); err != nil {
		t.Fatal(err)
	}
	c := newCall(Options{}, nil, nil)
	for range 5 {
		err := c.runAudio(t.Context(), func() { t.Error("our voice is said to be sent") })
		if !errors.Is(err, pulse.ErrNoServer) {
			t.Errorf("got error %v, want %v", err, pulse.ErrNoServer)
		}
	}
	names, err := filepath.Glob("/proc/self/task/*/comm")
	if err != nil || len(names) == 0 {
		t.Fatalf("got threads %v and error %v", names, err)
	}
	for _, name := range names {
		// A thread may have ended meanwhile.
		if comm, err := os.ReadFile(name); err == nil && strings.TrimSpace(string(comm)) == "threaded-ml" {
			t.Errorf("thread %s of PulseAudio's client library was left behind", name)
		}
	}
}
