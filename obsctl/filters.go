// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api/requests/filters"
)

// Filter is an effect on a source.
type Filter struct {
	Name    string
	Kind    string
	Enabled bool
	// Settings are those that differ from the kind's defaults. Numbers are float64.
	Settings map[string]any
}

// Filters lists the filters of a source, scene or group in the order in which
// they work.
func (c *Client) Filters(ctx context.Context, source string) ([]Filter, error) {
	r, err := call(ctx, c, "GetSourceFilterList", func(g *goobs.Client) (*filters.GetSourceFilterListResponse, error) {
		return g.Filters.GetSourceFilterList(filters.NewGetSourceFilterListParams().WithSourceName(source))
	})
	if err != nil {
		return nil, err
	}
	list := make([]Filter, 0, len(r.Filters))
	for _, f := range r.Filters {
		list = append(list, Filter{Name: f.FilterName, Kind: f.FilterKind, Enabled: f.FilterEnabled, Settings: f.FilterSettings})
	}
	return list, nil
}

// CreateFilter adds a filter to a source, after those that it has. A new filter
// is enabled whatever f says.
func (c *Client) CreateFilter(ctx context.Context, source string, f Filter) error {
	return do(ctx, c, "CreateSourceFilter", func(g *goobs.Client) (*filters.CreateSourceFilterResponse, error) {
		return g.Filters.CreateSourceFilter(filters.NewCreateSourceFilterParams().
			WithSourceName(source).WithFilterName(f.Name).WithFilterKind(f.Kind).WithFilterSettings(f.Settings))
	})
}

// RemoveFilter removes a filter from a source.
func (c *Client) RemoveFilter(ctx context.Context, source, filter string) error {
	return do(ctx, c, "RemoveSourceFilter", func(g *goobs.Client) (*filters.RemoveSourceFilterResponse, error) {
		return g.Filters.RemoveSourceFilter(filters.NewRemoveSourceFilterParams().WithSourceName(source).WithFilterName(filter))
	})
}

// SetFilterEnabled switches a filter on or off.
func (c *Client) SetFilterEnabled(ctx context.Context, source, filter string, enabled bool) error {
	return do(ctx, c, "SetSourceFilterEnabled", func(g *goobs.Client) (*filters.SetSourceFilterEnabledResponse, error) {
		return g.Filters.SetSourceFilterEnabled(filters.NewSetSourceFilterEnabledParams().
			WithSourceName(source).WithFilterName(filter).WithFilterEnabled(enabled))
	})
}

// SetFilterSettings replaces all settings of a filter.
func (c *Client) SetFilterSettings(ctx context.Context, source, filter string, settings map[string]any) error {
	if settings == nil {
		settings = map[string]any{}
	}
	return do(ctx, c, "SetSourceFilterSettings", func(g *goobs.Client) (*filters.SetSourceFilterSettingsResponse, error) {
		return g.Filters.SetSourceFilterSettings(filters.NewSetSourceFilterSettingsParams().
			WithSourceName(source).WithFilterName(filter).WithFilterSettings(settings).WithOverlay(false))
	})
}
