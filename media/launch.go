// SPDX-License-Identifier: Apache-2.0

package media

import (
	"strconv"
	"strings"
)

// node is one element of a pipeline, or the caps between two elements.
type node struct {
	factory string // empty for caps and branches
	text    string
	branch  bool // it is not linked to the node before it
}

// graph is a whole pipeline: nodes in a row, each linked to the next, and perhaps branches after them.
type graph []node

// element returns a node that makes an element with properties, each "name=value" as made by prop.
func element(factory string, props ...string) node {
	return node{factory: factory, text: strings.Join(append([]string{factory}, props...), " ")}
}

// caps returns a node that allows only this format between its neighbours.
func caps(text string) node { return node{text: text} }

// branch returns a node that stands for the named element, a tee, to which the next nodes are linked as well.
func branch(name string) node { return node{text: name + ".", branch: true} }

// prop returns one property of an element, quoted if launch text needs that.
func prop(name, value string) string {
	plain := value != "" && strings.IndexFunc(value, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@", r)
	}) < 0
	if plain {
		return name + "=" + value
	}
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// intProp returns one property of an element with a number.
func intProp(name string, value int) string { return name + "=" + strconv.Itoa(value) }

// row returns a pipeline of nodes.
func row(nodes ...node) graph { return nodes }

// String returns the launch text, in the syntax of gst-launch-1.0.
func (g graph) String() string {
	var text strings.Builder
	for i, n := range g {
		switch {
		case i == 0:
		case n.branch:
			text.WriteString(" ")
		default:
			text.WriteString(" ! ")
		}
		text.WriteString(n.text)
	}
	return text.String()
}

// factories returns the names of all element factories that the graph needs.
func (g graph) factories() []string {
	var names []string
	for _, n := range g {
		if n.factory != "" {
			names = append(names, n.factory)
		}
	}
	return names
}

// newest is a queue for one buffer, which a newer one replaces. It gives the elements before it their own thread, and never
// delays a picture.
func newest() node {
	return element("queue", "max-size-buffers=1", "max-size-bytes=0", "max-size-time=0", "leaky=downstream")
}
