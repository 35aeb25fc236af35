// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"

	"github.com/costream-obs/costream-obs/internal/reach"
)

// errNoReach says that nothing is known of the way to the peer.
var errNoReach = errors.New("it was started with the plain link, which looks for nobody; if you have paired since, stop it and start it again")

// keepReach runs what looks for the peer until life ends.
func (c *Companion) keepReach(life context.Context) {
	if c.o.Reach == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.o.Reach.Run(life)
	}()
	defer func() { <-done }()
	for {
		select {
		case <-life.Done():
			return
		case <-c.o.Reach.Changed():
			c.wakeUp()
		}
	}
}

// survey finds out what is not known yet of the way to the peer.
func (c *Companion) survey(ctx context.Context) (reach.State, error) {
	if c.o.Reach == nil {
		return reach.State{}, errNoReach
	}
	return c.o.Reach.Survey(ctx), nil
}

// way is what is known of it.
func (c *Companion) way() reach.State {
	if c.o.Reach == nil {
		return reach.State{}
	}
	return c.o.Reach.State()
}
