// SPDX-License-Identifier: Apache-2.0

package kernel_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// A meeting keeps the tests in the two guests in step: each says where it is
// and waits until the other is there, too.
type meeting struct {
	t    *testing.T
	conn net.Conn
	from *bufio.Reader
}

const (
	meetingPort = "7000"
	// bootLimit is for the other guest to get to its test.
	bootLimit = 150 * time.Second
	// stepLimit is for the longest that the other does between two steps.
	stepLimit = 200 * time.Second
)

// newMeeting connects the guests: a listens, b calls. A test that fails ends
// the connection, and so the other's wait.
func newMeeting(t *testing.T, kind string) *meeting {
	t.Helper()
	m := &meeting{t: t}
	if kind == "a" {
		m.conn = accept(t)
	} else {
		testbed.Await(t, "the other guest listens", bootLimit, func() error {
			conn, err := net.DialTimeout("tcp", net.JoinHostPort(os.Getenv("PEER_ADDR"), meetingPort), time.Second)
			m.conn = conn
			return err
		})
	}
	m.from = bufio.NewReader(m.conn)
	t.Cleanup(func() { _ = m.conn.Close() })
	return m
}

func accept(t *testing.T) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("SELF_ADDR"), meetingPort))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(bootLimit)); err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatalf("the other guest did not call: %v", err)
	}
	return conn
}

// at returns when both guests are at the step.
func (m *meeting) at(step string) {
	m.t.Helper()
	err := errors.Join(
		m.conn.SetDeadline(time.Now().Add(stepLimit)),
		ignoreCount(fmt.Fprintln(m.conn, step)),
	)
	if err != nil {
		m.t.Fatalf("at %q: the other guest has given up: %v", step, err)
	}
	line, err := m.from.ReadString('\n')
	if err != nil {
		m.t.Fatalf("at %q: the other guest has given up: %v", step, err)
	}
	if got := strings.TrimSuffix(line, "\n"); got != step {
		m.t.Fatalf("the other guest is at %q, this one at %q", got, step)
	}
	m.t.Logf("--- both: %s", step)
}

func ignoreCount(_ int, err error) error { return err }
