// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"errors"
	"fmt"
	"sync"

	"github.com/pion/stun/v3"
)

// verdict is what a guard makes of a message of the server.
type verdict int

const (
	bad      verdict = iota // it is not the server's, or broken
	good                    // pion may have it
	mismatch                // the server does not know our lease any more
)

// guard looks at each message before pion does. pion (turn v4.1.3) does not check that the server made a response, and
// does not tell when it refuses to renew a lease.
type guard struct {
	user, password string

	mu    sync.Mutex
	realm string // of the server; empty before it has told
	code  stun.ErrorCode
}

func newGuard(s Server) *guard { return &guard{user: s.User, password: s.Password} }

// admit judges a message.
func (g *guard) admit(b []byte) verdict {
	if len(b) < 4 || len(b) > maxFrame {
		return bad
	}
	if b[0]>>6 == 1 {
		return good // channel data, whose content the peers protect
	}
	m := &stun.Message{Raw: append([]byte(nil), b...)}
	if !stun.IsMessage(b) || m.Decode() != nil {
		return bad
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch m.Type.Class {
	case stun.ClassIndication:
		if m.Type.Method == stun.MethodData {
			return good
		}
	case stun.ClassErrorResponse:
		var code stun.ErrorCodeAttribute
		var realm stun.Realm
		if code.GetFrom(m) != nil {
			return bad
		}
		g.code = code.Code
		if g.realm == "" && realm.GetFrom(m) == nil {
			g.realm = realm.String()
		}
		if code.Code == stun.CodeAllocMismatch && m.Type.Method != stun.MethodAllocate {
			return mismatch
		}
		return good
	case stun.ClassSuccessResponse:
		if m.Type.Method == stun.MethodBinding || stun.NewLongTermIntegrity(g.user, g.realm, g.password).Check(m) == nil {
			return good
		}
	}
	return bad
}

// explain says why there is no lease.
func (g *guard) explain(err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch g.code {
	case stun.CodeUnauthorized, stun.CodeForbidden:
		return ErrRefused
	case stun.CodeAllocQuotaReached, stun.CodeInsufficientCapacity:
		return ErrFull
	case 0:
		return err
	}
	return errors.Join(err, fmt.Errorf("error %d of the relay", g.code))
}
