// SPDX-License-Identifier: Apache-2.0

package relay

import "time"

// parcel is a datagram on its way.
type parcel struct {
	at        time.Time
	order     uint64 // breaks ties, so that what came first leaves first
	port      *port
	direction Direction
	bytes     []byte
}

// schedule is a heap of parcels, the next one first.
type schedule []parcel

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	if s[i].at.Equal(s[j].at) {
		return s[i].order < s[j].order
	}
	return s[i].at.Before(s[j].at)
}
func (s schedule) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *schedule) Push(x any)   { *s = append(*s, x.(parcel)) }
func (s *schedule) Pop() any {
	old := *s
	last := old[len(old)-1]
	old[len(old)-1] = parcel{}
	*s = old[:len(old)-1]
	return last
}
