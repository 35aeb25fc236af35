// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
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

// NeedServer returns the path of a server program, as Server does, or skips the test and says why.
func NeedServer(t testing.TB, program string) (path string) {
	t.Helper()
	Need(t)
	path, err := Server(t.Context(), program)
	if err != nil {
		t.Skip(err)
	}
	return path
}

// Server returns the path of a server program, "miniupnpd" or "turnserver". Where it is not installed it comes from
// Debian's package without an installation, once, into ~/.cache/costream-obs-servers.
func Server(ctx context.Context, program string) (path string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "bash", "-c", fetchServer, "fetch-server", program, servers[program]).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && len(exit.Stderr) > 0 {
		err = errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("needs %s: %w", program, err)
	}
	return strings.TrimSpace(string(out)), nil
}
