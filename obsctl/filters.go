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
	return c.filters(ctx, named(source))
}

func (c *Client) filters(ctx context.Context, source SourceID) ([]Filter, error) {
	p := filtersParams(source)
	r, err := call(ctx, c, "GetSourceFilterList", func(g *goobs.Client) (*filters.GetSourceFilterListResponse, error) {
		return g.Filters.GetSourceFilterList(p)
	})
	if err != nil {
		return nil, err
	}
	return readFilters(r), nil
}

func filtersParams(source SourceID) *filters.GetSourceFilterListParams {
	p := filters.NewGetSourceFilterListParams()
	p.SourceName, p.SourceUuid = source.fields()
	return p
}

func readFilters(r *filters.GetSourceFilterListResponse) []Filter {
	list := make([]Filter, 0, len(r.Filters))
	for _, f := range r.Filters {
		list = append(list, Filter{Name: f.FilterName, Kind: f.FilterKind, Enabled: f.FilterEnabled, Settings: f.FilterSettings})
	}
	return list
}

// CreateFilter adds a filter to a source, after those that it has. A new filter
// is enabled whatever f says.
func (c *Client) CreateFilter(ctx context.Context, source string, f Filter) error {
	return c.createFilter(ctx, named(source), f)
}

func (c *Client) createFilter(ctx context.Context, source SourceID, f Filter) error {
	p := createFilterParams(source, f)
	return do(ctx, c, "CreateSourceFilter", func(g *goobs.Client) (*filters.CreateSourceFilterResponse, error) {
		return g.Filters.CreateSourceFilter(p)
	})
}

// RemoveFilter removes a filter from a source.
func (c *Client) RemoveFilter(ctx context.Context, source, filter string) error {
	return c.removeFilter(ctx, named(source), filter)
}

func (c *Client) removeFilter(ctx context.Context, source SourceID, filter string) error {
	p := removeFilterParams(source, filter)
	return do(ctx, c, "RemoveSourceFilter", func(g *goobs.Client) (*filters.RemoveSourceFilterResponse, error) {
		return g.Filters.RemoveSourceFilter(p)
	})
}

// SetFilterEnabled switches a filter on or off.
func (c *Client) SetFilterEnabled(ctx context.Context, source, filter string, enabled bool) error {
	return c.setFilterEnabled(ctx, named(source), filter, enabled)
}

func (c *Client) setFilterEnabled(ctx context.Context, source SourceID, filter string, enabled bool) error {
	p := enableFilterParams(source, filter, enabled)
	return do(ctx, c, "SetSourceFilterEnabled", func(g *goobs.Client) (*filters.SetSourceFilterEnabledResponse, error) {
		return g.Filters.SetSourceFilterEnabled(p)
	})
}

// SetFilterSettings replaces all settings of a filter.
func (c *Client) SetFilterSettings(ctx context.Context, source, filter string, settings map[string]any) error {
	return c.setFilterSettings(ctx, named(source), filter, settings)
}

func (c *Client) setFilterSettings(ctx context.Context, source SourceID, filter string, settings map[string]any) error {
	p := filterSettingsParams(source, filter, settings)
	return do(ctx, c, "SetSourceFilterSettings", func(g *goobs.Client) (*filters.SetSourceFilterSettingsResponse, error) {
		return g.Filters.SetSourceFilterSettings(p)
	})
}

func createFilterParams(source SourceID, f Filter) *filters.CreateSourceFilterParams {
	p := filters.NewCreateSourceFilterParams().
		WithFilterName(f.Name).WithFilterKind(f.Kind).WithFilterSettings(f.Settings)
	p.SourceName, p.SourceUuid = source.fields()
	return p
}

func removeFilterParams(source SourceID, filter string) *filters.RemoveSourceFilterParams {
	p := filters.NewRemoveSourceFilterParams().WithFilterName(filter)
	p.SourceName, p.SourceUuid = source.fields()
	return p
}

func enableFilterParams(source SourceID, filter string, enabled bool) *filters.SetSourceFilterEnabledParams {
	p := filters.NewSetSourceFilterEnabledParams().WithFilterName(filter).WithFilterEnabled(enabled)
	p.SourceName, p.SourceUuid = source.fields()
	return p
}

func filterSettingsParams(source SourceID, filter string, settings map[string]any) *filters.SetSourceFilterSettingsParams {
	if settings == nil {
		settings = map[string]any{}
	}
	p := filters.NewSetSourceFilterSettingsParams().
		WithFilterName(filter).WithFilterSettings(settings).WithOverlay(false)
	p.SourceName, p.SourceUuid = source.fields()
	return p
}
