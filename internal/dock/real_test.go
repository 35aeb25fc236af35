// SPDX-License-Identifier: Apache-2.0

package dock

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestRealDock: OBS starts with the dock among its settings and keeps it when it ends; an undo takes out nothing else.
// What an OBS with browser docks makes of it, Debian's cannot show.
func TestRealDock(t *testing.T) {
	testbed.Need(t)
	obs := testbed.StartOBS(t, testbed.OBSOptions{})
	dir := func() collection.Dir {
		d, err := collection.Find(obsctl.FindOptions{Home: obs.Home, XDGConfigHome: obs.Config})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if browser := FindBrowser(dir(), Places{Home: obs.Home}); browser == Unknown {
		t.Error("an OBS that runs does not say whether it has browser docks")
	}
	order := Order{Page: PagePath(filepath.Join(obs.Home, ".local/state/costream-obs"))}
	if _, err := order.Carry(dir()); err == nil {
		t.Error("the settings of an OBS that runs were changed")
	}
	obs.Interrupt()
	if browser := FindBrowser(dir(), Places{Home: obs.Home}); browser == Unknown {
		t.Error("an OBS that is closed does not say whether it has browser docks")
	}
	settings, err := dir().Settings()
	if err != nil {
		t.Fatal(err)
	}
	read := func() string {
		text, err := os.ReadFile(settings.Path())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if _, err := order.Carry(dir()); err != nil {
		t.Fatal(err)
	}
	obs.Start()
	obs.Interrupt()
	if address, err := Address(dir()); err != nil || !Leads(address, order.Page) {
		t.Errorf("after OBS's end the dock's address is %q, %v", address, err)
	}
	var want strings.Builder // OBS itself writes the rest anew, such as where its window is
	for line := range strings.Lines(read()) {
		if !strings.HasPrefix(line, key+"=") {
			want.WriteString(line)
		}
	}
	order.Undo = true
	if _, err := order.Carry(dir()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), read()); diff != "" {
		t.Errorf("undone: -want +got:\n%s", diff)
	}
}
