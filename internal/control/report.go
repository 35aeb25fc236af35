// SPDX-License-Identifier: Apache-2.0

// Package control is how other commands talk to a running companion: its reports, and both ends of the control socket. It is
// not the companion, and knows no OBS.
package control

import (
	"slices"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/terminal"
	"github.com/costream-obs/costream-obs/media/link"
)

// State is what a person sees of the companion.
type State string

// The states, in the order in which a co-stream goes through them.
const (
	Waiting       State = "waiting for OBS"
	Ready         State = "ready"
	OnAir         State = "on air, waiting for peer"
	OnAirWithPeer State = "on air with peer"
	Stopping      State = "stopping"
)

// Route is a way by which pictures cross the border between OBS and us.
type Route string

// The routes.
const (
	// RouteAuto takes RouteDevices where both nodes can be used, else RoutePortable. No report has it.
	RouteAuto Route = "auto"
	// RouteDevices uses v4l2loopback nodes and OBS's virtual camera.
	RouteDevices Route = "devices"
	// RoutePortable uses screenshots and a local socket; it needs nothing but OBS.
	RoutePortable Route = "portable"
)

// A Report is one change of state, or of what is wrong in it.
type Report struct {
	Time  time.Time `json:"time"`
	State State     `json:"state"`
	// Detail says why, or how, in a sentence.
	Detail string `json:"detail,omitempty"`
	// Route is the route in use, while on air.
	Route Route `json:"route,omitempty"`
	// Bitrate is what the way to the peer allows our picture, in kbit/s, while on air on the secure link. Small changes
	// are no news.
	Bitrate int `json:"bitrate,omitempty"`
	// Way says how packets get to the peer, such as "directly", while they do on the secure link.
	Way string `json:"way,omitempty"`
	// Break says why the peer gets a card and silence, while that is so.
	Break string `json:"break,omitempty"`
	// Shared are the inputs of OBS that the peer hears besides the microphones, while on air.
	Shared []string `json:"shared,omitempty"`
	// Tally is what we and the peer tell each other.
	Tally *Tally `json:"tally,omitempty"`
	// Recording is the file in which the peer is recorded now.
	Recording string `json:"recording,omitempty"`
	// Problems are what stands in the way now, one sentence each with its remedy, and Codes what kind each of them is.
	Problems []string       `json:"problems,omitempty"`
	Codes    []problem.Code `json:"codes,omitempty"`
}

// SetProblems takes in what is wrong, without what another of these problems explains.
func (r *Report) SetProblems(wrong map[problem.Code]error) {
	r.Problems, r.Codes = nil, nil
	for _, kind := range problem.Shown(func(code problem.Code) bool { return wrong[code] != nil }) {
		r.Problems, r.Codes = append(r.Problems, problemText(kind.Name, wrong[kind.Code])), append(r.Codes, kind.Code)
	}
}

// problemText names what does not work, once, in one line.
func problemText(name string, err error) string {
	text := terminal.OneLine(err.Error())
	if name == "" {
		return text
	}
	return name + ": " + strings.TrimPrefix(text, name+": ")
}

// Same tells whether two reports differ in nothing that is news.
func (r Report) Same(other Report) bool {
	return r.State == other.State && r.Detail == other.Detail && r.Route == other.Route && r.Way == other.Way && r.Break == other.Break &&
		r.Tally.same(other.Tally) && r.Recording == other.Recording && call.Alike(r.Bitrate, other.Bitrate) && slices.Equal(r.Shared, other.Shared) && slices.Equal(r.Problems, other.Problems)
}

// A Tally is what two peers tell each other.
type Tally struct {
	Me link.Tally `json:"me"`
	// Peer is what the peer told last; nil while nothing is known, as on the plain link or of an older peer.
	Peer *link.Tally `json:"peer,omitempty"`
}

func (t *Tally) same(other *Tally) bool {
	if t == nil || other == nil {
		return t == other
	}
	if t.Peer == nil || other.Peer == nil {
		return t.Me == other.Me && t.Peer == other.Peer
	}
	return t.Me == other.Me && *t.Peer == *other.Peer
}

// A Status is what a running companion tells of itself now: its last Report, and what it measures while on air.
type Status struct {
	Report
	// Peer is the peer's name, or the address where no name is known.
	Peer string `json:"peer,omitempty"`
	// PeerMuted says that the user has the peer muted, and MeMuted that the user is silent for the peer, both by order.
	PeerMuted bool `json:"peer_muted,omitempty"`
	MeMuted   bool `json:"me_muted,omitempty"`
	// Away says that the user is on a break by order.
	Away bool `json:"away,omitempty"`
	// ByHand says whether the user has ordered to go on air. It is nil where OBS decides about that.
	ByHand *bool `json:"by_hand,omitempty"`
	// Closed are the inputs of OBS that the peer does not hear now because their fader is down or their key is up.
	Closed []string `json:"closed,omitempty"`
	// Figures are measured once a second while on air.
	Figures *call.Figures `json:"figures,omitempty"`
}
