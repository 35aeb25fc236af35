// SPDX-License-Identifier: Apache-2.0

package scenes

// Source is the input that shows the peer.
type Source struct {
	// Name is what it is called when we have to make it and the user never renamed it.
	Name string
	// Kind is OBS's input kind, such as v4l2_input or ffmpeg_source. Empty means any kind of
	// existing input, and that none can be made.
	Kind string
	// Settings are the settings that it must have; others are left alone. An input of the
	// same kind with the same "device_id" is the peer source whatever its name.
	Settings map[string]any
}

// Desired is what should be.
type Desired struct {
	Source Source
	// Scenes are the patterns of the scenes to be in. Without any it is the scenes that
	// have the peer source already, or else the one that is the programme when Present begins.
	Scenes []string
	Layout Layout
	// Picture is the size of the peer's picture, zero if unknown.
	Picture Size
	// Present: the peer source is in its scenes (we are on air).
	Present bool
	// Visible: it is shown there (the peer's picture arrives).
	Visible bool
}

// Outcome is what Plan worked out.
type Outcome struct {
	// Input is the name of the peer source, also when it is still to be made.
	Input string
	Edits []Edit
	// Memory is to be stored before the edits are applied.
	Memory Memory
	// Unknown tells of patterns in Desired.Scenes that match no scene. The others are served.
	Unknown []*UnknownSceneError
	// NeedsTransition names the scenes whose change the programme will show only after the
	// next transition to them, because studio mode is on.
	NeedsTransition []string
}

// Plan compares and returns the missing edits: none when all is as desired. It is a pure function.
func Plan(s Snapshot, d Desired, m Memory) Outcome { return Outcome{Memory: m} }
