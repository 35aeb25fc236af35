// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"fmt"
	"os"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/dock"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/xdg"
	"github.com/costream-obs/costream-obs/obsctl"
)

// Dock is the state of the dock that `costream-obs setup dock` added to OBS.
type Dock struct {
	// Order is the last order; nil means that there was none.
	Order *dock.Order
	// Browser says whether OBS has browser docks.
	Browser dock.Browser
	// Address is that of our dock in OBS, "" if it has none. Leads says that it is the page of the order, PageErr why that
	// page cannot be read.
	Address string
	Leads   bool
	PageErr error
}

// lookAtDock reads the files; OBS need not run.
func lookAtDock(stateDir string) (Dock, error) {
	var d Dock
	obs, err := collection.Find(obsctl.FindOptions{})
	if err != nil {
		return d, err
	}
	home, err := xdg.Home()
	if err != nil {
		return d, err
	}
	d.Browser = dock.FindBrowser(obs, dock.Places{Home: home})
	if d.Order, err = dock.NewStore(stateDir).Load(); err != nil || d.Order == nil {
		return d, err
	}
	if d.Address, err = dock.Address(obs); err != nil {
		return d, err
	}
	d.Leads = dock.Leads(d.Address, d.Order.Page)
	_, d.PageErr = os.ReadFile(d.Order.Page)
	return d, nil
}

// dockSetUp is obs.dock.
func (m *Machine) dockSetUp(ctx context.Context) doctor.Result {
	d, err := m.Dock(ctx)
	const again = "Close OBS and type `costream-obs setup dock`, or drop the dock with `costream-obs setup dock --undo`."
	warn := func(why, next, detail string, args ...any) doctor.Result {
		return doctor.Result{Status: doctor.Warn, Detail: fmt.Sprintf(detail, args...), Why: why, Next: next}
	}
	switch {
	case err != nil:
		return doctor.Skipped("OBS's files do not say (%v)", err)
	case d.Order == nil && d.Browser == dock.NoDocks:
		return doctor.Fine("this OBS has no browser docks; `costream-obs panel` opens the panel in a browser")
	case d.Order == nil:
		return doctor.Fine("none was set up; `costream-obs setup dock` does it")
	case d.Order.Waiting:
		return warn("When OBS ends it writes its settings and overwrites changes by others.",
			"Close OBS while `costream-obs run` runs. Without it, close OBS and repeat the command.",
			"The change of `costream-obs setup dock` waits until OBS is closed.")
	case d.Order.Problem != "":
		return warn("OBS does not have it.", again, "The dock could not be given to OBS: %s.", d.Order.Problem)
	case d.Browser == dock.NoDocks:
		return warn("It was built without its browser, as Debian's is.",
			"Open the panel in a browser beside OBS: `costream-obs panel`. Drop the dock with `costream-obs setup dock --undo`.",
			"OBS has no browser docks, so it cannot show the one that you set up.")
	case d.Address == "":
		return warn("It was removed in OBS, or this OBS is another one.", again, "OBS does not have the dock that you set up.")
	case !d.Leads:
		return warn("The page moved, or somebody changed the address in OBS.", again,
			"OBS's dock opens %s, which is not the page of this costream-obs.", d.Address)
	case d.PageErr != nil:
		return warn("Without it the dock stays empty.", again, "The page that OBS's dock opens cannot be read: %v.", d.PageErr)
	}
	return doctor.Fine("OBS, menu Docks")
}
