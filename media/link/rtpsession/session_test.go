// SPDX-License-Identifier: Apache-2.0

package rtpsession

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
	"github.com/costream-obs/costream-obs/media/link/repair"
)

func control(t testing.TB, packets ...rtcp.Packet) []byte {
	t.Helper()
	b, err := rtcp.Marshal(packets)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// testSender is a sender whose output is kept.
type testSender struct {
	*Sender
	*linktest.Clock
	packets [][]byte
	control [][]byte
	keys    int
}

func newTestSender(t testing.TB, m Medium) *testSender {
	t.Helper()
	ts := &testSender{Clock: linktest.NewClock()}
	s, err := NewSender(SenderOptions{
		Medium: m, CNAME: "cname", Now: ts.Now, KeyFrameRequest: func() { ts.keys++ },
		SendRTP: func(h *rtp.Header, payload []byte) {
			b, err := h.Marshal()
			if err != nil {
				t.Error(err)
			}
			ts.packets = append(ts.packets, append(b, payload...))
		},
		SendRTCP: func(b []byte) { ts.control = append(ts.control, b) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ts.Sender = s
	return ts
}

func (ts *testSender) write(t testing.TB, packet []byte) {
	t.Helper()
	if err := ts.WriteRTP(packet); err != nil {
		t.Fatal(err)
	}
}

func TestSenderPacketsUnchanged(t *testing.T) {
	plain := linktest.Packet(t, 1, 2, []byte("payload"))
	csrc := append([]byte{0x82, 0xe0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1, 9, 9, 9, 9, 8, 8, 8, 8}, "payload"...)
	padded := append([]byte{0xa0, 0x60, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1}, 'p', 0, 0, 3)
	oneByte := append([]byte{0x90, 0x60, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0xbe, 0xde, 0, 1, 0x10, 7, 0, 0}, "payload"...)
	for i, p := range [][]byte{plain, csrc, padded, oneByte, plain[:12]} {
		s := newTestSender(t, Video)
		s.write(t, p)
		if diff := cmp.Diff([][]byte{p}, s.packets); diff != "" {
			t.Errorf("packet %d changed on its way (-want +got):\n%s", i, diff)
		}
	}
}

func TestSenderRefuses(t *testing.T) {
	s := newTestSender(t, Video)
	for _, p := range [][]byte{nil, {0x80}, make([]byte, 20)} {
		if err := s.WriteRTP(p); err == nil {
			t.Errorf("% x: got no error, want one", p)
		}
	}
	if len(s.packets) != 0 {
		t.Errorf("got %d packets on the wire, want none", len(s.packets))
	}
}

func TestSenderReports(t *testing.T) {
	s := newTestSender(t, Video)
	report := []rtcp.Packet{&rtcp.SenderReport{SSRC: 1}}
	count := func() int {
		s.control = nil
		if _, err := s.writeRTCP(report, nil); err != nil {
			t.Fatal(err)
		}
		return len(s.control)
	}
	if got := count(); got != 0 {
		t.Errorf("before the first packet: got %d reports, want none", got)
	}
	s.write(t, linktest.Packet(t, 1, 1, nil))
	s.Pass(idleAfter)
	if got := count(); got != 1 {
		t.Errorf("while sending: got %d reports, want 1", got)
	}
	s.Pass(1)
	if got := count(); got != 0 {
		t.Errorf("off air: got %d reports, want none", got)
	}
}

func TestSenderNewSSRC(t *testing.T) {
	s := newTestSender(t, Video)
	s.write(t, linktest.Packet(t, 1, 1, nil))
	s.ReadRTCP(control(t, &rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: 1, TotalLost: 5}}}))
	s.write(t, linktest.Packet(t, 2, 1, nil))
	if len(s.control) != 1 {
		t.Fatalf("got %d RTCP datagrams, want 1", len(s.control))
	}
	packets, err := rtcp.Unmarshal(s.control[0])
	if err != nil {
		t.Fatal(err)
	}
	want := &rtcp.Goodbye{Sources: []uint32{1}}
	if diff := cmp.Diff(want, packets[len(packets)-1]); diff != "" {
		t.Errorf("no goodbye for the old SSRC (-want +got):\n%s", diff)
	}
	if got := s.Stats(); got.SSRC != 2 || got.RemoteLost != 0 || got.Packets != 2 {
		t.Errorf("got %+v, want SSRC 2, nothing lost, 2 packets", got)
	}
}

func TestSenderFeedback(t *testing.T) {
	s := newTestSender(t, Audio)
	s.write(t, linktest.Packet(t, 1, 1, []byte("12345678")))
	sent := s.Now()
	s.Pass(520 * time.Millisecond)
	s.ReadRTCP(control(t, &rtcp.ReceiverReport{SSRC: 77, Reports: []rtcp.ReceptionReport{
		{SSRC: 99, TotalLost: 1000, FractionLost: 255},
		{SSRC: 1, TotalLost: 0xffffff, FractionLost: 64, Jitter: 480, LastSenderReport: ntpMiddle(sent), Delay: 1 << 15},
	}}))
	got := s.Stats()
	if got.RTT < 19*time.Millisecond || got.RTT > 21*time.Millisecond {
		t.Errorf("got RTT %v, want 20ms", got.RTT)
	}
	got.RTT = 0
	want := SendStats{
		SSRC: 1, Packets: 1, Bytes: 20, LastSent: sent, LastReport: s.Now(),
		RemoteLost: -1, RemoteFractionLost: 0.25, RemoteJitter: 10 * time.Millisecond,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("figures differ (-want +got):\n%s", diff)
	}
	if s.keys != 0 {
		t.Errorf("sound: got %d key frame requests, want none", s.keys)
	}
}

func TestSenderKeyFrames(t *testing.T) {
	pli := func(ssrc uint32) rtcp.Packet { return &rtcp.PictureLossIndication{SenderSSRC: 77, MediaSSRC: ssrc} }
	fir := func(ssrc uint32) rtcp.Packet {
		return &rtcp.FullIntraRequest{SenderSSRC: 77, FIR: []rtcp.FIREntry{{SSRC: ssrc}}}
	}
	report := func(from uint32, lost uint8) rtcp.Packet {
		return &rtcp.ReceiverReport{SSRC: from, Reports: []rtcp.ReceptionReport{{SSRC: 1, FractionLost: lost}}}
	}
	const ms = time.Millisecond
	type step struct {
		after time.Duration
		in    rtcp.Packet
		want  bool
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"picture loss", []step{{0, pli(1), true}}},
		{"full intra request", []step{{0, fir(1), true}}},
		{"about somebody else", []step{{0, pli(2), false}, {0, fir(2), false}}},
		{"too often", []step{{0, pli(1), true}, {50 * ms, pli(1), false}, {150 * ms, pli(1), true}}},
		{"repeated as receivers of ours do", []step{{0, pli(1), true}, {245 * ms, pli(1), true}, {250 * ms, pli(1), true}}},
		{"2020 receiver starts", []step{{0, report(77, 0), true}, {5000 * ms, report(77, 0), false}}},
		{"2020 receiver loses", []step{{0, report(77, 0), true}, {5000 * ms, report(77, 3), true}}},
		{"receiver that asks by itself loses", []step{{0, pli(1), true}, {5000 * ms, report(77, 3), false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSender(t, Video)
			s.write(t, linktest.Packet(t, 1, 1, nil))
			for i, st := range tt.steps {
				s.Pass(st.after)
				before := s.keys
				s.ReadRTCP(control(t, st.in))
				if got := s.keys > before; got != st.want {
					t.Fatalf("step %d: got key frame %t, want %t", i, got, st.want)
				}
			}
		})
	}
}

// testReceiver is a receiver that keeps what it hands on and sends.
type testReceiver struct {
	*Receiver
	*linktest.Clock
	log     bytes.Buffer
	control [][]byte
}

const (
	peerHome = "192.0.2.1"
	peerAddr = peerHome + ":5005"
)

func newTestReceiver(t testing.TB, m Medium) *testReceiver {
	t.Helper()
	tr := &testReceiver{Clock: linktest.NewClock()}
	r, err := NewReceiver(ReceiverOptions{
		Medium: m, CNAME: "cname", Now: tr.Now, Log: slog.New(slog.DiscardHandler),
		SendRTCP: func(b []byte) { tr.control = append(tr.control, b) },
		RTP: func(_ Medium, s Stream, b []byte) {
			fmt.Fprintf(&tr.log, "%d/%d:%d ", s.ID, s.SSRC, int(b[2])<<8|int(b[3]))
		},
		End:     func(_ Medium, s Stream) { fmt.Fprintf(&tr.log, "end%d ", s.ID) },
		Trusted: func(a netip.Addr) bool { return a == netip.MustParseAddr(peerHome) },
		Heard:   func(netip.Addr) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	tr.Receiver = r
	return tr
}

func TestReceiver(t *testing.T) {
	const ms = time.Millisecond
	type step struct {
		after  time.Duration
		from   string
		ssrc   uint32
		number uint16
		bye    bool
	}
	p, stranger := peerAddr, "198.51.100.7:5005"
	tests := []struct {
		name    string
		steps   []step
		want    string
		ignored uint64
	}{
		{"packets as they come", []step{{0, p, 1, 1, false}, {0, p, 1, 3, false}, {0, p, 1, 2, false}, {0, p, 1, 2, false}},
			"1/1:1 1/1:3 1/1:2 ", 0},
		{"stranger", []step{{0, p, 1, 1, false}, {0, stranger, 9, 1, false}, {0, p, 1, 2, false}}, "1/1:1 1/1:2 ", 1},
		{"restart", []step{{0, p, 1, 1, false}, {0, p, 2, 500, false}, {0, p, 1, 2, false}}, "1/1:1 end1 2/2:500 ", 1},
		{"restart with the same SSRC", []step{{0, p, 1, 1, false}, {0, p, 1, 30000, false}, {0, p, 1, 30001, false}, {0, p, 1, 30002, false}},
			"1/1:1 end1 2/1:30001 2/1:30002 ", 1},
		{"goodbye", []step{{0, p, 1, 1, false}, {0, p, 1, 0, true}, {10 * ms, p, 1, 2, false}, {10 * ms, "192.0.2.1:7", 2, 3, false}},
			"1/1:1 end1 2/2:3 ", 1},
		{"goodbye from a stranger", []step{{0, p, 1, 1, false}, {0, stranger, 1, 0, true}, {10 * ms, p, 1, 2, false}},
			"1/1:1 1/1:2 ", 0},
		{"goodbye of somebody else", []step{{0, p, 1, 1, false}, {0, p, 2, 0, true}, {10 * ms, p, 1, 2, false}}, "1/1:1 1/1:2 ", 0},
		{"silence, then the same again", []step{{0, p, 1, 1, false}, {2000 * ms, p, 1, 2, false}}, "1/1:1 end1 2/1:2 ", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newTestReceiver(t, Video)
			for _, st := range tt.steps {
				r.Pass(st.after)
				r.tick()
				from := netip.MustParseAddrPort(st.from)
				if st.bye {
					r.ReadRTCP(from, control(t, &rtcp.Goodbye{Sources: []uint32{st.ssrc}}))
				} else {
					r.ReadRTP(from, linktest.Packet(t, st.ssrc, st.number, linktest.DeltaUnit))
				}
			}
			if diff := cmp.Diff(tt.want, r.log.String()); diff != "" {
				t.Errorf("calls differ (-want +got):\n%s", diff)
			}
			if got := r.Stats().Ignored; got != tt.ignored {
				t.Errorf("got %d ignored packets, want %d", got, tt.ignored)
			}
		})
	}
}

func TestReceiverTakesOnlyItsPayloadType(t *testing.T) {
	r := newTestReceiver(t, Video)
	from := netip.MustParseAddrPort(peerAddr)
	good := linktest.Packet(t, 1, 1, linktest.DeltaUnit)
	for name, change := range map[string]func([]byte) []byte{
		"other payload type": func(b []byte) []byte { b[1] = 97; return b },
		"other version":      func(b []byte) []byte { b[0] = 0x40; return b },
		"cut short":          func(b []byte) []byte { return b[:11] },
		"padding too long":   func(b []byte) []byte { b[0] |= 0x20; b[len(b)-1] = 200; return b },
		"nothing":            func(b []byte) []byte { return nil },
	} {
		r.ReadRTP(from, change(bytes.Clone(good)))
		if r.log.Len() != 0 {
			t.Errorf("%s: got %q handed on, want nothing", name, r.log.String())
			r.log.Reset()
		}
	}
	r.ReadRTP(from, good)
	if got, want := r.log.String(), "1/1:1 "; got != want {
		t.Errorf("good packet: got %q, want %q", got, want)
	}
}

func TestReceiverAsksForKeyFrame(t *testing.T) {
	r := newTestReceiver(t, Video)
	from := netip.MustParseAddrPort(peerAddr)
	requests := func() (media []uint32) {
		t.Helper()
		for _, b := range r.control {
			packets, err := rtcp.Unmarshal(b)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range packets {
				if pli, ok := p.(*rtcp.PictureLossIndication); ok {
					media = append(media, pli.MediaSSRC)
				}
			}
		}
		r.control = nil
		return media
	}
	check := func(when string, want ...uint32) {
		t.Helper()
		if diff := cmp.Diff(want, requests()); diff != "" {
			t.Errorf("%s: requests differ (-want +got):\n%s", when, diff)
		}
	}
	r.RequestKeyFrame()
	check("no stream")
	r.ReadRTP(from, linktest.Packet(t, 1, 1, linktest.SPSUnit))
	r.ReadRTP(from, linktest.Packet(t, 1, 2, linktest.IDRUnit))
	check("key frame first")
	r.ReadRTP(from, linktest.Packet(t, 1, 4, linktest.DeltaUnit))
	r.Pass(repair.ReorderTolerance)
	r.tick()
	check("lost", 1)
	r.RequestKeyFrame()
	r.tick()
	check("asked a moment ago")
	r.Pass(repair.RequestInterval)
	r.tick()
	check("still none", 1)
	r.Pass(repair.RequestInterval)
	r.ReadRTP(from, linktest.Packet(t, 1, 5, linktest.IDRUnit))
	check("here it is")
	r.RequestKeyFrame()
	r.tick()
	check("the decoder asks", 1)
	if got := r.Stats().KeyFrameRequests; got != 3 {
		t.Errorf("got %d requests counted, want 3", got)
	}
}

func TestReceiverReportsUnderOneSSRC(t *testing.T) {
	r := newTestReceiver(t, Audio)
	if _, err := r.writeRTCP([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 123}}, nil); err != nil {
		t.Fatal(err)
	}
	packets, err := rtcp.Unmarshal(r.control[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := packets[0].(*rtcp.ReceiverReport).SSRC; got != r.ssrc {
		t.Errorf("got report from %d, want %d", got, r.ssrc)
	}
}

// BenchmarkReceiver takes in packets that are a picture each, as a secure link does.
func BenchmarkReceiver(b *testing.B) {
	c := linktest.NewClock()
	r, err := NewReceiver(ReceiverOptions{
		Medium: Video, CNAME: "cname", Now: c.Now, Log: slog.New(slog.DiscardHandler), SendRTCP: func([]byte) {},
		RTT: func() time.Duration { return 10 * time.Millisecond },
	})
	if err != nil {
		b.Fatal(err)
	}
	from := netip.MustParseAddrPort(peerAddr)
	p := linktest.Packet(b, 1, 0, append([]byte{0x65, 0x88}, make([]byte, 1186)...))
	p[1] |= 0x80
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		binary.BigEndian.PutUint16(p[2:], uint16(n))
		binary.BigEndian.PutUint32(p[4:], uint32(3000*n))
		c.Pass(time.Millisecond)
		r.ReadRTP(from, p)
	}
}

func BenchmarkSender(b *testing.B) {
	s, err := NewSender(SenderOptions{
		Medium: Video, CNAME: "cname", Now: linktest.NewClock().Now, SendRTP: func(*rtp.Header, []byte) {}, SendRTCP: func([]byte) {},
	})
	if err != nil {
		b.Fatal(err)
	}
	p := linktest.Packet(b, 1, 0, make([]byte, 1188))
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		binary.BigEndian.PutUint16(p[2:], uint16(n))
		if err := s.WriteRTP(p); err != nil {
			b.Fatal(err)
		}
	}
}
