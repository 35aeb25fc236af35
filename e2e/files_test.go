// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// obsFiles are the profiles and scene collections of an OBS that has quit, by
// path, without what OBS itself rewrites at every run (measured, 29.0.2):
//   - the order of "sources" in a scene collection, which is random;
//   - "id_counter" of a scene, which counts the items it has ever had;
//   - "CookieId" of a profile, which it draws when it first switches to the
//     profile while it runs.
func obsFiles(t *testing.T, obs *testbed.OBS) map[string]any {
	t.Helper()
	root := filepath.Join(obs.Config, "obs-studio", "basic")
	files := make(map[string]any)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".bak") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if filepath.Ext(path) != ".json" {
			files[name] = strings.Split(cookie.ReplaceAllString(string(text), ""), "\n")
			return nil
		}
		var parsed any
		if err := json.Unmarshal(text, &parsed); err != nil {
			return err
		}
		settle(parsed)
		files[name] = parsed
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var cookie = regexp.MustCompile(`\n\[Panels\]\nCookieId=.*\n`)

func settle(collection any) {
	all, ok := collection.(map[string]any)
	if !ok {
		return
	}
	sources, _ := all["sources"].([]any)
	name := func(source any) string {
		s, _ := source.(map[string]any)
		name, _ := s["name"].(string)
		return name
	}
	slices.SortFunc(sources, func(a, b any) int { return strings.Compare(name(a), name(b)) })
	for _, source := range sources {
		if s, ok := source.(map[string]any); ok {
			if settings, ok := s["settings"].(map[string]any); ok {
				delete(settings, "id_counter")
			}
		}
	}
}
