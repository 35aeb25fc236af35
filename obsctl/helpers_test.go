// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"net"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
)

func endpointAt(addr net.Addr) Endpoint {
	tcp := addr.(*net.TCPAddr)
	return Endpoint{Host: tcp.IP.String(), Port: tcp.Port, Enabled: true, Source: "the test"}
}

func endpointOf(f *fakeobs.Server) Endpoint {
	e := endpointAt(f.Addr())
	e.Password = Secret(f.Password)
	return e
}

func dialFake(t *testing.T, f *fakeobs.Server, opts Options) *Client {
	t.Helper()
	c, err := Dial(t.Context(), endpointOf(f), opts)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// within fails the test when ch is not closed, or gives nothing, in time.
func within[T any](t *testing.T, what string, limit time.Duration, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(limit):
		t.Fatalf("%s: not within %v", what, limit)
		panic("unreachable")
	}
}
