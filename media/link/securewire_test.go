// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// TestRealWire looks with tshark at all that two links send whose options ask for nothing more: STUN, DTLS, SRTP and SRTCP
// between two ports, nothing to anybody else, and none of what they say in clear.
func TestRealWire(t *testing.T) {
	if testing.Short() {
		t.Skip("captures packets")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to capture packets")
	}
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skipf("needs tshark: %v", err)
	}
	noGoroutines(t)
	ids := identities(t)
	here, there := testbed.LoopbackAddress(t), testbed.LoopbackAddress(t)
	port := testbed.FreeUDPPorts(t, 1)
	file := filepath.Join(t.TempDir(), "wire.pcap")
	// All that either sends, to whomever and on whatever port.
	stop := capture(t, file, fmt.Sprintf("udp and (src host %s or src host %s)", here, there))
	a := start(t, link.SecureOptions{Identity: ids[0], Listen: here, Port: port})
	b := start(t, link.SecureOptions{Identity: ids[1], Listen: there, Port: port, Peers: []string{here}})
	a.talk(t, 1)
	b.talk(t, 2)
	both(t, a, b, 1, 2)
	testbed.Await(t, "reports", patience, func() error {
		if s := a.Stats(); s.Video.Receive.LastSenderReport.IsZero() || s.Video.Send.LastReport.IsZero() {
			return errNotYet
		}
		return nil
	})
	a.stop()
	b.stop()
	stop()

	out, err := exec.Command("tshark", "-r", file, "-d", fmt.Sprintf("udp.port==%d,rtp", port),
		"-T", "fields", "-e", "ip.dst", "-e", "udp.srcport", "-e", "udp.dstport", "-e", "frame.protocols").Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	seen := map[string]int{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) != 4 || fields[0] != here && fields[0] != there || fields[1] != fmt.Sprint(port) || fields[2] != fmt.Sprint(port) {
			t.Fatalf("got %q on the wire, want UDP to %s or %s from port %d to port %d alone", lines.Text(), here, there, port, port)
		}
		_, protocol, _ := strings.Cut(fields[3], "udp:")
		protocol, _, _ = strings.Cut(protocol, ":") // RTCP stands below RTP, certificates below DTLS
		seen[protocol]++
	}
	t.Logf("on the wire: %v", seen)
	for _, want := range []string{"stun", "dtls", "rtp"} {
		if seen[want] == 0 {
			t.Errorf("got no %s on the wire", want)
		}
		delete(seen, want)
	}
	if len(seen) > 0 {
		t.Errorf("got %v on the wire, want nothing else", seen)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, keyFrame[:8]) {
		t.Error("what was sent stands on the wire in clear")
	}
}

// capture writes what passes on the loopback interface to a file until the returned function is called.
func capture(t *testing.T, file, filter string) (stop func()) {
	t.Helper()
	c := exec.Command("tshark", "-q", "-i", "lo", "-f", filter, "-w", file)
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		time.Sleep(500 * time.Millisecond) // the capture lags behind, and tells nobody how far
		_ = c.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(patience, func() { _ = c.Process.Kill() }) // one that has not begun does not listen
		defer kill.Stop()
		_ = c.Wait()
	}
	t.Cleanup(stop)
	ready := make(chan struct{})
	go func() {
		told := false
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if !told && strings.Contains(lines.Text(), "Capture started") {
				told = true
				close(ready)
			}
		}
	}()
	select {
	case <-ready:
	case <-time.After(patience):
		t.Fatal("tshark does not begin")
	}
	return stop
}
