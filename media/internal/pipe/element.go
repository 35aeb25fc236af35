// SPDX-License-Identifier: Apache-2.0

package pipe

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/go-gst/go-gst/gst"
)

// Element is one named element of a pipeline.
type Element struct {
	gst *gst.Element
}

// Element returns the element of that name.
func (p *Pipeline) Element(name string) (*Element, error) {
	e, err := p.find(name, "")
	if err != nil {
		return nil, err
	}
	return &Element{gst: e}, nil
}

// find returns the element of that name and GLib type; an empty type means any. The binding's own casts do not fail for
// another type.
func (p *Pipeline) find(name, typeName string) (*gst.Element, error) {
	e, err := p.gst.GetElementByName(name)
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	if got := e.TypeFromInstance().Name(); typeName != "" && got != typeName {
		return nil, fmt.Errorf("pipeline: element %s is a %s, not a %s", name, got, typeName)
	}
	return e, nil
}

// Set changes a property. The value is text, as in launch text: the binding's typed setter refuses enums, and all but the
// exact integer type.
func (e *Element) Set(property, value string) {
	e.gst.SetArg(property, value)
}

// InputSize returns the size of the pictures that go into the element, corrected if pixels are not square, and 0 before
// there are any.
func (e *Element) InputSize() (w, h int) {
	pad := e.gst.GetStaticPad("sink")
	if pad == nil || !pad.HasCurrentCaps() {
		return 0, 0
	}
	caps := pad.GetCurrentCaps()
	if caps == nil {
		return 0, 0
	}
	runtime.SetFinalizer(caps, nil)
	defer caps.Unref()
	s := caps.GetStructureAt(0)
	number := func(field string) int {
		v, _ := s.GetValue(field)
		n, _ := v.(int)
		return n
	}
	w, h = number("width"), number("height")
	if v, err := s.GetValue("pixel-aspect-ratio"); err == nil {
		if par, ok := v.(*gst.FractionValue); ok && par.Num() > 0 && par.Denom() > 0 {
			w, h = w*par.Num(), h*par.Denom()
		}
	}
	return w, h
}

// ForceKeyFrame asks the encoder upstream of this element for a key frame with
// fresh parameter sets.
func (e *Element) ForceKeyFrame() error {
	pad := e.gst.GetStaticPad("sink")
	if pad == nil {
		return fmt.Errorf("force key frame: element %s has no sink pad", e.gst.GetName())
	}
	request := gst.NewStructureFromString("GstForceKeyUnit, all-headers=(boolean)true")
	event := gst.NewCustomEvent(gst.EventTypeCustomUpstream, request)
	// PushEvent takes its own reference, so release this one.
	runtime.SetFinalizer(event, nil)
	defer event.Unref()
	if !pad.PushEvent(event) {
		return fmt.Errorf("force key frame: no encoder took the request")
	}
	return nil
}

// view returns the mapped bytes in place; MapInfo.Bytes would copy them.
func view(m *gst.MapInfo) []byte {
	if m == nil || m.Data() == nil {
		return nil
	}
	return unsafe.Slice((*byte)(m.Data()), int(m.Size()))
}
