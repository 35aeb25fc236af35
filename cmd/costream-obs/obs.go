// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/obsctl"
)

// findOBS says where OBS listens: what the settings tell, and OBS's own files for the rest.
func findOBS(c *config.Config) (obsctl.Endpoint, error) {
	return obsctl.Find(obsctl.FindOptions{Host: c.OBSHost, Port: c.OBSPort, Password: c.OBSPassword})
}

// dialOBS connects to the OBS that the settings tell.
func dialOBS(ctx context.Context, c *invocation) (*obsctl.Client, error) {
	endpoint, err := findOBSOrDefault(c.config)
	if err != nil {
		return nil, err
	}
	return obsctl.Dial(ctx, endpoint, obsctl.Options{Log: c.log})
}

// findOBSOrDefault is findOBS, but without OBS's files its default port may still do.
func findOBSOrDefault(c *config.Config) (obsctl.Endpoint, error) {
	endpoint, err := findOBS(c)
	if errors.Is(err, obsctl.ErrNoConfig) {
		err = nil
	}
	return endpoint, err
}
