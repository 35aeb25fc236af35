// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// session is a connection to obs-websocket that makes one request at a time.
type session struct {
	conn   *websocket.Conn
	next   int
	events []string // types of those that came while something else was awaited
}

// Operation codes of the obs-websocket 5 protocol.
const (
	opHello           = 0
	opIdentify        = 1
	opIdentified      = 2
	opEvent           = 5
	opRequest         = 6
	opRequestResponse = 7
)

type message struct {
	Op   int             `json:"op"`
	Data json.RawMessage `json:"d"`
}

const sessionTimeout = 10 * time.Second

// Event subscriptions of the obs-websocket 5 protocol.
const (
	noEvents         = 0
	transitionEvents = 1 << 4
)

// dialSession returns when OBS has answered Identified.
func dialSession(ctx context.Context, port int, password string, events int) (*session, error) {
	dialer := websocket.Dialer{HandshakeTimeout: sessionTimeout}
	conn, _, err := dialer.DialContext(ctx, fmt.Sprintf("ws://127.0.0.1:%d", port), nil)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn}
	if err := s.identify(password, events); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

func (s *session) identify(password string, events int) error {
	var hello struct {
		Authentication struct{ Challenge, Salt string }
	}
	if err := s.read(opHello, &hello); err != nil {
		return err
	}
	identify := map[string]any{"rpcVersion": 1, "eventSubscriptions": events}
	if auth := hello.Authentication; auth.Challenge != "" {
		identify["authentication"] = hash(hash(password+auth.Salt) + auth.Challenge)
	}
	if err := s.write(opIdentify, identify); err != nil {
		return err
	}
	return s.read(opIdentified, nil)
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (s *session) request(name string, data, response any) error {
	s.next++
	id := strconv.Itoa(s.next)
	if data == nil {
		data = struct{}{}
	}
	err := s.write(opRequest, map[string]any{"requestType": name, "requestId": id, "requestData": data})
	if err != nil {
		return err
	}
	var answer struct {
		RequestStatus struct {
			Result  bool
			Code    int
			Comment string
		}
		ResponseData json.RawMessage
	}
	if err := s.read(opRequestResponse, &answer); err != nil {
		return err
	}
	if status := answer.RequestStatus; !status.Result {
		return &RequestError{Request: name, Code: status.Code, Comment: status.Comment}
	}
	if response == nil {
		return nil
	}
	return json.Unmarshal(answer.ResponseData, response)
}

func (s *session) write(op int, data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return err
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(sessionTimeout))
	return s.conn.WriteJSON(message{Op: op, Data: raw})
}

func (s *session) read(op int, into any) error {
	_ = s.conn.SetReadDeadline(time.Now().Add(sessionTimeout))
	for {
		var m message
		if err := s.conn.ReadJSON(&m); err != nil {
			return err
		}
		switch {
		case m.Op == op && into == nil:
			return nil
		case m.Op == op:
			return json.Unmarshal(m.Data, into)
		case m.Op != opEvent:
			return fmt.Errorf("obs-websocket sent operation %d, want %d", m.Op, op)
		}
		var event struct{ EventType string }
		if err := json.Unmarshal(m.Data, &event); err != nil {
			return err
		}
		s.events = append(s.events, event.EventType)
	}
}

// awaitEvent returns when an event of a type has come since the session began.
func (s *session) awaitEvent(eventType string) error {
	for !slices.Contains(s.events, eventType) {
		var event struct{ EventType string }
		if err := s.read(opEvent, &event); err != nil {
			return fmt.Errorf("await %s: %w", eventType, err)
		}
		s.events = append(s.events, event.EventType)
	}
	return nil
}

// awaitEventLoop returns when OBS's window takes orders. Up to OBS 30 that is
// so as soon as OBS answers requests. From 31 on obs-websocket answers once the
// scenes are there, while the window is still being built, and from 32.1 on a
// CreateScene in between stops OBS for good: the request holds the lock of the
// signal source_create until the window's thread has taken the scene in, and
// that thread needs this lock to build the audio mixer (OBSBasic::OBSInit,
// AudioMixer). A scene transition is set by that thread, in its event loop, and
// the event is sent also when it was set before.
func (s *session) awaitEventLoop() error {
	var current struct{ TransitionName string }
	if err := s.request("GetCurrentSceneTransition", nil, &current); err != nil {
		return err
	}
	if err := s.request("SetCurrentSceneTransition", D{"transitionName": current.TransitionName}, nil); err != nil {
		return err
	}
	return s.awaitEvent("CurrentSceneTransitionChanged")
}

// RequestError is OBS's refusal of a request.
type RequestError struct {
	Request string
	Code    int // RequestStatus of the obs-websocket protocol
	Comment string
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("OBS refused %s: %d %s", e.Request, e.Code, e.Comment)
}
