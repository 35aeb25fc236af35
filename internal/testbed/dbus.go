// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// DBus starts a message bus of its own and returns its address. It skips the test under -short.
func DBus(t testing.TB) (address string) {
	t.Helper()
	Need(t)
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		t.Fatal("dbus-daemon is not installed; install it with: sudo apt install dbus-daemon")
	}
	socket := filepath.Join(t.TempDir(), "bus")
	address = "unix:path=" + socket
	Start(t, Command{Name: "message bus", Path: "dbus-daemon", Args: []string{"--session", "--nofork", "--nopidfile", "--address=" + address}})
	Await(t, "the message bus", 10*time.Second, func() error {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			err = conn.Close()
		}
		return err
	})
	return address
}
