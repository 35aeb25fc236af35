// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api/requests/canvases"
)

// Canvas is one of the canvases that OBS 31.1 and later can have.
type Canvas struct {
	Name, UUID string
	Main       bool // the one that viewers see and whose scenes are in the user's list
	W, H       int
}

// Canvases lists OBS's canvases. Only OBS 32.1 and later know the request.
func (c *Client) Canvases(ctx context.Context) ([]Canvas, error) {
	r, err := call(ctx, c, "GetCanvasList", func(g *goobs.Client) (*canvases.GetCanvasListResponse, error) {
		return g.Canvases.GetCanvasList()
	})
	if err != nil {
		return nil, err
	}
	// goobs knows no form for them.
	text, err := json.Marshal(r.Canvases)
	if err != nil {
		return nil, fmt.Errorf("GetCanvasList: %w", err)
	}
	var list []struct {
		CanvasName, CanvasUUID string
		CanvasFlags            struct{ Main bool }
		CanvasVideoSettings    struct{ BaseWidth, BaseHeight int }
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("GetCanvasList: %w", err)
	}
	all := make([]Canvas, 0, len(list))
	for _, l := range list {
		all = append(all, Canvas{
			Name: l.CanvasName, UUID: l.CanvasUUID, Main: l.CanvasFlags.Main,
			W: l.CanvasVideoSettings.BaseWidth, H: l.CanvasVideoSettings.BaseHeight,
		})
	}
	return all, nil
}
