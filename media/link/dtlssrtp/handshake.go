// SPDX-License-Identifier: Apache-2.0

package link

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/elliptic"
	"github.com/pion/logging"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v4/packetio"
)

const (
	// handshakeTimeout bounds one handshake; the next one begins with nothing left of it.
	handshakeTimeout = 5 * time.Second

	// flightInterval is the time after which lost handshake messages are sent again.
	flightInterval = 150 * time.Millisecond

	// maxHandshakeQueue bounds the datagrams that wait for the handshake, and maxUnencrypted those that it takes in all
	// before they are encrypted. A handshake has about ten.
	maxHandshakeQueue = 64
	maxUnencrypted    = 100
)

var errWrongCertificate = errors.New("link: the peer's certificate is not the one of the pairing")

// startDTLS does the handshake over a pipe and returns the connection with what it agreed on.
func startDTLS(ctx context.Context, id *Identity, p *pipe) (*dtls.Conn, *session, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	shared := []dtls.Option{
		dtls.WithCertificates(id.Certificate),
		dtls.WithCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
		dtls.WithSignatureSchemes(tls.Ed25519),
		dtls.WithEllipticCurves(elliptic.X25519),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithFlightInterval(flightInterval),
		// No authority signs these certificates: the pairing says which one is right.
		dtls.WithInsecureSkipVerify(true),
		dtls.WithVerifyPeerCertificate(func(raw [][]byte, _ [][]*x509.Certificate) error { return id.checkPeer(raw) }),
		dtls.WithLoggerFactory(&logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}),
	}
	var conn *dtls.Conn
	var err error
	if id.Caller {
		var options []dtls.ClientOption
		for _, o := range shared {
			options = append(options, o)
		}
		conn, err = dtls.ClientWithOptions(p, p.RemoteAddr(), options...)
	} else {
		options := []dtls.ServerOption{
			dtls.WithClientAuth(dtls.RequireAnyClientCert),
			// Its cookie would prove what the checks have proved already: that the peer is where it says.
			dtls.WithInsecureSkipVerifyHello(true),
		}
		for _, o := range shared {
			options = append(options, o)
		}
		conn, err = dtls.ServerWithOptions(p, p.RemoteAddr(), options...)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("link: DTLS: %w", err)
	}
	s, err := agree(ctx, id, conn)
	if err != nil {
		_ = conn.Close()
		return nil, nil, fmt.Errorf("link: DTLS: %w", err)
	}
	return conn, s, nil
}

// agree does the handshake and takes the keys from it.
func agree(ctx context.Context, id *Identity, conn *dtls.Conn) (*session, error) {
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return nil, errors.New("no connection state")
	}
	// The handshake has checked this; all depends on it.
	if err := id.checkPeer(state.PeerCertificates); err != nil {
		return nil, err
	}
	if profile, ok := conn.SelectedSRTPProtectionProfile(); !ok || profile != dtls.SRTP_AEAD_AES_128_GCM {
		return nil, errors.New("no agreement on the encryption of media")
	}
	config := srtp.Config{Profile: srtp.ProtectionProfileAeadAes128Gcm}
	if err := config.ExtractSessionKeysFromDTLS(&state, id.Caller); err != nil {
		return nil, err
	}
	return newSession(config.Keys)
}

// checkPeer compares the peer's certificate with the one of the pairing.
func (id *Identity) checkPeer(raw [][]byte) error {
	if len(raw) != 1 || !bytes.Equal(raw[0], id.PeerCertificate) {
		return errWrongCertificate
	}
	return nil
}

// pipe is the network of one DTLS connection: datagrams come in from the link's socket and leave by send.
type pipe struct {
	*packetio.Buffer
	send func([]byte)

	mu          sync.Mutex
	unencrypted int       // datagrams that came in
	sealed      time.Time // when the handshake was over; zero before
	last        []byte    // what we sent last in the handshake, which is one datagram for the one who answers
	repeated    time.Time // when that was sent again
}

func newPipe(send func([]byte)) *pipe {
	p := &pipe{Buffer: packetio.NewBuffer(), send: send}
	p.SetLimitCount(maxHandshakeQueue)
	return p
}

// seal ends the time of unencrypted datagrams.
func (p *pipe) seal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sealed = time.Now()
}

// admit tells whether an unencrypted datagram of the handshake may pass. After the handshake none does, but then it may
// tell that our last one was lost, which is sent again.
func (p *pipe) admit() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sealed.IsZero() {
		p.unencrypted++
		return p.unencrypted <= maxUnencrypted
	}
	if now := time.Now(); now.Sub(p.sealed) < handshakeTimeout && now.Sub(p.repeated) > flightInterval {
		p.repeated = now
		p.send(p.last)
	}
	return false
}

// Records of DTLS as their first bytes tell them (RFC 6347, 4.1).
const (
	recordCipherSpec = 20
	recordAlert      = 21
	recordHandshake  = 22
	recordHeader     = 13
)

// put takes a datagram of the peer, or of somebody else, and tells whether it passed it on. In pion (v3.1.2) anybody's
// unencrypted alerts and handshake messages can end an established connection, and so can a change of cipher that claims
// to be encrypted; nonsense is answered with an alert that ends it at the peer; each handshake message that fits is kept.
// None of these pass.
func (p *pipe) put(datagram []byte) bool {
	plain := false
	for rest := datagram; len(rest) > 0; {
		if len(rest) < recordHeader {
			return false
		}
		size := recordHeader + (int(rest[11])<<8 | int(rest[12]))
		if size > len(rest) {
			return false
		}
		switch epoch := int(rest[3])<<8 | int(rest[4]); {
		case epoch == 1 && (rest[0] == recordHandshake || rest[0] == recordAlert):
		case epoch == 0 && (rest[0] == recordHandshake || rest[0] == recordCipherSpec && size == recordHeader+1 && rest[recordHeader] == 1):
			plain = true
		default:
			return false
		}
		rest = rest[size:]
	}
	if plain && !p.admit() {
		return false
	}
	_, err := p.Write(datagram) // a full or closed one drops it, like the network
	return err == nil
}

// ReadFrom implements net.PacketConn.
func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := p.Read(b)
	return n, p.RemoteAddr(), err
}

// WriteTo implements net.PacketConn.
func (p *pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	p.mu.Lock()
	if p.sealed.IsZero() {
		p.last = append(p.last[:0], b...)
	}
	p.mu.Unlock()
	p.send(b)
	return len(b), nil
}

// RemoteAddr stands for the peer wherever it is.
func (p *pipe) RemoteAddr() net.Addr { return pipeAddr{} }

// LocalAddr implements net.PacketConn.
func (p *pipe) LocalAddr() net.Addr { return pipeAddr{} }

// SetDeadline implements net.PacketConn.
func (p *pipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn. Writing never blocks.
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "udp" }
func (pipeAddr) String() string  { return "peer" }
