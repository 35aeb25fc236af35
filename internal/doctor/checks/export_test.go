// SPDX-License-Identifier: Apache-2.0

package checks

import "strings"

// PairSources are the sources of the table of versions, for the test of the document.
func PairSources() []string {
	var sources []string
	for _, p := range badPairs {
		sources = append(sources, p.sources)
	}
	return sources
}

// WithoutPasswordOption is withoutPasswordOption for the tests.
func WithoutPasswordOption(log string) string { return withoutPasswordOption(log) }

// WithoutURLs is what a bundle makes of a text in which no secret is known.
func WithoutURLs(text string) string { return redactor{strings.NewReplacer()}.Replace(text) }
