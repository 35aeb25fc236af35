// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"errors"
	"slices"
	"time"
)

// pictures knows which inputs of an OBS may be asked for a screenshot. From 29.1 on OBS can stop for good when a screenshot
// is taken of a video source that it does not draw otherwise, just when the source gets its first picture, or one of
// another size (obsctl.Version.UndrawnScreenshotHangs tells why). So a source must have had its picture for two frames.
type pictures struct {
	scenes []string // when OBS was last asked
	inputs map[string]*pictured
}

// pictured is an input, and where it stands.
type pictured struct {
	scene string
	item  int
	frame int // OBS's count of frames when its picture was first seen; 0 if it has none
	ready bool
}

// codeNoPicture is what OBS answers to a screenshot that it cannot make.
const codeNoPicture = 702

// framesLimit is how long OBS may take for two frames.
const framesLimit = 5 * time.Second

// await returns when a screenshot of the source may be taken, or a refusal like OBS's if it has no picture yet. Of what is no
// input in a scene it knows nothing.
func (p *pictures) await(s *session, source string) error {
	if source == "" || slices.Contains(p.scenes, source) {
		return nil
	}
	in, width, err := p.look(s, source)
	if in == nil || err != nil {
		return err
	}
	if width == 0 {
		in.frame, in.ready = 0, false
		return &RequestError{Request: "GetSourceScreenshot", Code: codeNoPicture, Comment: source + " has no picture yet"}
	}
	for began := time.Now(); !in.ready; time.Sleep(2 * time.Millisecond) {
		var stats struct{ RenderTotalFrames int }
		if err := s.request("GetStats", nil, &stats); err != nil {
			return err
		}
		if in.frame == 0 {
			in.frame = stats.RenderTotalFrames
		}
		in.ready = stats.RenderTotalFrames >= in.frame+2
		if !in.ready && time.Since(began) > framesLimit {
			return errors.New("OBS draws no frames")
		}
	}
	return nil
}

// look returns the input and the width of its picture.
func (p *pictures) look(s *session, source string) (in *pictured, width float64, err error) {
	var refused *RequestError
	if in = p.inputs[source]; in != nil {
		width, err = in.width(s)
		if !errors.As(err, &refused) {
			return in, width, err
		}
		delete(p.inputs, source)
	}
	if in, err = p.find(s, source); in == nil || err != nil {
		return nil, 0, err
	}
	if p.inputs == nil {
		p.inputs = make(map[string]*pictured)
	}
	p.inputs[source] = in
	width, err = in.width(s)
	return in, width, err
}

func (in *pictured) width(s *session) (float64, error) {
	var answer struct{ SceneItemTransform struct{ SourceWidth float64 } }
	err := s.request("GetSceneItemTransform", D{"sceneName": in.scene, "sceneItemId": in.item}, &answer)
	return answer.SceneItemTransform.SourceWidth, err
}

// find looks for an item of an input; it returns nil if there is none.
func (p *pictures) find(s *session, source string) (*pictured, error) {
	var list struct{ Scenes []struct{ SceneName string } }
	if err := s.request("GetSceneList", nil, &list); err != nil {
		return nil, err
	}
	p.scenes = nil
	for _, sc := range list.Scenes {
		p.scenes = append(p.scenes, sc.SceneName)
	}
	if slices.Contains(p.scenes, source) {
		return nil, nil
	}
	for _, scene := range p.scenes {
		var found struct{ SceneItemID int }
		err := s.request("GetSceneItemId", D{"sceneName": scene, "sourceName": source}, &found)
		if refused := (*RequestError)(nil); errors.As(err, &refused) {
			continue
		}
		return &pictured{scene: scene, item: found.SceneItemID}, err
	}
	return nil, nil
}
