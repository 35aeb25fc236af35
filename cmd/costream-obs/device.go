// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/v4l2"
	"github.com/costream-obs/costream-obs/media"
)

// deviceFormat is the format to use on a video device: what the settings say, else what the device carries already,
// else that of 2020. Without the device there is nothing to do, so its absence is told here, before any pipeline could
// tell it less clearly.
func deviceFormat(c *config.Config, device string) (media.VideoFormat, error) {
	info, err := os.Stat(device)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return media.VideoFormat{}, fmt.Errorf("there is no video device %s: make it with `costream-obs setup`", device)
	case err != nil:
		return media.VideoFormat{}, err
	case info.Mode()&os.ModeCharDevice == 0:
		return media.VideoFormat{}, fmt.Errorf("%s is not a video device; see: ls -l /dev/video*", device)
	}
	if c.VideoFormat != (config.Format{}) {
		return media.VideoFormat(c.VideoFormat), nil
	}
	nodes, err := v4l2.System{}.Nodes()
	if err != nil {
		return media.VideoFormat{}, err
	}
	for _, node := range nodes {
		_, format, _ := strings.Cut(node.Format, ":") // "YUYV:1920x1080@30"
		if f, err := config.ParseFormat(format); err == nil && node.Path == device {
			return media.VideoFormat(f), nil
		}
	}
	return media.VideoFormat{W: 1920, H: 1080, FPSNum: 30, FPSDen: 1}, nil
}
