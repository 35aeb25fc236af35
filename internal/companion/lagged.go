// SPDX-License-Identifier: Apache-2.0

package companion

import "sync"

// lagged counts the frames that OBS missed due to rendering lag in one time on air. OBS counts them from its start, or from
// when the user resets its statistics. The methods may be called from any goroutine.
type lagged struct {
	mu    sync.Mutex
	known bool
	last  int // that OBS told
	count int
}

// begin begins a time on air.
func (l *lagged) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known, l.count = false, 0
}

// told takes OBS's count.
func (l *lagged) told(total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.known:
	case total >= l.last:
		l.count += total - l.last
	default:
		l.count += total // OBS has begun to count again.
	}
	l.known, l.last = true, total
}

// since returns how many frames OBS missed since begin, and whether that is known.
func (l *lagged) since() (int, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count, l.known
}
