// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/layouts"
	"github.com/costream-obs/costream-obs/internal/panel"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
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

const (
	panelWidth   = 240
	panelQuality = 60
	// peekIdle is how long the connection for the panel's pictures lasts after the last of them.
	peekIdle = 5 * time.Second
)

// newPanel is the panel of this companion.
func (c *Companion) newPanel() *panel.Server {
	return panel.New(panel.Options{
		StateDir: c.o.StateDir, Listen: c.o.Panel.Listen, Repairs: c.o.Panel.Repairs, Serves: c.o.Panel.Serves, Log: c.log,
		Status: c.Status, Order: c.carryPanel, Visible: c.visible, Picture: c.peek,
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

// peeks takes the panel's small pictures, on a connection of its own: screenshots would delay all other requests.
type peeks struct {
	mu    sync.Mutex
	shots *obsctl.Screenshots // nil while nobody looks
	end   *time.Timer
}

// visible reports whether there is a picture. On a break the peer gets a card, and not what the scene for the peer shows.
func (c *Companion) visible(whose panel.Whose) bool {
	if c.call.Load() == nil {
		return false
	}
	if whose == panel.Sent {
		return c.breaks.why() == ""
	}
	return c.peer.Load() && *c.peerInput.Load() != ""
}

// peek takes a small picture, nil where there is none to see.
func (c *Companion) peek(ctx context.Context, whose panel.Whose) ([]byte, error) {
	obs, a := c.obs.Load(), c.call.Load()
	if obs == nil || a == nil || !c.visible(whose) {
		return nil, nil
	}
	source, size := obsctl.SourceID{Name: *c.peerInput.Load()}, a.canvas
	if whose == panel.Sent {
		source, size = a.sent(), a.frame
	}
	if source == (obsctl.SourceID{}) || size.W == 0 {
		return nil, nil
	}
	c.peeks.mu.Lock()
	defer c.peeks.mu.Unlock()
	if c.peeks.shots == nil {
		shots, err := obsctl.DialScreenshots(ctx, obs.Endpoint(), obsctl.Options{Log: c.log})
		if err != nil {
			return nil, err
		}
		c.peeks.shots = shots
		c.peeks.end = time.AfterFunc(peekIdle, c.peeks.close)
	}
	c.peeks.end.Reset(peekIdle)
	data, err := c.peeks.shots.ScreenshotOf(ctx, source, panelWidth, max(8, panelWidth*size.H/size.W), "jpg", panelQuality)
	if refused := (*obsctl.RequestError)(nil); err != nil && !errors.As(err, &refused) {
		c.peeks.drop()
	}
	return data, err
}

// close ends the connection.
func (p *peeks) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}

func (p *peeks) drop() {
	if p.shots != nil {
		p.end.Stop()
		_ = p.shots.Close()
		p.shots = nil
	}
}

// views is what the panel's pictures of a call show.
type views struct {
	sent          func() obsctl.SourceID // the scene that the peer gets
	canvas, frame media.VideoFormat
}
