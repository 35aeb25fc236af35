// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtcp"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
	"github.com/costream-obs/costream-obs/media/link/udp"
)

const patience = 10 * time.Second

// running is a Plain link that runs until stop is called or the test ends.
type running struct {
	*Plain
	stop func() error // waits for Run and returns its error
}

func run(t *testing.T, o PlainOptions) *running {
	t.Helper()
	p, err := NewPlain(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- p.Run(ctx) }()
	var err2 error
	stopped := false
	r := &running{Plain: p, stop: func() error {
		if !stopped {
			stopped = true
			cancel()
			select {
			case err2 = <-result:
			case <-time.After(patience):
				t.Fatal("Run did not return")
			}
		}
		return err2
	}}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

// noGoroutines fails at the end of the test when goroutines of links are left then. It must be called before any run.
func noGoroutines(t *testing.T) {
	t.Cleanup(func() {
		// A goroutine that is waited for may still take its last step.
		var left []string
		for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			if left = linkGoroutines(); len(left) == 0 || time.Now().After(deadline) {
				break
			}
		}
		for _, g := range left {
			t.Errorf("left behind:\n%s", g)
		}
	})
}

func linkGoroutines() (found []string) {
	ours := regexp.MustCompile(`media/link(/[a-z]+)?\.\(\*`)
	buf := make([]byte, 1<<20)
	for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(g, "pion/") || ours.MatchString(g) {
			found = append(found, g)
		}
	}
	return found
}

// loopbacks are the addresses of IPv4 and, where the machine has it, IPv6.
func loopbacks(t *testing.T) []string {
	all := []string{"127.0.0.1"}
	if c, err := net.ListenPacket("udp6", "[::1]:0"); err == nil {
		_ = c.Close()
		all = append(all, "::1")
	} else {
		t.Logf("without IPv6: %v", err)
	}
	return all
}

// TestPlainBothWays lets one link send to another and checks packets, reports and requests in both directions.
func TestPlainBothWays(t *testing.T) {
	for _, addr := range loopbacks(t) {
		t.Run(addr, func(t *testing.T) {
			noGoroutines(t)
			base := testbed.FreeUDPPorts(t, 8)
			type arrival struct {
				m      Medium
				s      Stream
				packet string
			}
			arrivals, ends := make(chan arrival, 100), make(chan Medium, 10)
			requests := make(chan struct{}, 10)
			sender := run(t, PlainOptions{Peer: addr, BasePort: base, Send: true, Handler: Handler{
				KeyFrameRequest: func() { requests <- struct{}{} },
			}})
			receiver := run(t, PlainOptions{Peer: addr, Listen: addr, BasePort: base, Receive: true, Handler: Handler{
				RTP: func(m Medium, s Stream, b []byte) { arrivals <- arrival{m, s, string(b)} },
				End: func(m Medium, _ Stream) { ends <- m },
			}})

			for i, m := range []Medium{Video, Audio} {
				p := linktest.Packet(t, uint32(100+i), 1, linktest.DeltaUnit)
				if err := sender.WriteRTP(m, p); err != nil {
					t.Fatal(err)
				}
				want := arrival{m, Stream{ID: 1, SSRC: uint32(100 + i)}, string(p)}
				if diff := cmp.Diff(want, receive(t, arrivals, "packet"), cmp.AllowUnexported(arrival{})); diff != "" {
					t.Errorf("%v packet differs (-want +got):\n%s", m, diff)
				}
			}
			receive(t, requests, "request for the missing key frame")

			number := uint16(2)
			testbed.Await(t, "reports both ways", patience, func() error {
				for i, m := range []Medium{Video, Audio} {
					if err := sender.WriteRTP(m, linktest.Packet(t, uint32(100+i), number, linktest.IDRUnit)); err != nil {
						return err
					}
					receive(t, arrivals, "packet")
				}
				number++
				s, r := sender.Stats(), receiver.Stats()
				for _, m := range []struct {
					sent SendStats
					got  ReceiveStats
				}{{s.Video.Send, r.Video.Receive}, {s.Audio.Send, r.Audio.Receive}} {
					if m.got.LastSenderReport.IsZero() || m.sent.LastReport.IsZero() || m.sent.RTT == 0 {
						return fmt.Errorf("sender report at %v, receiver report at %v, RTT %v",
							m.got.LastSenderReport, m.sent.LastReport, m.sent.RTT)
					}
				}
				return nil
			})
			s, r := sender.Stats(), receiver.Stats()
			if got, want := r.Video.Receive.Packets, s.Video.Send.Packets; got != want {
				t.Errorf("got %d packets, want the %d that were sent", got, want)
			}
			if got, want := r.Audio.Receive.Bytes, s.Audio.Send.Bytes; got != want {
				t.Errorf("got %d bytes, want the %d that were sent", got, want)
			}
			if s.Video.Send.RTT > time.Second || s.Video.Send.RemoteLost != 0 {
				t.Errorf("got RTT %v and %d lost on loopback", s.Video.Send.RTT, s.Video.Send.RemoteLost)
			}

			if err := sender.stop(); err != nil {
				t.Error(err)
			}
			for range 2 {
				receive(t, ends, "end of the stream by goodbye, not by silence")
			}
		})
	}
}

func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s within %v", what, patience)
		panic("not reached")
	}
}

// wire is the peer's side of the network, without a link.
type wire struct {
	conn    *net.UDPConn
	packets chan []byte
}

func newWire(t *testing.T, port int) *wire {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{conn, make(chan []byte, 10000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			buf := make([]byte, 1<<16)
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			w.packets <- buf[:n]
		}
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return w
}

// TestPlainSilence checks what is on the wire at the end: a goodbye, and then nothing whatever is still written, also by
// writers that are in the midst of it.
func TestPlainSilence(t *testing.T) {
	noGoroutines(t)
	base := testbed.FreeUDPPorts(t, 8)
	packets, reports := newWire(t, base), newWire(t, base+1)
	link := run(t, PlainOptions{Peer: "127.0.0.1", BasePort: base, Send: true})

	writers := make(chan error, 4)
	for range cap(writers) {
		go func() {
			for number := uint16(0); ; number++ {
				if err := link.WriteRTP(Video, linktest.Packet(t, 1, number, linktest.DeltaUnit)); err != nil {
					writers <- err
					return
				}
				time.Sleep(100 * time.Microsecond)
			}
		}()
	}
	receive(t, packets.packets, "packet")
	if err := link.stop(); err != nil {
		t.Error(err)
	}
	for range cap(writers) {
		if err := receive(t, writers, "error of WriteRTP"); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
	// A datagram of our own is behind all of the link's.
	mark, err := net.Dial("udp4", packets.conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mark.Close() }()
	if _, err := mark.Write([]byte("end")); err != nil {
		t.Fatal(err)
	}
	for {
		if p := receive(t, packets.packets, "mark"); string(p) == "end" {
			break
		}
	}

	last, err := rtcp.Unmarshal(receive(t, reports.packets, "goodbye"))
	for err == nil && len(reports.packets) > 0 {
		last, err = rtcp.Unmarshal(<-reports.packets)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := &rtcp.Goodbye{Sources: []uint32{1}}
	if diff := cmp.Diff(want, last[len(last)-1]); diff != "" {
		t.Errorf("the last report is no goodbye (-want +got):\n%s", diff)
	}
	if err := link.Run(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("second Run: got %v, want ErrClosed", err)
	}
	if err := link.WriteRTP(Video, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("WriteRTP afterwards: got %v, want ErrClosed", err)
	}
}

// TestPlainReceiverOnly checks a link that cannot send, and that it never sends where nothing comes in.
func TestPlainReceiverOnly(t *testing.T) {
	noGoroutines(t)
	base := testbed.FreeUDPPorts(t, 8)
	reports := newWire(t, base+5)
	link := run(t, PlainOptions{Peer: "127.0.0.1", BasePort: base, Receive: true})
	if err := link.WriteRTP(Video, linktest.Packet(t, 1, 1, nil)); !errors.Is(err, ErrNotSending) {
		t.Errorf("got %v, want ErrNotSending", err)
	}
	link.RequestKeyFrame()
	if err := link.stop(); err != nil {
		t.Error(err)
	}
	if got := len(reports.packets); got != 0 {
		t.Errorf("got %d datagrams, want none", got)
	}
}

// TestPlainStranger sends from elsewhere while the peer is alive.
func TestPlainStranger(t *testing.T) {
	noGoroutines(t)
	base := testbed.FreeUDPPorts(t, 8)
	arrivals := make(chan uint32, 100)
	link := run(t, PlainOptions{Peer: "127.0.0.1", BasePort: base, Receive: true, Handler: Handler{
		RTP: func(_ Medium, s Stream, _ []byte) { arrivals <- s.SSRC },
	}})
	to := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: base}
	dial := func(from string) *net.UDPConn {
		conn, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0)), to)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	stranger, peer := dial("127.66.0.6"), dial("127.0.0.1")
	send := func(conn *net.UDPConn, ssrc uint32, number uint16) {
		if _, err := conn.Write(linktest.Packet(t, ssrc, number, linktest.DeltaUnit)); err != nil {
			t.Fatal(err)
		}
	}
	send(stranger, 666, 1)
	if got := receive(t, arrivals, "packet"); got != 666 {
		t.Errorf("while the peer is silent: got SSRC %d, want 666", got)
	}
	for number := range uint16(20) {
		send(peer, 1, number)
		send(stranger, 666, number+2)
	}
	for range 20 {
		if got := receive(t, arrivals, "packet"); got != 1 {
			t.Fatalf("with the peer there: got SSRC %d, want 1", got)
		}
	}
	testbed.Await(t, "all of the stranger's packets to be ignored", patience, func() error {
		if got := link.Stats().Video.Receive.Ignored; got != 20 {
			return fmt.Errorf("got %d, want 20", got)
		}
		return nil
	})
}

// TestPlainSlowNetwork fills the queue while nothing runs that would empty it.
func TestPlainSlowNetwork(t *testing.T) {
	p, err := NewPlain(PlainOptions{Peer: "127.0.0.1", BasePort: testbed.FreeUDPPorts(t, 8), Send: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	const extra = 10
	for number := range uint16(udp.QueueLength + extra) {
		if err := p.WriteRTP(Video, linktest.Packet(t, 1, number, linktest.DeltaUnit)); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.Stats().Video.Send.Dropped; got != extra {
		t.Errorf("got %d dropped, want %d", got, extra)
	}
	if got := p.Stats().Audio.Send.Dropped; got != 0 {
		t.Errorf("sound: got %d dropped, want none", got)
	}
}

// TestPlainSocketDies takes a socket away from under the link.
func TestPlainSocketDies(t *testing.T) {
	noGoroutines(t)
	p, err := NewPlain(PlainOptions{Peer: "127.0.0.1", BasePort: testbed.FreeUDPPorts(t, 8), Send: true, Receive: true})
	if err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() { result <- p.Run(context.Background()) }()
	_ = p.conns[0].Close()
	if err := receive(t, result, "error"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
}
