// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/media/link"
)

// peerConfig says what a peer does. It goes to another process.
type peerConfig struct {
	Role   pairing.Role
	Invite string
	Peers  []string // where the other one is said to be

	Auto      bool     // it may ask more than the other one
	MeetNodes []string // nodes of the DHT
	NodesFile string
	Relay     string
	OffAir    bool // it does not look for the other one yet
}

// event is what a peer tells.
type event struct {
	At   time.Time
	What string

	State reach.State

	// Of a report:
	Gap     time.Duration // longest time without a packet of the other one since the last question
	Packets int           // of the other one since then
}

const (
	peerRuns    = "runs"    // it has begun to look for the other one
	peerPicture = "picture" // the first one of the other one has come
	peerReport  = "report"  // the answer to a question
	peerState   = "state"   // what is known of the way has changed
)

const (
	peerPort        = 5000
	pictureInterval = 10 * time.Millisecond
)

// picture is an H.264 access unit in one RTP packet: parameter sets and an IDR picture.
var picture = []byte{24, 0, 2, 0x67, 1, 0, 2, 0x68, 1, 0, 3, 0x65, 0x88, 1}

// arrivals keeps account of the other one's pictures.
type arrivals struct {
	mu      sync.Mutex
	first   bool // has come
	last    time.Time
	gap     time.Duration
	packets int
}

// add notes a picture and tells whether it is the first one.
func (a *arrivals) add(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.last.IsZero() {
		a.gap = max(a.gap, now.Sub(a.last))
	}
	first := !a.first
	a.first, a.last, a.packets = true, now, a.packets+1
	return first
}

// take returns what has come since the last call. A gap that has not ended counts so far, and all of it at the next call.
func (a *arrivals) take(now time.Time) (gap time.Duration, packets int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	gap, packets = a.gap, a.packets
	if !a.last.IsZero() {
		gap = max(gap, now.Sub(a.last))
	}
	a.gap, a.packets = 0, 0
	return gap, packets
}

// runPeer is a peer's process: it sends pictures, and answers each line of its standard input with a report. It ends with its
// standard input, or with SIGTERM.
func runPeer(text string) int {
	err := peer(text, os.Stdin, json.NewEncoder(os.Stdout))
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		return 1
	}
	return 0
}

func peer(text string, questions io.Reader, out *json.Encoder) error {
	var c peerConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	invite, err := pairing.ParseInvite(c.Invite)
	if err != nil {
		return err
	}
	pair := &pairing.Pair{Role: c.Role, Invite: invite}
	identity, err := pair.Identity()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	var telling sync.Mutex
	tell := func(e event) {
		telling.Lock()
		defer telling.Unlock()
		_ = out.Encode(e)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	own, theirs := pair.MeetingSecrets()
	m, err := reach.New(reach.Options{
		Secure: link.SecureOptions{Identity: identity, Peers: c.Peers, Port: peerPort, Log: log},
		Auto:   c.Auto, Own: own, Peer: theirs, MeetNodes: c.MeetNodes, NodesFile: c.NodesFile, Relay: c.Relay, Log: log,
	})
	if err != nil {
		return err
	}
	finished := make(chan struct{})
	go func() {
		m.Run(ctx)
		close(finished)
	}()
	defer func() {
		cancel()
		<-finished // it closes the port at the router
	}()
	go func() {
		for range m.Changed() {
			tell(event{At: time.Now(), What: peerState, State: m.State()})
		}
	}()
	var came arrivals
	l, err := m.Link(link.Handler{RTP: func(m link.Medium, _ link.Stream, _ []byte) {
		if now := time.Now(); m == link.Video && came.add(now) {
			tell(event{At: now, What: peerPicture})
		}
	}})
	if err != nil {
		return err
	}
	run := l.Run
	if c.OffAir {
		run = l.(link.Prober).Standby
	}
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	tell(event{At: time.Now(), What: peerRuns})

	asked := make(chan struct{})
	go func() {
		for lines := bufio.NewScanner(questions); lines.Scan(); {
			asked <- struct{}{}
		}
		cancel()
	}()
	tick := time.NewTicker(pictureInterval)
	defer tick.Stop()
	for n := uint16(0); ; {
		select {
		case err := <-ended:
			return err
		case <-asked:
			now := time.Now()
			gap, packets := came.take(now)
			tell(event{At: now, What: peerReport, Gap: gap, Packets: packets, State: m.State()})
		case <-tick.C:
			if c.OffAir {
				continue
			}
			if err := l.WriteRTP(link.Video, rtpPacket(n)); err != nil && !errors.Is(err, link.ErrClosed) {
				return err
			}
			n++
		}
	}
}

// rtpPacket is the n-th picture.
func rtpPacket(n uint16) []byte {
	b := make([]byte, 12, 12+len(picture))
	b[0], b[1] = 0x80, 0x80|96 // version 2; the last packet of a picture, payload type
	binary.BigEndian.PutUint16(b[2:], n)
	binary.BigEndian.PutUint32(b[4:], uint32(n)*uint32(90_000*pictureInterval/time.Second))
	binary.BigEndian.PutUint32(b[8:], 1)
	return append(b, picture...)
}
