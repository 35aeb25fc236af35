// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
)

// version is set by the linker, in make build and make packages (see .ci/package/version). Nothing here writes it.
var version string

func versionCommand() *command {
	return &command{
		name:  "version",
		short: "print the version, for bug reports",
		long:  "Prints the versions of costream-obs, of Go that built it, of GStreamer, and of the OBS that runs, else of the OBS that is installed.",
		// Where OBS is may stand in the configuration file; one with a fault in it does not stop us.
		settings:        []string{"obs-host", "obs-port", "obs-password-file", "json"},
		reportsSettings: true,
		bind: func(set *pflag.FlagSet) action {
			return func(ctx context.Context, c *invocation) error {
				seen := lookAtVersions(ctx, c)
				if wantsJSON(set, c) {
					return printJSON(c.stdout, seen)
				}
				_, err := fmt.Fprint(c.stdout, seen.text())
				return err
			}
		},
	}
}

// versions are what a bug report should tell.
type versions struct {
	Version   string `json:"version"`
	Commit    string `json:"commit,omitempty"`
	Modified  bool   `json:"modified,omitempty"` // built from a tree with changes that are in no commit
	Go        string `json:"go"`
	Platform  string `json:"platform"`
	GStreamer string `json:"gstreamer,omitempty"`
	// OBS is nil where none was found.
	OBS *obsSeen `json:"obs,omitempty"`
	// OBSError says why an OBS that is there told no version.
	OBSError string `json:"obsError,omitempty"`
}

// An obsSeen is an OBS that answered us, or one that is installed.
type obsSeen struct {
	Version   string `json:"version"`
	Running   bool   `json:"running"`
	WebSocket string `json:"websocket,omitempty"` // of an OBS that runs
}

func lookAtVersions(ctx context.Context, c *invocation) versions {
	v := builtAs()
	done := make(chan struct{})
	go func() {
		defer close(done)
		var err error
		if v.OBS, err = seeOBS(ctx, c); err != nil {
			v.OBSError = err.Error()
		}
	}()
	gstreamer := media.GStreamerVersion() // It may look at all its plugins first, which takes seconds.
	<-done
	v.GStreamer = gstreamer
	return v
}

// builtAs is what the linker was told, else what the Go toolchain recorded: a tag where the program was built at one,
// else the commit.
func builtAs() versions {
	v := versions{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if v.Version == "" {
			v.Version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Commit = s.Value
			case "vcs.modified":
				v.Modified = s.Value == "true"
			}
		}
	}
	if v.Version == "" {
		v.Version = "unknown"
	}
	return v
}

// obsAnswers is how long each of the two ways to OBS's version may take. An OBS that is well answers within 50 ms.
const obsAnswers = 2 * time.Second

// seeOBS asks the OBS that runs, else the program that is installed. It returns nil where there is none, with an error
// where one did not answer in time.
func seeOBS(ctx context.Context, c *invocation) (*obsSeen, error) {
	if c.config != nil {
		asked, cancel := context.WithTimeout(ctx, obsAnswers)
		defer cancel()
		if client, err := dialOBS(asked, c); err == nil {
			v := client.Version()
			_ = client.Close()
			return &obsSeen{Version: v.OBS.String(), Running: true, WebSocket: v.WebSocket.String()}, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, obsAnswers)
	defer cancel()
	cmd := exec.CommandContext(ctx, "obs", "--version")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, fmt.Errorf("OBS is installed, but `obs --version` did not answer within %v", obsAnswers)
	}
	if err != nil {
		return nil, nil
	}
	// "OBS Studio - 29.0.2.1-1+b1 (linux)", in which a distribution says more than OBS's own version.
	_, text, _ := strings.Cut(string(out), " - ")
	text, _, _ = strings.Cut(text, " ")
	v, err := obsctl.ParseSemver(text)
	if err != nil {
		return nil, nil
	}
	return &obsSeen{Version: v.String()}, nil
}

// text is what a person reads.
func (v versions) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "costream-obs %s (%s, %s)\n", v.Version, v.Go, v.Platform)
	if v.GStreamer == "" {
		b.WriteString("GStreamer: no elements found\n")
	} else {
		fmt.Fprintf(&b, "GStreamer %s\n", v.GStreamer)
	}
	switch {
	case v.OBSError != "":
		b.WriteString(v.OBSError + "\n")
	case v.OBS == nil:
		b.WriteString("OBS: not found\n")
	case v.OBS.Running:
		fmt.Fprintf(&b, "OBS %s (running, obs-websocket %s)\n", v.OBS.Version, v.OBS.WebSocket)
	default:
		fmt.Fprintf(&b, "OBS %s (installed; no running OBS answers)\n", v.OBS.Version)
	}
	return b.String()
}
