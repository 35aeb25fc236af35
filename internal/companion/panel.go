// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/layouts"
	"github.com/costream-obs/costream-obs/internal/panel"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/scenes"
)

// PanelOptions are those of the page on which the user sees and steers the co-stream.
type PanelOptions struct {
	// Listen is another address of this machine to serve it on.
	Listen string
	// Repairs does what doctor would; nil where nothing can be repaired from there.
	Repairs panel.Repairs
	// Serves is told the page's address while it is served, and "" at its end; may be nil.
	Serves func(address string)
}

// newPanel is the panel of this companion.
func (c *Companion) newPanel() *panel.Server {
	return panel.New(panel.Options{
		StateDir: c.o.StateDir, Listen: c.o.Panel.Listen, Repairs: c.o.Panel.Repairs, Serves: c.o.Panel.Serves, Log: c.log,
		Elsewhere: func(err error) { c.parts.Note(problem.Panel, err) },
		Status:    c.Status, Order: c.carryPanel, Visible: c.visible, Picture: c.peek,
		Saved: func() (map[string]scenes.Saved, error) {
			path, err := layouts.DefaultFile()
			if err != nil {
				return nil, err
			}
			return layouts.Load(path)
		},
	})
}

// panelAddresses are empty while no panel is served.
func (c *Companion) panelAddresses() []string {
	if c.panel == nil {
		return nil
	}
	return c.panel.Addresses()
}

// carryPanel carries an order out for the OBS that we are connected to, as `costream-obs peer` would with our settings.
func (c *Companion) carryPanel(ctx context.Context, order control.PeerOrder) (control.PeerAnswer, error) {
	if obs := c.obs.Load(); obs != nil {
		order.OBS = obs.Endpoint().Addr()
	}
	order.Source = scenes.Source{Name: c.o.SourceName, Settings: map[string]any{"device_id": c.o.VideoIn}}
	order.Layouts = c.o.Layouts
	return c.carryPeer(ctx, order)
}

// visible reports whether there is a picture. On a break the peer gets a card, and not what the scene for the peer shows.
func (c *Companion) visible(whose panel.Whose) bool {
	if c.call.Load() == nil {
		return false
	}
	if whose == panel.Sent {
		return c.breaks.why() == ""
	}
	return c.peer.Load()
}

// peek returns a small picture, nil where there is none to see.
func (c *Companion) peek(_ context.Context, whose panel.Whose) ([]byte, error) {
	if whose == panel.OfFriend {
		if picture := c.glance.look(time.Now()); picture != nil {
			return jpegOf(picture)
		}
		return nil, nil
	}
	call := c.call.Load()
	if call == nil {
		return nil, nil
	}
	frame, ok := call.Sent()
	if !ok {
		return nil, nil
	}
	return jpegOf(thumbnail(frame, glanceWidth))
}
