// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/pion/stun/v3"
)

// verdict is what a guard makes of a message of the server.
type verdict int

const (
	bad      verdict = iota // it is not the server's, or broken
	good                    // pion may have it
	mismatch                // the server does not know our lease any more
)

// questionLife is how long a question may be answered: longer than pion waits.
const questionLife = 15 * time.Second

// guard looks at each message before pion does. pion (turn v4.1.3) does not check that the server made a response, and
// does not tell when it refuses to renew a lease.
type guard struct {
	net.PacketConn
	user, password string

	mu    sync.Mutex
	realm string // of the server; empty before it has told
	code  stun.ErrorCode
	asked map[[stun.TransactionIDSize]byte]time.Time // questions that have no answer yet
}

func newGuard(conn net.PacketConn, s Server) *guard {
	return &guard{PacketConn: conn, user: s.User, password: s.Password, asked: map[[stun.TransactionIDSize]byte]time.Time{}}
}

// WriteTo implements net.PacketConn, and notes questions.
func (g *guard) WriteTo(b []byte, to net.Addr) (int, error) {
	if stun.IsMessage(b) && b[0]&1 == 0 && b[1]&0x10 == 0 {
		g.mu.Lock()
		now := time.Now()
		maps.DeleteFunc(g.asked, func(_ [stun.TransactionIDSize]byte, at time.Time) bool { return now.Sub(at) > questionLife })
		g.asked[[stun.TransactionIDSize]byte(b[8:20])] = now
		g.mu.Unlock()
	}
	return g.PacketConn.WriteTo(b, to)
}

// admit judges a message.
func (g *guard) admit(b []byte) verdict {
	if len(b) < 4 || len(b) > maxFrame {
		return bad
	}
	if b[0]>>6 == 1 && !stun.IsMessage(b) { // pion takes the cookie for more than these two bits
		return good // channel data, whose content the peers protect
	}
	m := &stun.Message{Raw: append([]byte(nil), b...)}
	if b[0]>>6 != 0 || !stun.IsMessage(b) || m.Decode() != nil || !readable(m) {
		return bad
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.Type.Class == stun.ClassIndication && m.Type.Method == stun.MethodData {
		return good
	}
	if _, asked := g.asked[m.TransactionID]; !asked {
		return bad
	}
	switch m.Type.Class {
	case stun.ClassErrorResponse:
		var code stun.ErrorCodeAttribute
		var realm stun.Realm
		if code.GetFrom(m) == nil { // pion's server sends none with some refusals
			g.code = code.Code
		}
		delete(g.asked, m.TransactionID)
		if g.realm == "" && realm.GetFrom(m) == nil {
			g.realm = realm.String()
		}
		// coturn says so only to whom it knows; others it asks for a password first.
		if m.Type.Method != stun.MethodAllocate && (code.Code == stun.CodeAllocMismatch || code.Code == stun.CodeUnauthorized) {
			return mismatch
		}
		return good
	case stun.ClassSuccessResponse:
		if m.Type.Method == stun.MethodBinding || stun.NewLongTermIntegrity(g.user, g.realm, g.password).Check(m) == nil {
			delete(g.asked, m.TransactionID)
			return good
		}
	}
	return bad
}

// minAddress is the least length of an attribute with an address, which is of IPv4 (RFC 8489, 14.2).
const minAddress = 8

// readable tells whether pion can read the addresses in a message: stun v3.1.1 panics where one is cut off.
func readable(m *stun.Message) bool {
	return !slices.ContainsFunc(m.Attributes, func(a stun.RawAttribute) bool {
		switch a.Type {
		case stun.AttrXORMappedAddress, stun.AttrXORPeerAddress, stun.AttrXORRelayedAddress:
			return len(a.Value) < minAddress
		}
		return false
	})
}

// explain says why there is no lease.
func (g *guard) explain(err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch g.code {
	case stun.CodeUnauthorized, stun.CodeForbidden, stun.CodeWrongCredentials, stun.CodeBadRequest: // as servers differ
		return ErrRefused
	case stun.CodeAllocQuotaReached, stun.CodeInsufficientCapacity:
		return ErrFull
	case 0:
		return err
	}
	return fmt.Errorf("error %d: %w", g.code, err)
}
