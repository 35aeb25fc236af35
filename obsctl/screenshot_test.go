// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
)

// picture is as large, and as little compressible, as a JPEG of the given
// number of bytes.
func picture(size int) []byte {
	data := make([]byte, size)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(data)
	return data
}

// shooter is what takes screenshots: a Client or a Screenshots.
type shooter interface {
	Screenshot(ctx context.Context, source string, w, h int, format string, quality int) ([]byte, error)
}

func shooters(t testing.TB, f *fakeobs.Server, opts Options) map[string]shooter {
	client, err := Dial(t.Context(), endpointOf(f), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	alone, err := DialScreenshots(t.Context(), endpointOf(f), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = alone.Close() })
	return map[string]shooter{"Client": client, "Screenshots": alone}
}

func dataURL(image []byte) map[string]string {
	return map[string]string{"imageData": "data:image/jpg;base64," + base64.StdEncoding.EncodeToString(image)}
}

func TestScreenshot(t *testing.T) {
	want := picture(1000)
	tests := []struct {
		name    string
		answer  any
		refusal *fakeobs.Refusal
		code    int // 0: not refused
		ok      bool
	}{
		{name: "a picture", answer: dataURL(want), ok: true},
		{name: "no data URL", answer: map[string]string{"imageData": "AAAA"}},
		{name: "no picture", answer: map[string]string{}},
		{name: "cut short", answer: map[string]string{"imageData": "data:image/jpg;base64,AAA"}},
		{name: "no such source", refusal: &fakeobs.Refusal{Code: 600, Comment: "no `;base64,` either"}, code: 600},
	}
	for _, tt := range tests {
		f := (&fakeobs.Server{Password: "pw", Handle: func(string, json.RawMessage) (any, *fakeobs.Refusal) {
			return tt.answer, tt.refusal
		}}).Start(t)
		for name, s := range shooters(t, f, Options{}) {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				got, err := s.Screenshot(t.Context(), "Scene", 64, 36, "jpg", 80)
				if (err == nil) != tt.ok || tt.ok && !cmp.Equal(want, got) {
					t.Errorf("got %d bytes, error %v, want success: %v", len(got), err, tt.ok)
				}
				if tt.code != 0 && !IsCode(err, tt.code) {
					t.Errorf("got error %v, want code %d", err, tt.code)
				}
			})
		}
	}
}

func TestScreenshotsEnd(t *testing.T) {
	release := make(chan struct{})
	f := (&fakeobs.Server{Handle: func(string, json.RawMessage) (any, *fakeobs.Refusal) { <-release; return nil, nil }}).Start(t)
	defer close(release)
	dial := func(timeout time.Duration) *Screenshots {
		t.Helper()
		s, err := DialScreenshots(t.Context(), endpointOf(f), Options{Timeout: timeout})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	shoot := func(ctx context.Context, s *Screenshots) error {
		_, err := s.Screenshot(ctx, "Scene", 64, 36, "jpg", 80)
		return err
	}
	t.Run("no answer", func(t *testing.T) {
		s := dial(50 * time.Millisecond)
		if err := shoot(t.Context(), s); !errors.Is(err, ErrNoAnswer) {
			t.Errorf("got error %v, want ErrNoAnswer", err)
		}
		if err := shoot(t.Context(), s); !errors.Is(err, ErrLost) {
			t.Errorf("afterwards: got error %v, want ErrLost", err)
		}
	})
	t.Run("caller gives up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		if err := shoot(ctx, dial(time.Minute)); !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want context.Canceled", err)
		}
	})
	t.Run("reset", func(t *testing.T) {
		s := dial(time.Minute)
		time.AfterFunc(20*time.Millisecond, f.Reset)
		if err := shoot(t.Context(), s); !errors.Is(err, ErrLost) {
			t.Errorf("got error %v, want ErrLost", err)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		locked := endpointOf((&fakeobs.Server{Password: "pw"}).Start(t))
		locked.Password = "other"
		if _, err := DialScreenshots(t.Context(), locked, Options{}); !errors.Is(err, ErrAuth) {
			t.Errorf("got error %v, want ErrAuth", err)
		}
	})
}

// BenchmarkScreenshot compares the two for the size of 1280x720 in JPEG at
// quality 80. The fake server's part, about the same for both, is included.
func BenchmarkScreenshot(b *testing.B) {
	answer, err := json.Marshal(dataURL(picture(57_000)))
	if err != nil {
		b.Fatal(err)
	}
	f := (&fakeobs.Server{Handle: func(string, json.RawMessage) (any, *fakeobs.Refusal) {
		return json.RawMessage(answer), nil
	}}).Start(b)
	for name, s := range shooters(b, f, Options{}) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Screenshot(b.Context(), "Scene", 1280, 720, "jpg", 80); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
