// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// pairedDoctor pairs this user with a friend whose machine is at peer, and returns the invite and a doctor to call.
func pairedDoctor(t *testing.T, peer, at string, port int) (pairing.Invite, func(args ...string) result) {
	t.Helper()
	isolate(t)
	doctor := func(args ...string) result {
		return runCLI(t.Context(), append([]string{"doctor", "--listen=" + testbed.LoopbackAddress(t), fmt.Sprintf("--base-port=%d", port)}, args...)...)
	}
	if got := doctor("--only", "net.ports", "--peer", peer); got.Code != exitOK || !strings.Contains(got.Stdout, "skip  net.nat, net.router, net.meet, net.relay, net.key, net.probe, net.clock: only a secure link can be probed") {
		t.Errorf("not paired: got %+v, want it to say so", got)
	}
	line := strings.TrimSpace(runCLI(t.Context(), "pair", "new", "--address="+at).Stdout)
	invite, err := pairing.ParseInvite(line)
	if err != nil {
		t.Fatal(err)
	}
	return invite, doctor
}

// TestDoctorPeer asks a friend who is there.
func TestDoctorPeer(t *testing.T) {
	port, peer := testbed.FreeUDPPorts(t, 1), testbed.LoopbackAddress(t)
	at := fmt.Sprintf("%s:%d", peer, port)
	invite, doctor := pairedDoctor(t, peer, at, port)
	startFriend(t, invite, link.SecureOptions{Listen: peer, Port: port})
	for _, args := range [][]string{{"--peer", peer, "--only", "svc"}, {"--only", "net.clock,net.probe", "--peer=" + peer}} {
		got := doctor(args...)
		if got.Code != exitOK || !strings.Contains(got.Stdout, "net.probe: the peer's machine answers: "+at+" in ") || !strings.Contains(got.Stdout, "ok    net.clock: ") {
			t.Errorf("%v: got %+v, want the friend's answers", args, got)
		}
	}
	if got := doctor("--only", "net"); strings.Contains(got.Stdout, "net.probe") {
		t.Errorf("without --peer: got %+v, want nobody asked", got)
	}
	if got := doctor("--peer", at); got.Code != exitUsage || !strings.Contains(got.Stderr, "--peer: ") {
		t.Errorf("with a port: got %+v, want exit code 2", got)
	}
}

// TestRealDoctorPeerAway asks a friend who is not there, and one who has paired anew.
func TestRealDoctorPeerAway(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for answers that do not come")
	}
	port, peer := testbed.FreeUDPPorts(t, 1), testbed.LoopbackAddress(t)
	at := fmt.Sprintf("%s:%d", peer, port)
	_, doctor := pairedDoctor(t, peer, at, port)
	if got := doctor("--peer", peer, "--only", "net.probe"); got.Code != exitFailure || !strings.Contains(got.Stdout, "fail  net.probe: No costream-obs of your friend's answers at "+at+".") {
		t.Errorf("nobody there: got %+v, want to hear so", got)
	}
	other, err := pairing.NewInvite(nil)
	if err != nil {
		t.Fatal(err)
	}
	here := testbed.LoopbackAddress(t)
	startFriend(t, other, link.SecureOptions{Listen: peer, Port: port, Peers: []string{here}})
	if got := doctor("--listen="+here, "--peer", peer, "--only", "net.probe"); got.Code != exitFailure || !strings.Contains(got.Stdout, "fail  net.key: A costream-obs connects from "+at+" with a key") {
		t.Errorf("another pair: got %+v, want to hear so", got)
	}
}

// startFriend runs the link of another machine, which joined with an invite, until it is stopped.
func startFriend(t *testing.T, invite pairing.Invite, o link.SecureOptions) (stop func()) {
	t.Helper()
	var err error
	if o.Identity, err = (&pairing.Pair{Role: pairing.Guest, Invite: invite}).Identity(); err != nil {
		t.Fatal(err)
	}
	l, err := link.NewSecure(o)
	if err != nil {
		t.Fatal(err)
	}
	run := l.Standby
	if len(o.Peers) > 0 {
		run = l.Run // calls them
	}
	return testbed.Run(t, "the friend's link", run)
}
