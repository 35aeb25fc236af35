// SPDX-License-Identifier: Apache-2.0

// Package config is the one table of costream-obs's settings, and where their values come from: a flag before an
// environment variable before the configuration file before the default. The help texts, the man page and the
// README's table are printed from the same table.
//
// It checks the form of a value, not whether it works: that a port is a number, not that it is free.
package config

import (
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// Config holds a value for every setting of the table. Its fields are documented there.
type Config struct {
	Peer     string
	PeerName string
	Name     string
	Listen   string
	BasePort int
	Link     string
	// Reach is empty where the answer of the pairing holds.
	Reach string
	// Relay is nil where there is none.
	Relay     *obsctl.Secret
	RelayFile string
	MeetNodes []string

	When     string
	Route    string
	VideoOut string
	VideoIn  string
	// VideoFormat is zero where the device is to tell it.
	VideoFormat Format
	// Encoder is a GStreamer element, or "auto".
	Encoder string
	// Bitrate is in kbit/s; 0 is the link's own default.
	Bitrate    int
	MinBitrate int
	Scenes     []string
	// Layout is the layout in scenes that no rule of Layouts is for.
	Layout     scenes.Layout
	Layouts    []scenes.Rule
	NamePlate  bool
	CleanFeed  bool
	Private    []string
	SourceName string

	Mics      []string
	MicSource string
	Share     []string
	PeerAudio string
	// AVOffset is in milliseconds.
	AVOffset int

	OBSHost string
	// OBSPort is 0 where OBS's own files are to tell it.
	OBSPort int
	// OBSPassword is nil where OBS's own files are to tell it. An empty password was given as such.
	OBSPassword     *obsctl.Secret
	OBSPasswordFile string

	Panel       bool
	PanelListen string

	RecordPeer string

	JSON    bool
	Verbose bool
}
