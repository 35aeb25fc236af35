// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api/requests/config"
)

// globalRealm is the store that all profiles share; the one per profile moves
// under our feet when the temporary profile is used.
const globalRealm = "OBS_WEBSOCKET_DATA_REALM_GLOBAL"

// PersistentData reads a slot of obs-websocket's own store and decodes its
// JSON into the value that into points to. found is false, and into is left
// alone, when the slot was never set or is null.
func (c *Client) PersistentData(ctx context.Context, slot string, into any) (found bool, err error) {
	r, err := call(ctx, c, "GetPersistentData", func(g *goobs.Client) (*config.GetPersistentDataResponse, error) {
		return g.Config.GetPersistentData(config.NewGetPersistentDataParams().WithRealm(globalRealm).WithSlotName(slot))
	})
	if err != nil {
		return false, err
	}
	var raw struct {
		SlotValue json.RawMessage `json:"slotValue"`
	}
	if err := json.Unmarshal(r.GetRaw(), &raw); err != nil {
		return false, fmt.Errorf("persistent data %q: %w", slot, err)
	}
	if len(raw.SlotValue) == 0 || bytes.Equal(raw.SlotValue, []byte("null")) {
		return false, nil
	}
	if err := json.Unmarshal(raw.SlotValue, into); err != nil {
		return false, fmt.Errorf("persistent data %q: %w", slot, err)
	}
	return true, nil
}

// SetPersistentData writes v as JSON into a slot; OBS saves it at once. A nil v
// empties the slot.
func (c *Client) SetPersistentData(ctx context.Context, slot string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("persistent data %q: %w", slot, err)
	}
	return do(ctx, c, "SetPersistentData", func(g *goobs.Client) (*config.SetPersistentDataResponse, error) {
		return g.Config.SetPersistentData(config.NewSetPersistentDataParams().
			WithRealm(globalRealm).WithSlotName(slot).WithSlotValue(json.RawMessage(raw)))
	})
}
