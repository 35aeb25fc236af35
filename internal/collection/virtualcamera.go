// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"encoding/json"
	"fmt"
)

// CameraType says what OBS's virtual camera shows.
type CameraType int

// The types, as OBS 30 and later number them.
const (
	CameraScene     CameraType = 1
	CameraSource    CameraType = 2
	CameraProgramme CameraType = 3
	CameraPreview   CameraType = 4
)

// VirtualCamera is what OBS's virtual camera is set to show.
type VirtualCamera struct {
	Type CameraType
	// Scene and Source are names; each counts with its own type alone, and OBS remembers the other.
	Scene, Source string
}

// CameraPath is where the virtual camera's settings are in a collection. An OBS that runs without the v4l2loopback
// module drops them (measured, 29.0.2).
const CameraPath = "virtual-camera"

// storedCamera is both forms: OBS 30 and later read type2, and the others when that is 0; OBS 29 and older know
// type (0 the programme or the preview, 1 a scene, 2 a source) and internal (0 the programme, 1 the preview).
type storedCamera struct {
	Internal int        `json:"internal"`
	Scene    string     `json:"scene"`
	Source   string     `json:"source"`
	Type     int        `json:"type"`
	Type2    CameraType `json:"type2"`
}

// VirtualCamera returns what the virtual camera shows, which is the programme unless the collection says otherwise.
func (d *Doc) VirtualCamera() (VirtualCamera, error) {
	var s storedCamera
	if raw := d.Get(CameraPath); raw != nil {
		if err := json.Unmarshal(raw, &s); err != nil {
			return VirtualCamera{}, fmt.Errorf("%w: virtual camera: %w", ErrInvalid, err)
		}
	}
	v := VirtualCamera{Type: s.Type2, Scene: s.Scene, Source: s.Source}
	switch {
	case v.Type != 0:
	case s.Type != 0:
		v.Type = CameraType(s.Type)
	case s.Internal == 1:
		v.Type = CameraPreview
	default:
		v.Type = CameraProgramme
	}
	return v, nil
}

// SetVirtualCamera sets what the virtual camera shows, in the form of every version of OBS.
func (d *Doc) SetVirtualCamera(v VirtualCamera) error {
	s := storedCamera{Scene: v.Scene, Source: v.Source, Type2: v.Type}
	switch v.Type {
	case CameraScene, CameraSource:
		s.Type = int(v.Type)
	case CameraPreview:
		s.Internal = 1
	}
	return d.Set(s, CameraPath)
}
