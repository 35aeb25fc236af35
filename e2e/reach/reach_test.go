// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// busy is what a machine that does other work may add to each time.
const busy = 15 * time.Second

// pair is two peers that look for each other.
type pair struct {
	*lab
	call           *call
	inviter, guest *pc
	configs        [2]peerConfig // inviter, guest
	a, b           *runningPeer  // inviter, guest; nil before they were started
}

// prepare makes the lab of a case, and starts no peer.
func (s setup) prepare(t *testing.T) *pair {
	t.Helper()
	p := &pair{lab: newLab(t), call: newCall(t)}
	p.inviter, p.guest = s.homes(p.lab)
	p.startDHT()
	relay := ""
	if s.inviterRelay || s.guestRelay {
		relay = p.startRelay()
	}
	p.configs = [2]peerConfig{
		{Role: pairing.Inviter, Auto: true, MeetNodes: bootstrap(), Peers: known(s.inviterPeer)},
		{Role: pairing.Guest, Auto: true, MeetNodes: bootstrap(), Peers: known(s.guestPeer)},
	}
	if s.inviterRelay {
		p.configs[0].Relay = relay
	}
	if s.guestRelay {
		p.configs[1].Relay = relay
	}
	return p
}

func (p *pair) startInviter() { p.a = p.call.start(p.inviter, p.configs[0]) }
func (p *pair) startGuest()   { p.b = p.call.start(p.guest, p.configs[1]) }

// connect starts those that do not run yet, and returns how long after both run each has the other one's picture.
func (p *pair) connect(t *testing.T, goal time.Duration) time.Duration {
	t.Helper()
	if p.a == nil {
		p.startInviter()
	}
	if p.b == nil {
		p.startGuest()
	}
	took, ok := firstPictures(p.a, p.b, goal+busy)
	if !ok {
		for _, peer := range []*runningPeer{p.a, p.b} {
			state := peer.report().State
			why, _ := state.Why()
			t.Logf("%+v\n%+v", state, why)
		}
		t.Fatalf("not connected within %v", goal+busy)
	}
	return took
}

var (
	rounds = flag.Int("rounds", 1, "`number` of tries of each case")
	into   = flag.String("into", "", "measure against the goals, and write the table into this Markdown `file`")
)

// trial is a case of the table.
type trial struct {
	section, name string
	// goal is what no try may exceed, and median what half of them must keep to, if there is such a goal.
	goal, median time.Duration
	never        bool // they cannot reach each other, so there is no time
	once         bool // one try tells all
	try          func(*testing.T) result
}

// result is what one try has shown.
type result struct {
	took time.Duration
	way  string

	// Of a case without a friend: bytes a second to the internet, and in the own network.
	beyond, within float64
}

func (r result) String() string {
	if r.way == "" {
		return fmt.Sprintf("%.0f bytes a second to the internet, %.0f in the own network", r.beyond, r.within)
	}
	return fmt.Sprintf("%v, %s", r.took.Round(time.Millisecond), r.way)
}

func trials() (all []trial) {
	for _, q := range quiets() { // first, since they take the longest
		all = append(all, trial{section: alone, name: q.name, never: true, once: true, try: q.try})
	}
	for _, s := range setups() {
		all = append(all, trial{section: together, name: s.name, goal: s.goal, median: s.median, never: s.goal == 0, try: s.try})
	}
	all = append(all, singles()...)
	for _, c := range changes() {
		all = append(all, trial{section: changing, name: c.name, goal: c.goal, try: c.try})
	}
	return all
}

// TestRealReach has each case of the table find its way. A busy machine makes it later: only with -into, on a machine that
// does nothing else, the goals count.
func TestRealReach(t *testing.T) {
	needLab(t)
	t.Parallel()
	var shown table
	all := trials()
	// It returns when all cases have ended, which run beside each other.
	t.Run("cases", func(t *testing.T) {
		for _, r := range all {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				tries := *rounds
				if r.once {
					tries = 1
				}
				for n := range tries {
					t.Run(fmt.Sprint("try ", n+1), func(t *testing.T) {
						got := r.try(t)
						t.Log(got)
						if !t.Failed() {
							shown.add(r.name, got)
						}
					})
				}
				_, _, most, _ := shown.times(r.name)
				if *into == "" && most > r.goal+busy {
					t.Errorf("took %v, want %v at most on a busy machine", most, r.goal+busy)
				}
			})
		}
	})
	if *into == "" {
		return
	}
	for _, r := range all {
		for _, missed := range shown.missed(r) {
			t.Errorf("%s: %s", r.name, missed)
		}
	}
	document, err := os.ReadFile(*into)
	if err != nil {
		t.Fatal(err)
	}
	updated, err := replaceSection(string(document), shown.markdown(header(*rounds), all))
	if err != nil {
		t.Fatalf("%s: %v", *into, err)
	}
	if err := os.WriteFile(*into, []byte(updated), 0o644); err != nil {
		t.Fatal(err)
	}
}

// try runs a case once.
func (s setup) try(t *testing.T) result {
	t.Helper()
	p := s.prepare(t)
	if s.goal == 0 {
		return s.tryInVain(t, p)
	}
	took := p.connect(t, s.goal)
	state := p.a.report().State
	if !slices.Contains(s.ways, state.Way) {
		t.Errorf("got the way %q, want one of %q", state.Way, s.ways)
	}
	return result{took: took, way: wayText(state)}
}

// wayText is the way without the name of the relay.
func wayText(s reach.State) string { return strings.TrimSuffix(s.WayText(), " "+s.RelayHost) }

// tryInVain has both look for each other in vain, until both know why.
func (s setup) tryInVain(t *testing.T, p *pair) result {
	t.Helper()
	p.startInviter()
	p.startGuest()
	for _, peer := range []*runningPeer{p.a, p.b} {
		testbed.Await(t, "an explanation", 20*time.Second, func() error {
			state := peer.report().State
			why, ok := state.Why()
			switch {
			case state.Way != "":
				return fmt.Errorf("connected %s", state.WayText())
			case !ok:
				return errors.New("nothing is said yet")
			case !strings.Contains(why.What, s.told):
				return fmt.Errorf("got %q and %q, want %q", why.What, why.Next, s.told)
			}
			return nil
		})
	}
	if _, connected := firstPictures(p.a, p.b, 0); connected {
		t.Error("connected, which is not to be expected")
	}
	return result{way: "never, and both are told"}
}
