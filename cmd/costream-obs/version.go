// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/pflag"
)

func versionCommand() *command {
	return &command{
		name:  "version",
		short: "print the version, for bug reports",
		long:  "Prints the version of costream-obs and of the Go that built it.",
		bind: func(set *pflag.FlagSet) action {
			asJSON := set.Bool("json", false, "print JSON")
			return func(_ context.Context, c *call) error { return version(c, *asJSON) }
		},
	}
}

// version prints what the Go toolchain recorded: a tag where the program was built at one, else the commit.
func version(c *call, asJSON bool) error {
	v := struct {
		Version  string `json:"version"`
		Commit   string `json:"commit,omitempty"`
		Modified bool   `json:"modified,omitempty"` // built from a tree with changes that are in no commit
		Go       string `json:"go"`
		Platform string `json:"platform"`
	}{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.Version = info.Main.Version
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Commit = s.Value
			case "vcs.modified":
				v.Modified = s.Value == "true"
			}
		}
	}
	if asJSON {
		return printJSON(c.stdout, v)
	}
	_, err := fmt.Fprintf(c.stdout, "costream-obs %s (%s, %s)\n", v.Version, v.Go, v.Platform)
	return err
}
