// SPDX-License-Identifier: Apache-2.0

package pulse

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"time"
)

// Sounding is what can be listened to.
type Sounding struct{ option string }

// OfSource is what a source records.
func OfSource(name string) Sounding { return Sounding{"--device=" + name} }

// OfSinkInput is what one stream plays, and nothing of what its sink plays beside it.
func OfSinkInput(index int) Sounding { return Sounding{"--monitor-stream=" + strconv.Itoa(index)} }

// Peak listens until ctx ends, and returns the loudest sample, of 0 to 1; it is exactly 0 for digital silence.
func (c Client) Peak(ctx context.Context, what Sounding) (float64, error) {
	keepFiles()
	cmd := exec.CommandContext(ctx, "parec", what.option, "--raw", "--format=s16le", "--rate=48000", "--channels=1",
		"--latency-msec=50", "--client-name=costream-obs listens")
	cmd.Env = c.environ()
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	switch {
	case ctx.Err() == nil && err != nil: // Its end is ours to choose.
		return 0, fmt.Errorf("parec: %w", err)
	case errors.Is(ctx.Err(), context.Canceled):
		return 0, ctx.Err()
	case len(out) < 2:
		return 0, fmt.Errorf("parec %s gave nothing", what.option)
	}
	peak := 0
	for i := 0; i+1 < len(out); i += 2 {
		sample := int(int16(binary.LittleEndian.Uint16(out[i:])))
		peak = max(peak, sample, -sample)
	}
	return float64(peak) / 32768, nil
}
