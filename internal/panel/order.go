// SPDX-License-Identifier: Apache-2.0

package panel

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/scenes"
)

// plain are the actions that a page may order by their name alone.
var plain = []control.PeerAction{
	control.PeerShow, control.PeerHide, control.PeerRestore, control.PeerAway, control.PeerBack,
	control.PeerMute, control.PeerUnmute, control.PeerMuteMe, control.PeerUnmuteMe,
	control.PeerStart, control.PeerStop, control.PeerResync,
}

// asked is an order as a page sends it.
type asked struct {
	Do     control.PeerAction `json:"do"`
	Layout string             `json:"layout"` // of control.PeerArrange, as --layout takes it
	Saved  string             `json:"saved"`  // of control.PeerUse: the name of a saved layout
}

// decode reads one JSON object and nothing behind it.
func decode(from io.Reader, into any) error {
	d := json.NewDecoder(from)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("not an order: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("not an order: something follows it")
	}
	return nil
}

// readOrder says in the terms of `costream-obs peer` what a page asks for.
func (s *Server) readOrder(from io.Reader) (control.PeerOrder, error) {
	var a asked
	if err := decode(from, &a); err != nil {
		return control.PeerOrder{}, err
	}
	order := control.PeerOrder{Do: a.Do}
	switch {
	case slices.Contains(plain, a.Do):
		return order, nil
	case a.Do == control.PeerArrange && a.Layout != "":
		layout, err := scenes.ParseLayout(a.Layout)
		if err == nil {
			err = layout.Check()
		}
		order.Layout = layout
		return order, err
	case a.Do == control.PeerUse:
		all, err := s.o.Saved()
		if err != nil {
			return order, err
		}
		saved, there := all[a.Saved]
		if !there {
			return order, fmt.Errorf("there is no saved layout %q", a.Saved)
		}
		order.Saved = saved
		return order, nil
	}
	return order, fmt.Errorf("nobody knows how to %q a peer", a.Do)
}
