// SPDX-License-Identifier: Apache-2.0

package main

import (
	"log/slog"
	"os"
	"path/filepath"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/encoders"
)

// newEncoders makes what chooses the encoder of our picture.
func newEncoders(c *config.Config, log *slog.Logger) (*encoders.Chooser, error) {
	if err := encoders.Check(c.Encoder); err != nil {
		return nil, usagef("--encoder: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	o := encoders.Options{Name: c.Encoder, Program: program, BitrateKbps: c.Bitrate, Log: log}
	// Without a home the trials run each time.
	if dir, err := cacheDir(); err == nil {
		o.File = filepath.Join(dir, "encoders.json")
	}
	return encoders.New(o), nil
}
