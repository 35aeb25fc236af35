// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// lonely is Alice with a running OBS whose inputs she monitors, a friend who is not there, and how her OBS is.
func lonely(t *testing.T) (alice, nobody *e2e.Person, before observed) {
	t.Helper()
	testbed.Need(t)
	alice = e2e.NewPerson(t, e2e.Alice(), testbed.NewDisplay(t))
	nobody = &e2e.Person{PersonOptions: e2e.Bob(), Address: testbed.LoopbackAddress(t)}
	for input, monitored := range map[string]string{"Desktop Audio": "MONITOR_AND_OUTPUT", "Mic/Aux": "MONITOR_ONLY"} {
		alice.OBS.Request("SetInputAudioMonitorType", testbed.D{"inputName": input, "monitorType": "OBS_MONITORING_TYPE_" + monitored}, nil)
	}
	before, err := observe(alice)
	if err != nil {
		t.Fatal(err)
	}
	return alice, nobody, before
}

// TestRealStoppedAtAnyTime: wherever Ctrl-C catches a companion on its way on air, OBS is as it was before.
func TestRealStoppedAtAnyTime(t *testing.T) {
	alice, nobody, before := lonely(t)
	reached := map[string]int{} // by state
	for _, feed := range []bool{false, true} {
		// On OBS 32 it is on air after 0.4 s, on older ones after 0.1 s.
		for delay := time.Duration(0); delay < 600*time.Millisecond; delay += 30 * time.Millisecond {
			companion := alice.Run(binary, nobody, "--when=always", fmt.Sprintf("--clean-feed=%t", feed))
			companion.AwaitSince(0, e2e.Waiting, readyLimit)
			select {
			case <-time.After(delay):
			case <-t.Context().Done():
			}
			state := companion.Last().State
			reached[state]++
			companion.Stop()
			wantAsBefore(t, alice, before, fmt.Sprintf("after %v, when %s, clean feed %t", delay, state, feed))
		}
	}
	t.Logf("stopped so often when: %v", reached)
	if reached[e2e.Waiting] == 0 || reached[e2e.OnAir] == 0 {
		t.Errorf("got %v, want it to be stopped at first and on air, too", reached)
	}
}

// TestRealStoppedOtherwise: not only Ctrl-C has a companion tidy up, and what a reader of its output does is no reason to end.
func TestRealStoppedOtherwise(t *testing.T) {
	alice, nobody, before := lonely(t)
	// Where the tests run under nohup, the companion would ignore it, too: a signal that is taken is not inherited.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for name, signals := range map[string][]syscall.Signal{
		"by the system":                      {syscall.SIGTERM},
		"by its window, and the shell in it": {syscall.SIGHUP, syscall.SIGHUP},
	} {
		companion := alice.Run(binary, nobody, "--when=always")
		companion.Await(e2e.OnAir, airLimit)
		for _, s := range signals {
			if err := syscall.Kill(companion.PID(), s); err != nil {
				t.Fatal(err)
			}
		}
		companion.AwaitEnd()
		wantAsBefore(t, alice, before, name)
	}

	// Without a reader of its output it goes on.
	output, input, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	alice.Channel.AwaitListening()
	alice.OBS.StartStream()
	companion := testbed.Start(t, testbed.Command{
		Name: "companion", Path: binary, Env: append(os.Environ(), alice.Env()...), Stdout: input,
		Args: []string{"run", "--json", "--listen=" + alice.Address, "--peer=" + nobody.Address, "--route=portable"},
	})
	_ = input.Close()
	for lines := bufio.NewScanner(output); !strings.Contains(lines.Text(), e2e.OnAir); {
		if !lines.Scan() {
			t.Fatalf("the companion ended:\n%s", companion.Output())
		}
	}
	_ = output.Close()
	alice.OBS.StopStream()
	awaitAsBefore(t, alice, before)
	companion.Interrupt()
	ctx, cancel := context.WithTimeout(t.Context(), readyLimit)
	defer cancel()
	if code, err := companion.Wait(ctx); err != nil || code != 0 {
		t.Errorf("got exit code %d, %v, want 0, nil; it wrote:\n%s", code, err, companion.Output())
	}
	wantAsBefore(t, alice, before, "without a reader")
}
