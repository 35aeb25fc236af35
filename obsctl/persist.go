// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api/requests/config"
)

// globalRealm is the store for all profiles. The store of one profile changes when the temporary profile is used.
const globalRealm = "OBS_WEBSOCKET_DATA_REALM_GLOBAL"

// PersistentData reads what SetPersistentData wrote into a slot of
// obs-websocket's own store and decodes it into the value that into points to.
// found is false, and into is left alone, when the slot is empty.
func (c *Client) PersistentData(ctx context.Context, slot string, into any) (found bool, err error) {
	r, err := call(ctx, c, "GetPersistentData", func(g *goobs.Client) (*config.GetPersistentDataResponse, error) {
		return g.Config.GetPersistentData(persistentDataParams(slot))
	})
	if err != nil {
		return false, err
	}
	return readPersistentData(r, slot, into)
}

func persistentDataParams(slot string) *config.GetPersistentDataParams {
	return config.NewGetPersistentDataParams().WithRealm(globalRealm).WithSlotName(slot)
}

func readPersistentData(r *config.GetPersistentDataResponse, slot string, into any) (found bool, err error) {
	switch stored := r.SlotValue.(type) {
	case nil:
		return false, nil
	case string:
		if stored == "" {
			return false, nil
		}
		if err := json.Unmarshal([]byte(stored), into); err != nil {
			return false, fmt.Errorf("persistent data %q: %w", slot, err)
		}
		return true, nil
	}
	return false, fmt.Errorf("persistent data %q: it contains something that costream-obs did not write", slot)
}

// SetPersistentData writes v as JSON into a slot; OBS saves it at once. A nil v
// empties the slot.
//
// The slot holds the JSON as a string of ASCII characters: obs-websocket
// refuses null (code 300) and reads its file in the character set of OBS's
// locale, so that under LANG=C "ü" comes back as "Ã¼" (both measured, 5.1.0).
func (c *Client) SetPersistentData(ctx context.Context, slot string, v any) error {
	p, err := setPersistentDataParams(slot, v)
	if err != nil {
		return err
	}
	return do(ctx, c, "SetPersistentData", func(g *goobs.Client) (*config.SetPersistentDataResponse, error) {
		return g.Config.SetPersistentData(p)
	})
}

func setPersistentDataParams(slot string, v any) (*config.SetPersistentDataParams, error) {
	text := ""
	if v != nil {
		encoded, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("persistent data %q: %w", slot, err)
		}
		text = asciiJSON(encoded)
	}
	return config.NewSetPersistentDataParams().WithRealm(globalRealm).WithSlotName(slot).WithSlotValue(text), nil
}

// asciiJSON writes the characters beyond ASCII, which in JSON stand only
// inside strings, as \u escapes.
func asciiJSON(encoded []byte) string {
	var b strings.Builder
	for _, r := range string(encoded) {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
	}
	return b.String()
}
