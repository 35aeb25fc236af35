// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// obsFiles are the profiles and scene collections of an OBS that has quit, by
// path, without what OBS itself rewrites at every run: in a collection what
// [testbed.ParseCollection] leaves out, in a profile the "CookieId", which it
// draws when it first switches to the profile while it runs (measured, 29.0.2).
func obsFiles(t *testing.T, obs *testbed.OBS) map[string]any {
	t.Helper()
	root := filepath.Join(obs.Config, "obs-studio", "basic")
	files := make(map[string]any)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".bak") || strings.HasSuffix(path, ".before-costream-obs") {
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
		collection, err := testbed.ParseCollection(text)
		if err != nil {
			return err
		}
		files[name] = collection
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var cookie = regexp.MustCompile(`\n\[Panels\]\nCookieId=.*\n`)
