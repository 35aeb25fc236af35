// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Why OBS could not be found or reached. Match them with errors.Is; the
// messages around them say where it happened and what to do next.
var (
	// ErrNoConfig: no obs-websocket configuration was found. Find still
	// returns the default endpoint with it.
	ErrNoConfig = errors.New("no obs-websocket configuration found")
	// ErrNoWebSocket: OBS is there, but older than 28 or built without
	// obs-websocket. ErrNoConfig comes with it.
	ErrNoWebSocket = errors.New("this OBS has no obs-websocket")
	// ErrServerDisabled: OBS's files say that its websocket server is off.
	ErrServerDisabled = errors.New("OBS's websocket server is switched off")
	// ErrRefused: nothing listens at the endpoint.
	ErrRefused = errors.New("connection refused")
	// ErrUnreachable: the host is unknown or cannot be reached.
	ErrUnreachable = errors.New("host cannot be reached")
	// ErrAuth: OBS does not accept the password.
	ErrAuth = errors.New("wrong password")
	// ErrNotOBS: what listens there is not an obs-websocket server.
	ErrNotOBS = errors.New("not an obs-websocket server")
	// ErrTooOld: OBS is older than 28.0.
	ErrTooOld = errors.New("OBS is too old")
	// ErrLoading: OBS runs but has not loaded its scenes yet.
	ErrLoading = errors.New("OBS is still loading")
	// ErrNoAnswer: OBS did not answer in time.
	ErrNoAnswer = errors.New("no answer from OBS")
	// ErrLost: the connection ended, or was reset, after it had worked.
	ErrLost = errors.New("connection to OBS lost")
	// ErrClosed: Close was called.
	ErrClosed = errors.New("connection to OBS closed")
)

// What OBS is in no state for.
var (
	// ErrNoVirtualCam: OBS has no virtual camera, because v4l2loopback was
	// not there when OBS started.
	ErrNoVirtualCam = errors.New("OBS has no virtual camera")
	// ErrVirtualCamDead: OBS accepted the start, but the camera is not active.
	ErrVirtualCamDead = errors.New("OBS's virtual camera did not start")
	// ErrWrongDevice: OBS's virtual camera writes to another device.
	ErrWrongDevice = errors.New("OBS's virtual camera writes to another device")
)

// ErrStop ends Keeper.Run when the error that its use function returns wraps
// it.
var ErrStop = errors.New("stop")

// Codes of obs-websocket's RequestStatus that callers ask for with IsCode.
const (
	CodeUnknownRequest   = 204
	CodeNotReady         = 207 // while OBS loads or changes its scenes; from obs-websocket 5.3 on
	CodeOutputRunning    = 500
	CodeOutputNotRunning = 501
	CodeNotFound         = 600
	CodeAlreadyExists    = 601
	CodeInvalidState     = 604
	CodeRequestFailed    = 702
)

// RequestError is OBS's refusal of a request.
type RequestError struct {
	Request string // such as "CreateInput"
	Code    int    // obs-websocket's RequestStatus, such as 601
	Status  string // its name, such as "ResourceAlreadyExists"
	Comment string // OBS's explanation, often empty
}

func (e *RequestError) Error() string {
	text := e.Comment
	if text == "" {
		text = e.Status
	}
	return fmt.Sprintf("OBS refused %s: %s (code %d)", e.Request, strings.TrimSuffix(text, "."), e.Code)
}

// Is reports whether target is ErrLoading and OBS refused the request for that
// reason.
func (e *RequestError) Is(target error) bool { return target == ErrLoading && e.Code == CodeNotReady }

// IsCode reports whether err is OBS's refusal of a request with this code.
func IsCode(err error, code int) bool {
	var refused *RequestError
	return errors.As(err, &refused) && refused.Code == code
}

// errForm is the error of an answer that cannot be read.
var errForm = errors.New("OBS's answer has an unexpected form")

// refusal is how goobs writes a refused request; it has no error type.
var refusal = regexp.MustCompile(`(?s)^request (\w+): (.*?) \((\d+)\)(?:: (.*))?$`)

// requestError turns an error of goobs into one of this package. What goobs
// says about an answer that it could not decode quotes the whole answer, which
// may hold a stream key, so that is cut off.
func requestError(request string, err error) error {
	if errors.As(err, new(*RequestError)) {
		return err
	}
	text := err.Error()
	if m := refusal.FindStringSubmatch(text); m != nil {
		code, _ := strconv.Atoi(m[3])
		return &RequestError{Request: m[1], Code: code, Status: m[2], Comment: m[4]}
	}
	if strings.Contains(text, "decoding `") {
		return fmt.Errorf("%s: %w", request, errForm)
	}
	return fmt.Errorf("%s: %w", request, err)
}
