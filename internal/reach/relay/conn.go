// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// maxFrame is the longest message of the server that we read: a datagram of an Ethernet with what TURN puts around it is
// much shorter.
const maxFrame = 4096

// writeTimeout bounds how long a TCP connection may take nothing.
const writeTimeout = 2 * time.Second

// dial opens a connection to the server, over which whole TURN messages go.
func dial(ctx context.Context, s Server, over Transport) (net.PacketConn, error) {
	var d net.Dialer
	if over == UDP {
		c, err := d.DialContext(ctx, "udp", s.String())
		if err != nil {
			return nil, err
		}
		return &packets{c}, nil
	}
	c, err := d.DialContext(ctx, "tcp", s.String())
	if err != nil {
		return nil, err
	}
	if over == TLS {
		t := tls.Client(c, &tls.Config{ServerName: s.Host, InsecureSkipVerify: !s.Verify, MinVersion: tls.VersionTLS12})
		if err := t.HandshakeContext(ctx); err != nil {
			_ = c.Close()
			return nil, err
		}
		c = t
	}
	return &stream{Conn: c, in: bufio.NewReaderSize(c, maxFrame)}, nil
}

// packets is a UDP socket that is connected to the server, so that the kernel drops what comes from others.
type packets struct{ net.Conn }

// ReadFrom implements net.PacketConn.
func (p *packets) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := p.Read(b)
	return n, p.RemoteAddr(), err
}

// WriteTo implements net.PacketConn; there is only one place to write to.
func (p *packets) WriteTo(b []byte, _ net.Addr) (int, error) { return p.Write(b) }

// stream cuts a TCP or TLS connection into the messages of TURN (RFC 8656, 12.5). pion's STUNConn (turn v4.1.3) does so,
// too, but an overflow of the length in it can be made to turn without end.
type stream struct {
	net.Conn
	in  *bufio.Reader
	out sync.Mutex
}

var errFrame = errors.New("the server sent something that is not TURN")

// ReadFrom implements net.PacketConn.
func (s *stream) ReadFrom(b []byte) (int, net.Addr, error) {
	header, err := s.in.Peek(4)
	if err != nil {
		return 0, nil, err
	}
	size := int(binary.BigEndian.Uint16(header[2:]))
	padding := 0
	switch header[0] >> 6 {
	case 0: // STUN
		size += 20
	case 1: // channel data, which is padded on a stream
		size += 4
		padding = -size & 3
	default:
		return 0, nil, errFrame
	}
	if size > len(b) || size > maxFrame {
		return 0, nil, errFrame
	}
	if _, err := io.ReadFull(s.in, b[:size]); err != nil {
		return 0, nil, err
	}
	if _, err := s.in.Discard(padding); err != nil {
		return 0, nil, err
	}
	return size, s.RemoteAddr(), nil
}

// WriteTo implements net.PacketConn. A connection that takes nothing any more is closed: half a message cannot be taken back.
func (s *stream) WriteTo(b []byte, _ net.Addr) (int, error) {
	s.out.Lock()
	defer s.out.Unlock()
	_ = s.SetWriteDeadline(time.Now().Add(writeTimeout))
	n, err := s.Write(b)
	if err != nil {
		_ = s.Close()
	}
	return n, err
}
