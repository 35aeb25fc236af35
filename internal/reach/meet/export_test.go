// SPDX-License-Identifier: Apache-2.0

package meet

// Start begins without a goroutine, for a simulated clock.
func (m *Meeting) Start() { m.start() }

// Stop ends what Start began.
func (m *Meeting) Stop() { m.stop() }
