// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/supervisor"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// TestStandby: between two times on air each side finds the other, and the port is free as soon as it is wanted.
func TestStandby(t *testing.T) {
	invite, err := pairing.NewInvite(nil)
	if err != nil {
		t.Fatal(err)
	}
	ports := testbed.FreeUDPPorts(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	var sides [2]*Companion
	for i, role := range []pairing.Role{pairing.Inviter, pairing.Guest} {
		id, err := (&pairing.Pair{Role: role, Invite: invite}).Identity()
		if err != nil {
			t.Fatal(err)
		}
		o := link.SecureOptions{
			Identity: id, Listen: "127.0.0.1", Port: ports + i,
			Peers: []string{net.JoinHostPort("127.0.0.1", strconv.Itoa(ports+1-i))},
		}
		c := &Companion{parts: supervisor.New(slog.New(slog.DiscardHandler), func() {})}
		c.o.Link = func(h link.Handler) (link.Link, error) { o.Handler = h; return link.NewSecure(o) }
		c.standby = &standby{link: c.o.Link, parts: c.parts}
		sides[i] = c
		t.Cleanup(c.parts.Wait)
	}
	t.Cleanup(cancel)
	if _, err := sides[0].probe(ctx); !errors.Is(err, errNoLink) {
		t.Errorf("before the start: got %v, want %v", err, errNoLink)
	}
	for range 2 {
		for _, c := range sides {
			c.standby.start(ctx)
		}
		for i, c := range sides {
			testbed.Await(t, "an answer", 10*time.Second, func() error {
				r, err := c.probe(ctx)
				if err == nil && !r.Peer.IsValid() {
					err = errors.New("nobody answers")
				}
				return err
			})
			c.standby.stop()
			l, err := c.newLink(link.Handler{})
			if err != nil {
				t.Fatalf("side %d: the port is not free: %v", i, err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			c.standby.start(ctx)
		}
		for _, c := range sides {
			c.standby.stop()
		}
	}
	plain := &Companion{standby: &standby{}}
	plain.standby.start(ctx)
	if _, err := plain.probe(ctx); !errors.Is(err, errNoProbe) {
		t.Errorf("plain link: got %v, want %v", err, errNoProbe)
	}
	plain.standby.stop()
}
