// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
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
