// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestRealServers starts what NeedServer finds or fetches, up to the answer to a question for its version.
func TestRealServers(t *testing.T) {
	for program, question := range map[string]string{"miniupnpd": "--version", "turnserver": "--version"} {
		t.Run(program, func(t *testing.T) {
			out, err := exec.Command(NeedServer(t, program), question).CombinedOutput()
			if err != nil || !strings.ContainsAny(string(out), "0123456789") {
				t.Errorf("got %q and %v, want a version", out, err)
			}
		})
	}
}

// TestServerNotToBeHad shows what a machine without apt is told.
func TestServerNotToBeHad(t *testing.T) {
	dir := t.TempDir()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bash, "-c", strings.ReplaceAll(fetchServer, ":/usr/local/sbin:/usr/sbin:/sbin", ""), "fetch-server", "no-such-server", "no-such-package")
	cmd.Env = append(os.Environ(), "PATH="+dir, "HOME="+dir)
	out, err := cmd.CombinedOutput()
	const want = "fetch-server: no-such-server is not installed, and there is no apt-get to fetch it with\n"
	if err == nil || string(out) != want {
		t.Errorf("got %q and %v, want %q and a failure", out, err, want)
	}
}
