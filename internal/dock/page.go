// SPDX-License-Identifier: Apache-2.0

package dock

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
)

// pageName is the page's file, by which our dock is known wherever the file lies.
const pageName = "panel-dock.html"

//go:embed page.html
var page string

// PagePath is where the page for the dock lies in the state directory.
func PagePath(stateDir string) string { return filepath.Join(stateDir, pageName) }

// pageURL is the page's address for OBS.
func pageURL(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }

// WritePage writes the page that OBS's dock opens. It leads to the address of the panel, with its secret, so only its user
// can read it; while the address is "" it waits for one.
func WritePage(stateDir, address string) error {
	text, err := json.Marshal(address) // It escapes <, too.
	if err == nil {
		err = atomicfile.Write(PagePath(stateDir), []byte(strings.Replace(page, "ADDRESS", string(text), 1)))
	}
	if err != nil {
		return fmt.Errorf("the page for OBS's dock: %w", err)
	}
	return nil
}

// UpdatePage is WritePage where setup dock has been used, and does nothing elsewhere.
func UpdatePage(stateDir, address string) error {
	if _, err := os.Stat(PagePath(stateDir)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return WritePage(stateDir, address)
}

// removePage takes the page away.
func removePage(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the page for OBS's dock: %w", err)
	}
	return nil
}
