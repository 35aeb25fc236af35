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
func dialOBS(ctx context.Context, c *invocation, opts obsctl.Options) (*obsctl.Client, error) {
	endpoint, err := findOBS(c.config)
	if err != nil && !errors.Is(err, obsctl.ErrNoConfig) { // Without OBS's files its default port may still do.
		return nil, err
	}
	opts.Log = c.log
	return obsctl.Dial(ctx, endpoint, opts)
}
