// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
)

// serverFrame is a frame as a server sends it: unmasked.
func serverFrame(text string) []byte {
	masked := frame([]byte(text))
	head := masked[:len(masked)-len(text)-4]
	head[1] &^= maskBit
	return append(head, text...)
}

func TestUnframer(t *testing.T) {
	const http = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
	long := fmt.Sprintf(`{"d":{"text":%q},"op":7}`, strings.Repeat("x", 70_000))
	longBatch := fmt.Sprintf(`{"d":{"text":%q},"op":9}`, strings.Repeat("x", 70_000))
	event := serverFrame(`{"d":{"note":",\"op\":9}"},"op":5}`)
	masked := frame([]byte(`{"d":{},"op":9}`))
	ping := []byte{0x89, 0x02, 'h', 'i'}
	fragments := append([]byte{0x01, 0x03, 'a', 'b', 'c'}, 0x80, 0x01, 'd')
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	tests := []struct {
		name   string
		sent   []byte
		passed []byte
		taken  []string
	}{
		{"no websocket", []byte("SSH-2.0-OpenSSH"), []byte("SSH-2.0-OpenSSH"), nil},
		{"nothing", nil, nil, nil},
		{"messages and a ping", join([]byte(http), event, ping, serverFrame(long)), join([]byte(http), event, ping, serverFrame(long)), nil},
		{"in pieces", join([]byte(http), fragments), join([]byte(http), fragments), nil},
		{"batches", join([]byte(http), serverFrame(longBatch), event, serverFrame(`{"d":{},"op":9}`)), join([]byte(http), event), []string{longBatch, `{"d":{},"op":9}`}},
		{"masked", join([]byte(http), masked), join([]byte(http), masked), nil},
	}
	for _, tt := range tests {
		for how, reader := range map[string]io.Reader{"at once": bytes.NewReader(tt.sent), "byte by byte": iotest.OneByteReader(bytes.NewReader(tt.sent))} {
			var taken []string
			passed, err := io.ReadAll(newUnframer(reader, func(answer []byte) { taken = append(taken, string(answer)) }))
			if err != nil {
				t.Errorf("%s, %s: %v", tt.name, how, err)
			}
			if !bytes.Equal(passed, tt.passed) || !cmp.Equal(taken, tt.taken) {
				t.Errorf("%s, %s: got %d bytes and %d taken out, want %d and %d", tt.name, how, len(passed), len(taken), len(tt.passed), len(tt.taken))
			}
		}
	}
	// The end in the midst of a message is an error, or goobs would take the rest for lost.
	whole := join([]byte(http), event)
	if _, err := io.ReadAll(newUnframer(bytes.NewReader(whole[:len(whole)-3]), nil)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a message: got error %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

func TestBatch(t *testing.T) {
	server := &fakeobs.Server{Handle: func(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
		switch request {
		case "GetStudioModeEnabled":
			return map[string]any{"studioModeEnabled": true}, nil
		case "GetSceneItemId":
			if bytes.Contains(data, []byte("Peer")) {
				return map[string]any{"sceneItemId": 3}, nil
			}
			return nil, &fakeobs.Refusal{Code: CodeNotFound}
		case "GetInputSettings":
			return "nonsense", nil
		}
		return nil, &fakeobs.Refusal{Code: CodeRequestFailed, Comment: "It has had enough."}
	}}
	c := dialFake(t, server.Start(t), Options{})
	b := c.Batch()
	studio, has, hasNot := b.StudioMode(), b.Holds("Scene", "Peer"), b.Holds("Scene", "Other")
	settings, hidden := b.InputSettings("Peer"), b.SetItemEnabled("Scene", ItemID(3), false)
	if err := b.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !studio.Value || !has.Value || hasNot.Value || studio.Err != nil || has.Err != nil || hasNot.Err != nil {
		t.Errorf("got %+v, %+v and %+v, want true, true and false", *studio, *has, *hasNot)
	}
	if !errors.Is(settings.Err, errForm) {
		t.Errorf("an answer of another form: got error %v, want %v", settings.Err, errForm)
	}
	if want := "OBS refused SetSceneItemEnabled: It has had enough (code 702)"; hidden.Err == nil || hidden.Err.Error() != want {
		t.Errorf("got error %v, want %s", hidden.Err, want)
	}
	if err := c.Batch().Do(t.Context()); err != nil {
		t.Errorf("an empty batch: %v", err)
	}

	// It may be long, and single requests go on beside it.
	b = c.Batch()
	var many []*Answer[bool]
	for range 3*8*batchSize + 1 {
		many = append(many, b.Holds("Scene", "Peer"))
	}
	if err := b.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, a := range many {
		if !a.Value || a.Err != nil {
			t.Fatalf("answer %d: got %+v, want true", i, *a)
		}
	}
	if _, err := c.Scenes(t.Context()); !IsCode(err, CodeRequestFailed) {
		t.Errorf("a request after it: got error %v, want OBS's answer", err)
	}
}

// A batch is asked again while OBS loads, as single requests are, and OBS that does not answer is given up.
func TestBatchOfBusyOBS(t *testing.T) {
	server := &fakeobs.Server{Handle: func(string, json.RawMessage) (any, *fakeobs.Refusal) { return nil, nil }}
	c := dialFake(t, server.Start(t), Options{Timeout: 300 * time.Millisecond})
	server.Loading(true)
	b := c.Batch()
	b.StudioMode()
	if err := b.Do(t.Context()); !errors.Is(err, ErrLoading) {
		t.Errorf("OBS that loads: got error %v, want %v", err, ErrLoading)
	}
	b = c.Batch()
	studio := b.StudioMode()
	time.AfterFunc(2*loadingPause, func() { server.Loading(false) })
	if err := b.Do(t.Context()); err != nil || studio.Err != nil {
		t.Errorf("OBS that has loaded: got errors %v and %v, want none", err, studio.Err)
	}
	server.Answer(false)
	b = c.Batch()
	b.StudioMode()
	if err := b.Do(t.Context()); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("OBS that hangs: got error %v, want %v", err, ErrNoAnswer)
	}
}
