// SPDX-License-Identifier: Apache-2.0

package dtlssrtp

import (
	"encoding/binary"
	"sync"

	"github.com/pion/srtp/v3"
)

const (
	// Overhead is what encryption adds to an RTP packet, in bytes.
	Overhead = 16

	// Sizes of headers without what may follow them (RFC 3550, 5.1 and 6.4.1), in bytes.
	rtpHeaderSize  = 12
	rtcpHeaderSize = 8

	// replayWindow is how far back packets are told from repeated ones.
	replayWindow = 1024

	// maxStrangers is how many unknown SSRCs are tried before what pion keeps of each is thrown away.
	maxStrangers = 64
)

// Session encrypts and decrypts RTP and RTCP with the keys of one DTLS handshake. Safe for concurrent use.
type Session struct {
	mu     sync.Mutex // for sending
	out    *srtp.Context
	packed []byte

	readMu    sync.Mutex // for receiving
	keys      srtp.SessionKeys
	in        *srtp.Context
	knownRTP  map[uint32]bool // SSRCs that the peer has used
	knownRTCP map[uint32]bool
	trial     *srtp.Context // for all others
	strangers int
	clear     []byte
}

func newSession(keys srtp.SessionKeys) (*Session, error) {
	out, err := srtp.CreateContext(keys.LocalMasterKey, keys.LocalMasterSalt, srtp.ProtectionProfileAeadAes128Gcm)
	if err != nil {
		return nil, err
	}
	s := &Session{out: out, keys: keys, knownRTP: map[uint32]bool{}, knownRTCP: map[uint32]bool{}}
	if s.in, err = s.newContext(); err != nil {
		return nil, err
	}
	if s.trial, err = s.newContext(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Session) newContext() (*srtp.Context, error) {
	return srtp.CreateContext(s.keys.RemoteMasterKey, s.keys.RemoteMasterSalt, srtp.ProtectionProfileAeadAes128Gcm,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
}

// SealRTP encrypts a packet and passes it on. The result is valid only during the call.
func (s *Session) SealRTP(packet []byte, send func([]byte)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.out.EncryptRTP(s.packed, packet, nil)
	return s.pass(b, err, send)
}

// SealRTCP does the same for a compound packet.
func (s *Session) SealRTCP(packet []byte, send func([]byte)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.out.EncryptRTCP(s.packed, packet, nil)
	return s.pass(b, err, send)
}

func (s *Session) pass(b []byte, err error, send func([]byte)) error {
	if err != nil {
		return err
	}
	s.packed = b[:0]
	send(b)
	return nil
}

// OpenRTP decrypts a packet and tells whether the peer made it, and it comes for the first time. The result is valid
// until the next call.
func (s *Session) OpenRTP(packet []byte) ([]byte, bool) {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if len(packet) < rtpHeaderSize {
		return nil, false
	}
	if ssrc := binary.BigEndian.Uint32(packet[8:]); !s.knownRTP[ssrc] && !s.meetRTP(ssrc, packet) {
		return nil, false
	}
	b, err := s.in.DecryptRTP(s.clear[:0], packet, nil)
	return s.kept(b, err)
}

// meetRTP tries a packet of an SSRC that is not known yet. pion remembers each SSRC that it is shown, forged or not
// (v3.0.10), so the context for the known ones must not see it before it has proved genuine.
func (s *Session) meetRTP(ssrc uint32, packet []byte) bool {
	if !s.meet() {
		return false
	}
	// The first packets may be lost, and with them the moment at which the sequence numbers began anew.
	for _, rollover := range []uint32{0, 1} {
		s.trial.SetROC(ssrc, rollover)
		if _, err := s.trial.DecryptRTP(nil, packet, nil); err == nil {
			s.knownRTP[ssrc] = true
			s.in.SetROC(ssrc, rollover)
			return true
		}
	}
	return false
}

// OpenRTCP does for a compound packet what OpenRTP does for a packet.
func (s *Session) OpenRTCP(packet []byte) ([]byte, bool) {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if len(packet) < rtcpHeaderSize {
		return nil, false
	}
	if ssrc := binary.BigEndian.Uint32(packet[4:]); !s.knownRTCP[ssrc] {
		if !s.meet() {
			return nil, false
		}
		if _, err := s.trial.DecryptRTCP(nil, packet, nil); err != nil {
			return nil, false
		}
		s.knownRTCP[ssrc] = true
	}
	b, err := s.in.DecryptRTCP(s.clear[:0], packet, nil)
	return s.kept(b, err)
}

// meet makes the context for unknown SSRCs ready to see another one.
func (s *Session) meet() bool {
	if s.strangers++; s.strangers < maxStrangers {
		return true
	}
	s.strangers = 0
	var err error
	s.trial, err = s.newContext()
	return err == nil
}

func (s *Session) kept(b []byte, err error) ([]byte, bool) {
	if err != nil {
		return nil, false
	}
	s.clear = b[:0]
	return b, true
}
