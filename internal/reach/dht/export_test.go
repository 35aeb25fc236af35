// SPDX-License-Identifier: Apache-2.0

package dht

import (
	"fmt"
	"slices"
	"strings"
)

// Snapshot is all that a client knows, for comparisons.
func (c *Client) Snapshot() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines []string
	for addr, k := range c.contacts {
		lines = append(lines, fmt.Sprint("contact ", addr, *k))
	}
	for transaction, q := range c.questions {
		lines = append(lines, fmt.Sprint("question ", transaction, q.to, q.kind, q.at, q.slow, q.repeated))
	}
	for target, t := range c.topics {
		lines = append(lines, fmt.Sprint("topic ", target, t.until, t.latest, t.seeded, t.turn))
		for f := range t.sides {
			for _, p := range t.sides[f].spots {
				lines = append(lines, fmt.Sprint("spot ", target, p.node, p.state, p.died, p.token, p.put, p.holds, p.tries))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(append(lines, fmt.Sprint(c.views, c.attempts, c.total, c.unknown)), "\n")
}

// Sizes are how much of each bounded thing there is.
func (c *Client) Sizes() (contacts, questions, spots, networks int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.topics {
		for f := range t.sides {
			spots = max(spots, len(t.sides[f].spots))
		}
	}
	return len(c.contacts), len(c.questions), spots, len(c.attempts.counts)
}

// The bounds, for tests.
const (
	MaxContacts  = maxContacts
	MaxQuestions = maxQuestions
	MaxSpots     = maxSpots
	MaxNetworks  = maxNetworks
)
