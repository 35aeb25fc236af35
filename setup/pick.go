// SPDX-License-Identifier: Apache-2.0

package setup

// PickVirtualCamera returns the node that OBS's virtual camera would open if
// it were started now, and false when it would find none. needsOutput is that
// of PairOptions; refusesSecondWriter is true for v4l2loopback 0.14 and later.
func PickVirtualCamera(nodes []VideoNode, needsOutput, refusesSecondWriter bool) (VideoNode, bool) {
	return pickVirtualCamera(nodes, needsOutput, refusesSecondWriter)
}
