// SPDX-License-Identifier: Apache-2.0

package scenes

import "fmt"

// Nesting says that a scene shows another one that has the peer.
type Nesting struct {
	Scene   string `json:"scene"`
	Through string `json:"through"` // the scene that has the peer itself
}

// NestedError says that a command changed nothing, because the scene has the peer only through a nested scene.
type NestedError struct{ Nesting }

func (e *NestedError) Error() string {
	return fmt.Sprintf("scene %q has the peer only through the nested scene %q: use --scene %q", e.Scene, e.Through, e.Through)
}

// nestings returns those of the scenes that have no item of the peer source but show a scene that has one.
func (h *hand) nestings(in []*Scene) []Nesting {
	var out []Nesting
	for _, sc := range in {
		if len(h.itemsOf(sc)) > 0 {
			continue
		}
		through := ""
		if h.nested(sc, func(inner *Scene) bool {
			through = inner.Name
			return len(h.itemsOf(inner)) > 0
		}) {
			out = append(out, Nesting{Scene: sc.Name, Through: through})
		}
	}
	return out
}

// unchanged is the error of a command that changed nothing in scenes that the user named, or nil.
func (h *hand) unchanged(in []*Scene) error {
	if all := h.nestings(in); len(all) > 0 {
		return &NestedError{all[0]}
	}
	return nil
}
