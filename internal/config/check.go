// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path"
	"strconv"
	"strings"
)

// CheckHost takes a host name or an IP address without a port; its error says in the user's words what else it is.
func CheckHost(s string) error {
	if s == "" {
		return errors.New("the address is empty")
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return nil
	}
	if inner := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"); "["+inner+"]" == s {
		if _, err := netip.ParseAddr(inner); err == nil {
			return fmt.Errorf("%q has brackets, which only an address with a port needs; give %q", s, inner)
		}
	}
	if strings.Contains(s, "://") {
		return fmt.Errorf("%q is a URL; give only its host name or address", s)
	}
	if host, _, err := net.SplitHostPort(s); err == nil {
		return fmt.Errorf("%q contains a port; give %q, because the port has its own setting", s, host)
	}
	for _, r := range s {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._", r) {
			return fmt.Errorf("%q is neither a host name nor an IP address: %q cannot be in one", s, r)
		}
	}
	if len(s) > 253 || strings.HasPrefix(s, "-") || strings.HasPrefix(s, ".") || strings.Contains(s, "..") {
		return fmt.Errorf("%q is neither a host name nor an IP address", s)
	}
	return nil
}

// checkHostPort takes a host name or an IP address with a port.
func checkHostPort(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is not a host with a port, such as example.org:6881 or [2001:db8::1]:6881", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%q: the port must be from 1 to 65535", s)
	}
	return CheckHost(host)
}

// secureBitrate is the default of bitrate on the secure link, in kbit/s; on the plain link there is no minimum.
const secureBitrate = 6000

// checkBitrates refuses a minimum that the user gave above the maximum. The default minimum gives way to a lower maximum.
func (c *Config) checkBitrates(defaultMin bool) error {
	switch {
	case c.Bitrate == 0 && c.MinBitrate > secureBitrate:
		return fmt.Errorf("min-bitrate %d is above %d, the default of bitrate: lower min-bitrate, or set bitrate as well", c.MinBitrate, secureBitrate)
	case c.Bitrate == 0 || c.MinBitrate <= c.Bitrate:
		return nil
	case defaultMin:
		c.MinBitrate = c.Bitrate
		return nil
	}
	return fmt.Errorf("min-bitrate %d is above bitrate %d: lower min-bitrate or raise bitrate", c.MinBitrate, c.Bitrate)
}

func checkDevice(s string) error {
	if !path.IsAbs(s) {
		return fmt.Errorf("%q is not a device path such as /dev/video10", s)
	}
	return nil
}

func checkFilled(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("the name is empty")
	}
	return nil
}
