// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path"
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
			return fmt.Errorf("%q has brackets, which belong to an address with a port; give %q", s, inner)
		}
	}
	if strings.Contains(s, "://") {
		return fmt.Errorf("%q is a URL; give the host name or address alone", s)
	}
	if host, _, err := net.SplitHostPort(s); err == nil {
		return fmt.Errorf("%q holds a port; give %q alone: the port is a setting of its own", s, host)
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

func checkDevice(s string) error {
	if !path.IsAbs(s) {
		return fmt.Errorf("%q is not the path of a device; one looks like /dev/video10", s)
	}
	return nil
}

func checkFilled(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("the name is empty")
	}
	return nil
}
