// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	_ "embed"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// fetchServer is the script that finds a server program, or fetches it without installing it.
//
//go:embed fetch-server
var fetchServer string

// servers names the Debian package of each program that Debian would start as a service at its installation. They are not
// installed, but fetched.
var servers = map[string]string{
	"miniupnpd":  "miniupnpd-nftables",
	"turnserver": "coturn",
}

// NeedServer returns the path of a server program, "miniupnpd" or "turnserver". Where it is not installed it comes from
// Debian's package without an installation, once, into ~/.cache/costream-obs-servers. Where that cannot be, the test is
// skipped and says why.
func NeedServer(t testing.TB, program string) (path string) {
	t.Helper()
	Need(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "bash", "-c", fetchServer, "fetch-server", program, servers[program]).Output()
	if err != nil {
		reason := err.Error()
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && len(exit.Stderr) > 0 {
			reason = string(exit.Stderr)
		}
		t.Skipf("needs %s: %s", program, strings.TrimSpace(reason))
	}
	return strings.TrimSpace(string(out))
}
