// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/internal/nearest"
)

// envPrefix is how the variables of all settings begin.
const envPrefix = "COSTREAM_"

// UnknownVariables says, in a sentence each, which variables of an environment begin as ours do but set nothing. Others are
// the variables of ours that are no settings.
func UnknownVariables(environ []string, others ...string) []string {
	known := append([]string{FileEnv}, others...)
	for _, s := range Table() {
		known = append(known, s.Env())
	}
	var unknown []string
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, envPrefix) && value != "" && !slices.Contains(known, name) {
			unknown = append(unknown, fmt.Sprintf("environment variable %s: there is no such setting%s", name, nearest.Hint(name, known)))
		}
	}
	slices.Sort(unknown)
	return unknown
}
