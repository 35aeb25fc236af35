// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/andreykaipov/goobs/api/closecodes"
	"github.com/gorilla/websocket"
)

// enableHint is the next step when the server may be off.
const enableHint = `in OBS open Tools > WebSocket Server Settings and tick "Enable WebSocket server"`

// ConnectError says why no connection to OBS could be made, and what to do.
type ConnectError struct {
	Endpoint Endpoint
	Reason   error  // ErrRefused, ErrAuth, ...
	Cause    error  // what the network said; may be nil
	Text     string // the whole message for the user
	// Elsewhere is an address of this machine at which something does listen on that port, or empty. It is set only if the
	// address that was asked for is one of this machine, too.
	Elsewhere string
}

func (e *ConnectError) Error() string { return e.Text }

// Unwrap gives the reason and the cause.
func (e *ConnectError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Cause}
}

func connectError(ep Endpoint, reason, cause error, format string, args ...any) *ConnectError {
	return &ConnectError{Endpoint: ep, Reason: reason, Cause: cause, Text: fmt.Sprintf(format, args...)}
}

// tcpError explains why there is no TCP connection.
func tcpError(ep Endpoint, err error) error {
	if host := listensElsewhere(ep); host != "" {
		reason := ErrUnreachable // for example by IPv6 on a machine without it
		if errors.Is(err, syscall.ECONNREFUSED) {
			reason = ErrRefused
		}
		e := connectError(ep, reason, err, "nothing listens at %s (%s), but something does at %s: leave out --obs-host, or give --obs-host %s",
			ep.Addr(), ep.Source, net.JoinHostPort(host, strconv.Itoa(ep.Port)), host)
		e.Elsewhere = host
		return e
	}
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		text := refused("", ep)
		if ep.PID != 0 && lacksWebSocket("", ep.PID) {
			err = errors.Join(ErrNoWebSocket, err)
		}
		return connectError(ep, ErrRefused, err, "%s", text)
	case errors.As(err, &dns):
		return connectError(ep, ErrUnreachable, err,
			"the host %q of OBS has no address (%v): check --obs-host", ep.Host, dns.Err)
	case isTimeout(err):
		return noAnswerError(ep, err)
	}
	return connectError(ep, ErrUnreachable, err,
		"no connection to OBS at %s (%v): check --obs-host and --obs-port, and the firewall", ep.Addr(), err)
}

// listensElsewhere finds an address of this machine that takes connections although the one that was asked for does not: OBS
// may listen for IPv4 only, for IPv6 only, or on another address.
func listensElsewhere(ep Endpoint) string {
	asked := net.ParseIP(ep.Host)
	if asked == nil || !asked.IsLoopback() {
		return ""
	}
	for _, host := range (Endpoint{Host: localhost}).hosts() {
		if net.ParseIP(host).Equal(asked) {
			continue
		}
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, strconv.Itoa(ep.Port)), time.Second)
		if err == nil {
			_ = conn.Close()
			return host
		}
	}
	return ""
}

// refused says why nothing listens at an endpoint, if the process of OBS shows it. procRoot replaces /proc when not empty.
func refused(procRoot string, ep Endpoint) string {
	if ep.PID != 0 && lacksWebSocket(procRoot, ep.PID) {
		return fmt.Sprintf("OBS runs (process %d) without its WebSocket server: if it is in safe mode, restart it in normal mode; "+
			"else it was built without the server. %s", ep.PID, WebSocketHint(procRoot, ep.PID))
	}
	text := fmt.Sprintf("nothing listens at %s (%s): start OBS; if it runs, ", ep.Addr(), ep.Source)
	if ep.PID != 0 {
		text = fmt.Sprintf("OBS runs (process %d) but nothing listens at %s (%s): ", ep.PID, ep.Addr(), ep.Source)
	}
	if ip := net.ParseIP(ep.Host); ip != nil && ip.IsLoopback() {
		text += "leave out --obs-host, so that IPv4 and IPv6 are both tried; "
	}
	text += enableHint
	if ep.PID != 0 && noIPv6(procRoot) {
		text += "; if it is ticked, start OBS 28 or 29 with --websocket_ipv4_only, because this machine has no IPv6"
	}
	return text
}

// noIPv6 reports whether the kernel has no IPv6. obs-websocket before 5.3 (OBS 30.0) then does not listen at all.
func noIPv6(procRoot string) bool {
	_, err := os.Stat(filepath.Join(orProc(procRoot), "net", "if_inet6"))
	return errors.Is(err, fs.ErrNotExist)
}

// loginError explains why the websocket handshake or the login failed.
func loginError(ep Endpoint, err error) error {
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &closed) && closed.Code == closecodes.AuthenticationFailed && ep.Password == "":
		return connectError(ep, ErrAuth, err,
			"OBS at %s asks for a password and none was found (%s): OBS shows it under Tools > WebSocket Server Settings > "+
				"Show Connect Info; put it into COSTREAM_OBS_PASSWORD or --obs-password-file", ep.Addr(), ep.Source)
	case errors.As(err, &closed) && closed.Code == closecodes.AuthenticationFailed:
		return connectError(ep, ErrAuth, err,
			"OBS at %s does not accept the password (%s): OBS shows the right one under Tools > WebSocket Server Settings > "+
				"Show Connect Info; put it into COSTREAM_OBS_PASSWORD or --obs-password-file", ep.Addr(), ep.Source)
	case isTimeout(err):
		return noAnswerError(ep, err)
	}
	return connectError(ep, ErrNotOBS, err,
		"what listens at %s (%s) is not OBS's websocket server (%v): compare the port with OBS's "+
			"Tools > WebSocket Server Settings", ep.Addr(), ep.Source, err)
}

func noAnswerError(ep Endpoint, err error) error {
	return connectError(ep, ErrNoAnswer, err,
		"no answer from OBS at %s (%s): OBS may hang or show a dialog, or another program (or obs-websocket 4, "+
			"which is too old) has the port; look at the OBS window, restart OBS if it is frozen", ep.Addr(), ep.Source)
}

func loadingError(ep Endpoint, err error) error {
	return connectError(ep, ErrLoading, err,
		"OBS at %s is still loading its scenes: wait until its window shows them, then try again; "+
			"if that takes long, look at the OBS window for a dialog", ep.Addr())
}

func tooOldError(ep Endpoint, v Version) error {
	return connectError(ep, ErrTooOld, nil,
		"OBS %s at %s is too old: OBS %d.%d or newer is needed", v.OBS, ep.Addr(), oldest.Major, oldest.Minor)
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &network) && network.Timeout()
}
