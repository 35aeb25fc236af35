// SPDX-License-Identifier: Apache-2.0

package dtlssrtp

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/elliptic"
	"github.com/pion/logging"
	"github.com/pion/srtp/v3"
)

var errWrongCertificate = errors.New("link: the peer's certificate is not the one of the pairing")

// Identity is what one side needs to prove in a handshake who it is and to know the other. It holds secrets.
type Identity struct {
	Client          bool            // begins the handshake; the other side is the server
	Certificate     tls.Certificate // ours, with an Ed25519 key
	PeerCertificate []byte          // the only one that is accepted of the peer, in DER
}

// String keeps the secrets out of logs.
func (Identity) String() string { return "[identity]" }

// GoString does too.
func (Identity) GoString() string { return "[identity]" }

// Handshake does the handshake over a pipe and returns the connection with what it agreed on. It takes 5 s at most.
func Handshake(ctx context.Context, id *Identity, p *Pipe) (*dtls.Conn, *Session, error) {
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
	if id.Client {
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
func agree(ctx context.Context, id *Identity, conn *dtls.Conn) (*Session, error) {
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
	if err := config.ExtractSessionKeysFromDTLS(&state, id.Client); err != nil {
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

// Drain reads what nobody should send, so that alerts are seen. The channel is closed when the connection is over.
func Drain(conn *dtls.Conn) <-chan struct{} {
	over := make(chan struct{})
	go func() {
		defer close(over)
		buf := make([]byte, 1<<14)
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
		}
	}()
	return over
}
