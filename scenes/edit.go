// SPDX-License-Identifier: Apache-2.0

package scenes

import "fmt"

// Edit is one change to OBS, or to the memory. Its text describes it in plain words.
type Edit interface {
	fmt.Stringer
	edit()
}

// AddItem adds an item of the peer source to a scene. It is hidden until it is in its place.
type AddItem struct {
	Scene  string
	Input  string
	Exists bool    // the input existed when this was planned
	Create *Source // how to make it if it does not exist; nil if it cannot be made
	Look   Look
	Index  int // -1 is the top
	Enable bool
	User   bool // it counts as added by the user
}

// RemoveItem removes an item.
type RemoveItem struct {
	Scene string
	Item  int
	Input string
	User  bool // the user asked for it, so it does not come back
}

// EnableItem shows or hides an item.
type EnableItem struct {
	Scene  string
	Item   int
	Input  string
	Enable bool
}

// PlaceItem gives an item its look.
type PlaceItem struct {
	Scene string
	Item  int
	Input string
	Look  Look
	Index int // -1: where it is
}

// KeepLook stores the look that the peer will have in a scene that does not have it at the moment.
type KeepLook struct {
	Scene   string
	Through string // a scene with the peer that it shows, "" if there is none
	Look    Look
}

// SetSettings changes settings of the input, or replaces them all.
type SetSettings struct {
	Input    string
	Settings map[string]any
	Replace  bool
}

func (AddItem) edit()     {}
func (RemoveItem) edit()  {}
func (EnableItem) edit()  {}
func (PlaceItem) edit()   {}
func (KeepLook) edit()    {}
func (SetSettings) edit() {}

func (e AddItem) String() string {
	return fmt.Sprintf("add %q to scene %q", e.Input, e.Scene)
}

func (e RemoveItem) String() string {
	return fmt.Sprintf("remove %q (item %d) from scene %q", e.Input, e.Item, e.Scene)
}

func (e EnableItem) String() string {
	verb := "hide"
	if e.Enable {
		verb = "show"
	}
	return fmt.Sprintf("%s %q (item %d) in scene %q", verb, e.Input, e.Item, e.Scene)
}

func (e PlaceItem) String() string {
	return fmt.Sprintf("place %q (item %d) in scene %q", e.Input, e.Item, e.Scene)
}

func (e KeepLook) String() string {
	return fmt.Sprintf("remember how the peer should look in scene %q", e.Scene)
}

func (e SetSettings) String() string {
	if e.Replace {
		return fmt.Sprintf("give %q its own settings back", e.Input)
	}
	return fmt.Sprintf("set the settings of %q", e.Input)
}
