// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"fmt"

	"github.com/andreykaipov/goobs/api/events"
)

// Event is something that happened in OBS. Every kind is a struct of this
// package; kinds that are not listed here are not handed on.
type Event interface{ event() }

// OutputPhase is a step in the life of the stream or record output.
type OutputPhase int

// The phases. While reconnecting the output counts as active.
const (
	Starting OutputPhase = iota + 1
	Started
	Stopping
	Stopped
	Reconnecting
	Reconnected
	Paused
	Resumed
)

// phases holds obs-websocket's names of the phases.
var phases = map[string]OutputPhase{
	"OBS_WEBSOCKET_OUTPUT_STARTING":     Starting,
	"OBS_WEBSOCKET_OUTPUT_STARTED":      Started,
	"OBS_WEBSOCKET_OUTPUT_STOPPING":     Stopping,
	"OBS_WEBSOCKET_OUTPUT_STOPPED":      Stopped,
	"OBS_WEBSOCKET_OUTPUT_RECONNECTING": Reconnecting,
	"OBS_WEBSOCKET_OUTPUT_RECONNECTED":  Reconnected,
	"OBS_WEBSOCKET_OUTPUT_PAUSED":       Paused,
	"OBS_WEBSOCKET_OUTPUT_RESUMED":      Resumed,
}

// String returns the phase in lower case, such as "started".
func (p OutputPhase) String() string {
	switch p {
	case Starting:
		return "starting"
	case Started:
		return "started"
	case Stopping:
		return "stopping"
	case Stopped:
		return "stopped"
	case Reconnecting:
		return "reconnecting"
	case Reconnected:
		return "reconnected"
	case Paused:
		return "paused"
	case Resumed:
		return "resumed"
	}
	return fmt.Sprintf("OutputPhase(%d)", int(p))
}

type (
	// StreamState: the stream output went to another phase.
	StreamState struct{ Phase OutputPhase }
	// RecordState: the record output went to another phase.
	RecordState struct{ Phase OutputPhase }
	// VirtualCamState: the virtual camera was started or stopped.
	VirtualCamState struct{ Active bool }

	// MuteChanged: an input was muted or unmuted.
	MuteChanged struct {
		Input string
		Muted bool
	}
	// MonitorTypeChanged: an input's audio monitoring was changed.
	MonitorTypeChanged struct {
		Input string
		Type  MonitorType
	}
	// InputAdded: an input was created.
	InputAdded struct{ Input, Kind string }
	// InputRemoved: an input is gone, and all its scene items with it.
	InputRemoved struct{ Input string }
	// Levels: how loud the inputs are that are active, each 50 ms. It comes only
	// with Options.Levels.
	Levels []Level
	// InputActive: an input is shown in the programme, or heard. It comes only
	// with Options.Activations.
	InputActive struct {
		Input  string
		Active bool
	}
	// InputRenamed: an input got another name.
	InputRenamed struct{ Old, New string }

	// ProgramScene: another scene is the programme.
	ProgramScene struct{ Name string }
	// TransitionStarted: OBS begins to show another scene, which it names as the
	// programme from now on; ProgramScene follows when the transition has ended
	// (measured, 29.0.2).
	TransitionStarted struct{ Name string }
	// TransitionEnded: from now on OBS draws the new scene alone. It may come
	// twice for a transition.
	TransitionEnded struct{ Name string }
	// PreviewScene: another scene is edited in studio mode.
	PreviewScene struct{ Name string }
	// StudioMode: studio mode was switched on or off.
	StudioMode struct{ On bool }
	// ScenesChanged: the list of scenes, or its order, is another one. Removed: a scene is gone.
	ScenesChanged struct {
		Scene   string // the one that was made or is gone; empty where OBS tells the whole list
		Names   []string
		Removed bool
	}
	// SceneRenamed: a scene (or group) got another name.
	SceneRenamed struct{ Old, New string }

	// SceneItemAdded: a source was put into a scene.
	SceneItemAdded struct {
		Scene  string
		ID     int
		Source string
	}
	// SceneItemRemoved: a source was taken out of a scene. It does not come
	// when the whole scene is removed.
	SceneItemRemoved struct {
		Scene  string
		ID     int
		Source string
	}
	// SceneItemEnabled: a scene item was shown or hidden.
	SceneItemEnabled struct {
		Scene   string
		ID      int
		Enabled bool
	}

	// SceneItemsMoved: the items of a scene have another order.
	SceneItemsMoved struct{ Scene string }
	// SceneItemTransformed: a scene item was moved, scaled or cropped. It comes
	// for each step of the mouse, and only with Options.Transforms.
	SceneItemTransformed struct {
		Scene     string
		ID        int
		Transform Transform
	}
	// FiltersChanged: the filters of a source or scene are others than before.
	FiltersChanged struct{ Source string }

	// CollectionChanging: OBS begins to load another scene collection.
	// Requests about scenes and inputs make no sense until CollectionChanged.
	CollectionChanging struct{}
	// CollectionChanged: another scene collection is loaded.
	CollectionChanged struct{ Name string }
	// ProfileChanging: OBS begins to load another profile.
	ProfileChanging struct{}
	// ProfileChanged: another profile is loaded.
	ProfileChanged struct{ Name string }

	// Exiting: OBS is about to end; the connection closes within a second.
	Exiting struct{}
)

func (StreamState) event()          {}
func (RecordState) event()          {}
func (VirtualCamState) event()      {}
func (MuteChanged) event()          {}
func (MonitorTypeChanged) event()   {}
func (InputAdded) event()           {}
func (InputRemoved) event()         {}
func (Levels) event()               {}
func (InputActive) event()          {}
func (InputRenamed) event()         {}
func (ProgramScene) event()         {}
func (TransitionStarted) event()    {}
func (TransitionEnded) event()      {}
func (PreviewScene) event()         {}
func (StudioMode) event()           {}
func (ScenesChanged) event()        {}
func (SceneRenamed) event()         {}
func (SceneItemAdded) event()       {}
func (SceneItemRemoved) event()     {}
func (SceneItemEnabled) event()     {}
func (SceneItemsMoved) event()      {}
func (SceneItemTransformed) event() {}
func (FiltersChanged) event()       {}
func (CollectionChanging) event()   {}
func (CollectionChanged) event()    {}
func (ProfileChanging) event()      {}
func (ProfileChanged) event()       {}
func (Exiting) event()              {}

// translate turns an event of goobs into one of ours; known is false for
// events that nobody here needs.
func translate(raw any) (event Event, known bool) {
	if ofProbe(raw) {
		return nil, false
	}
	switch e := raw.(type) {
	case *events.StreamStateChanged:
		phase, ok := phases[e.OutputState]
		return StreamState{phase}, ok
	case *events.RecordStateChanged:
		phase, ok := phases[e.OutputState]
		return RecordState{phase}, ok
	case *events.VirtualcamStateChanged:
		return VirtualCamState{e.OutputActive}, true

	case *events.InputMuteStateChanged:
		return MuteChanged{e.InputName, e.InputMuted}, true
	case *events.InputAudioMonitorTypeChanged:
		kind, ok := monitorTypes[e.MonitorType]
		return MonitorTypeChanged{e.InputName, kind}, ok
	case *events.InputCreated:
		return InputAdded{e.InputName, e.InputKind}, true
	case *events.InputRemoved:
		return InputRemoved{e.InputName}, true
	case *events.InputVolumeMeters:
		return levels(e), true
	case *events.InputActiveStateChanged:
		return InputActive{e.InputName, e.VideoActive}, true
	case *events.InputNameChanged:
		return InputRenamed{Old: e.OldInputName, New: e.InputName}, true

	case *events.CurrentProgramSceneChanged:
		return ProgramScene{e.SceneName}, true
	case *events.SceneTransitionStarted:
		return TransitionStarted{e.TransitionName}, true
	case *events.SceneTransitionVideoEnded:
		return TransitionEnded{e.TransitionName}, true
	case *events.SceneTransitionEnded:
		return TransitionEnded{e.TransitionName}, true
	case *events.CurrentPreviewSceneChanged:
		return PreviewScene{e.SceneName}, true
	case *events.StudioModeStateChanged:
		return StudioMode{e.StudioModeEnabled}, true
	case *events.SceneListChanged:
		names := make([]string, 0, len(e.Scenes))
		for _, s := range e.Scenes {
			names = append(names, s.SceneName)
		}
		return ScenesChanged{Names: names}, true
	case *events.SceneCreated:
		return ScenesChanged{Scene: e.SceneName}, true
	case *events.SceneRemoved:
		return ScenesChanged{Scene: e.SceneName, Removed: true}, true
	case *events.SceneNameChanged:
		return SceneRenamed{Old: e.OldSceneName, New: e.SceneName}, true

	case *events.SceneItemCreated:
		return SceneItemAdded{e.SceneName, e.SceneItemId, e.SourceName}, true
	case *events.SceneItemRemoved:
		return SceneItemRemoved{e.SceneName, e.SceneItemId, e.SourceName}, true
	case *events.SceneItemEnableStateChanged:
		return SceneItemEnabled{e.SceneName, e.SceneItemId, e.SceneItemEnabled}, true

	case *events.SceneItemListReindexed:
		return SceneItemsMoved{e.SceneName}, true
	case *events.SceneItemTransformChanged:
		if e.SceneItemTransform == nil {
			return nil, false
		}
		return SceneItemTransformed{e.SceneName, e.SceneItemId, fromWire(*e.SceneItemTransform)}, true

	case *events.SourceFilterCreated:
		return FiltersChanged{e.SourceName}, true
	case *events.SourceFilterRemoved:
		return FiltersChanged{e.SourceName}, true
	case *events.SourceFilterListReindexed:
		return FiltersChanged{e.SourceName}, true
	case *events.SourceFilterEnableStateChanged:
		return FiltersChanged{e.SourceName}, true
	case *events.SourceFilterSettingsChanged:
		return FiltersChanged{e.SourceName}, true

	case *events.CurrentSceneCollectionChanging:
		return CollectionChanging{}, true
	case *events.CurrentSceneCollectionChanged:
		return CollectionChanged{e.SceneCollectionName}, true
	case *events.CurrentProfileChanging:
		return ProfileChanging{}, true
	case *events.CurrentProfileChanged:
		return ProfileChanged{e.ProfileName}, true
	case *events.ExitStarted:
		return Exiting{}, true
	}
	return nil, false
}
