// SPDX-License-Identifier: Apache-2.0

package layouts

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/scenes"
)

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "costream-obs", "layouts.json")
	l, err := Load(path)
	if err != nil || len(l) != 0 {
		t.Fatalf("without a file: got %v and error %v, want none", l, err)
	}
	l["beside me"] = scenes.Saved{Canvas: scenes.Size{W: 1280, H: 720}, Above: 2,
		Transform: scenes.Transform{X: 12.5, ScaleX: 0.5, ScaleY: 0.5, Rotation: 3, Alignment: 5, BoundsType: "OBS_BOUNDS_NONE", CropLeft: 7}}
	l["a"] = scenes.Saved{}
	if err := l.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(l, got); diff != "" {
		t.Errorf("read again: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "beside me"}, got.Names()); diff != "" {
		t.Errorf("Names: -want +got:\n%s", diff)
	}
}

func TestGetUnknown(t *testing.T) {
	for _, tt := range []struct {
		layouts    Layouts
		name, want string
	}{
		{nil, "x", `there is no saved layout "x"; place the peer in OBS as you like it, then: costream-obs peer layout save NAME`},
		{Layouts{"besides": {}}, "beside", `there is no saved layout "beside"; did you mean besides?`},
		{Layouts{"small": {}, "big": {}}, "unlike all", `there is no saved layout "unlike all"; there are big, small`},
	} {
		_, err := tt.layouts.Get(tt.name)
		if !errors.As(err, new(*UnknownError)) || err.Error() != tt.want {
			t.Errorf("got error %q, want %q", err, tt.want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{"small": true, "left of Ünïcode": true, "": false, " ": false, "x ": false, "a\nb": false} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func TestLoadDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "layouts.json")
	if err := os.WriteFile(path, []byte(`{"a": 3}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path+" is damaged") {
		t.Errorf("got %v, want an error that names the file", err)
	}
}
