// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// What the process is told that runs within the lab's namespaces, and a peer in there.
const (
	envLab    = "REACH_LAB"    // "ready", or why there is no lab
	envServer = "REACH_SERVER" // followed by _PROGRAM: path of a server, or "!" and why there is none
	envPeer   = "REACH_PEER"   // the peer's configuration
)

// TestMain runs the tests in a network namespace, with a /run of its own for the names of more of them. A namespace has no
// way to the internet: what the tests fetch they fetch before.
func TestMain(m *testing.M) {
	flag.Parse()
	switch {
	case os.Getenv(envPeer) != "":
		os.Exit(runPeer(os.Getenv(envPeer)))
	case testing.Short():
		os.Exit(m.Run())
	case os.Getenv(envLab) == "":
		if err := enterLab(); err != nil {
			os.Setenv(envLab, err.Error())
		}
	case os.Getenv(envLab) == "ready":
		if err := prepareLab(); err != nil {
			os.Setenv(envLab, err.Error())
		}
	}
	os.Exit(m.Run())
}

// enterLab replaces the process by one of itself within the lab. It returns why that cannot be.
func enterLab() error {
	// A user's PATH lacks where Debian has nft.
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	for _, program := range []string{"ip", "nft", "nsenter", "unshare"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("needs %s (Debian: iproute2, nftables, util-linux): %w", program, err)
		}
	}
	unshare := []string{"unshare", "--net", "--mount"}
	if os.Geteuid() != 0 {
		unshare = append(unshare, "--user", "--map-root-user")
	}
	if out, err := exec.Command(unshare[0], append(unshare[1:], "true")...).CombinedOutput(); err != nil {
		return fmt.Errorf("this machine allows no network namespaces: %s", strings.TrimSpace(string(out)))
	}
	for _, program := range []string{"miniupnpd", "turnserver"} {
		path, err := testbed.Server(context.Background(), program)
		if err != nil {
			path = "!" + err.Error()
		}
		os.Setenv(envServer+"_"+program, path)
	}
	os.Setenv(envLab, "ready")
	path, err := exec.LookPath("unshare")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// Most of the time the cases wait for the network.
	args := append(append(unshare, self, "-test.parallel=10"), os.Args[1:]...)
	return syscall.Exec(path, args, os.Environ())
}

// prepareLab makes the directory of the namespaces' names.
func prepareLab() error {
	if err := unix.Mount("lab", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("a /run of the tests' own: %w", err)
	}
	// The first name makes a mount of the directory. It stays for the others.
	if out, err := exec.Command("ip", "netns", "add", "first").CombinedOutput(); err != nil {
		return fmt.Errorf("a named network namespace: %s", strings.TrimSpace(string(out)))
	}
	return nil
}

// needLab skips a test where there is no lab.
func needLab(t *testing.T) {
	t.Helper()
	testbed.Need(t)
	if why := os.Getenv(envLab); why != "ready" {
		t.Skip(why)
	}
}
