// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"net"
	"strconv"
)

// DefaultPort is where obs-websocket listens when nobody chose a port.
const DefaultPort = 4455

// localhost stands for this machine, by IPv4 as well as by IPv6.
const localhost = "localhost"

// Endpoint says where an obs-websocket server listens and how to log in.
type Endpoint struct {
	// Host is a name or an address. "localhost" is 127.0.0.1 and ::1, whatever
	// the machine's resolver makes of it.
	Host     string
	Port     int
	Password Secret
	// AuthRequired is false when OBS is known to ask for no password.
	AuthRequired bool
	// Enabled is false when OBS's own files say that the server is off.
	Enabled bool
	// Source is the file, option or process that the port and the password
	// were taken from, for messages.
	Source string
	// PID is the process id of the OBS that was found running, 0 if none was.
	PID int
}

// Addr returns "host:port", fit for net.Dial.
func (e Endpoint) Addr() string { return net.JoinHostPort(e.Host, strconv.Itoa(e.Port)) }

// Listens reports whether an address, "host:port", is one of this OBS: all names and addresses of this machine's loopback
// lead to the same one.
func (e Endpoint) Listens(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	return err == nil && port == strconv.Itoa(e.Port) && (host == e.Host || isLoopback(host) && isLoopback(e.Host))
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == localhost || ip != nil && ip.IsLoopback()
}

// hosts are the hosts to try, one after the other. OBS listens on both kinds of
// addresses, but with --websocket_ipv4_only, and where the kernel has no IPv6,
// on IPv4 alone, and with the sysctl net.ipv6.bindv6only on IPv6 alone.
func (e Endpoint) hosts() []string {
	if e.Host == localhost {
		return []string{"127.0.0.1", "::1"}
	}
	return []string{e.Host}
}

// FindOptions say what the user chose and where to look. The zero value looks
// at the real machine.
type FindOptions struct {
	// Host and Port override what OBS's files say. With a Host that is not
	// this machine the files are not read at all.
	Host string
	Port int
	// Password overrides the files; an empty one means "log in without".
	Password *Secret

	// Home, XDGConfigHome and ProcRoot replace $HOME, $XDG_CONFIG_HOME and
	// /proc.
	Home, XDGConfigHome, ProcRoot string
}
