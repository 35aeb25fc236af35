// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"context"
	"strconv"
)

// SourceOutput is a stream that records from a source. OBS has one for each
// audio input of kind pulse_input_capture or pulse_output_capture (measured,
// 29.0.2).
type SourceOutput struct {
	Index      int
	Source     int // index of the source it records from
	Properties map[string]string
}

// PID is the process id of the program that records, or 0. Programs inside a
// sandbox may give the id they have in there.
func (s SourceOutput) PID() int {
	pid, _ := strconv.Atoi(s.Properties["application.process.id"])
	return pid
}

// SourceOutputs lists the recording streams.
func (p Pulse) SourceOutputs(ctx context.Context) ([]SourceOutput, error) {
	var nodes []struct {
		Index      int               `json:"index"`
		Source     int               `json:"source"`
		Properties map[string]string `json:"properties"`
	}
	if err := p.query(ctx, &nodes, "list", "source-outputs"); err != nil {
		return nil, err
	}
	outputs := make([]SourceOutput, len(nodes))
	for i, n := range nodes {
		outputs[i] = SourceOutput(n)
	}
	return outputs, nil
}
