// SPDX-License-Identifier: Apache-2.0

package v4l2

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCapability(t *testing.T) {
	// By the layout of linux/videodev2.h.
	raw := make([]byte, capabilitySize)
	copy(raw, "v4l2 loopback")
	copy(raw[16:], "costream-topeer")
	copy(raw[48:], "platform:v4l2loopback-010")
	raw[84], raw[87] = 0x02, 0x80|0x05
	raw[88], raw[91] = 0x02, 0x05
	want := Capability{Loopback: true, Output: true}
	if diff := cmp.Diff(want, parseCapability(raw)); diff != "" {
		t.Errorf("capability (-want +got):\n%s", diff)
	}
	raw[87], raw[91] = 0x05, 0
	if diff := cmp.Diff(want, parseCapability(raw)); diff != "" {
		t.Errorf("capability of an old driver (-want +got):\n%s", diff)
	}
}

func TestQueryCapabilityOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "video0")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := queryCapability(path); err == nil {
		t.Error("a plain file passes as a video node")
	}
	if _, err := queryCapability(path + "9"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error: got %v, want %v", err, fs.ErrNotExist)
	}
}
