// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/costream-obs/costream-obs/internal/collection"
)

// redactor removes from texts what is nobody's business.
type redactor struct {
	known *strings.Replacer
}

// secretKeys are the settings of stream services that must not be told.
var secretKeys = []string{"key", "password", "bearer_token", "stream_key", "username"}

// redactor knows the secrets of this machine and its OBS.
func (m *Machine) redactor(ctx context.Context) redactor {
	var pairs []string
	hide := func(secret, instead string) {
		// Short ones would hit innocent text.
		if len(secret) >= 4 {
			pairs = append(pairs, secret, instead)
			if quoted, err := json.Marshal(secret); err == nil {
				pairs = append(pairs, strings.Trim(string(quoted), `"`), instead)
			}
		}
	}
	if endpoint, err := m.Endpoint(ctx); endpoint.Password != "" || err == nil {
		hide(endpoint.Password.Reveal(), "[password]")
	}
	for _, dir := range m.obsDirs(ctx) {
		var files []string
		for _, root := range (collection.Dir{Path: dir}).ProfileRoots() {
			found, _ := filepath.Glob(filepath.Join(root, "*", "service.json"))
			files = append(files, found...)
		}
		for _, file := range files {
			var service struct {
				Settings map[string]any `json:"settings"`
			}
			data, err := os.ReadFile(file)
			if err != nil || json.Unmarshal(data, &service) != nil {
				continue
			}
			for _, key := range secretKeys {
				if value, ok := service.Settings[key].(string); ok {
					hide(value, "["+key+"]")
				}
			}
		}
	}
	if m.Home != "" && m.Home != "/" && m.Home != "/root" {
		hide(m.Home, "~")
		hide(filepath.Base(m.Home), "[user]")
	}
	for _, host := range append(m.PairHosts, m.Peer) {
		hide(host, "[peer]")
	}
	if host, err := os.Hostname(); err == nil && host != "localhost" {
		hide(host, "[host]")
	}
	return redactor{strings.NewReplacer(pairs...)}
}

var (
	// addresses finds what may be an address; netip decides. Versions, which
	// may look like one, keep the word before them.
	addresses = regexp.MustCompile(`(?:OBS |Studio - |[Vv]ersion:? )?(?:[0-9A-Fa-f]*:[0-9A-Fa-f:.]+|\d+\.\d+\.\d+\.\d+)`)
	// keysInURLs finds the secret parts of stream addresses.
	keysInURLs = regexp.MustCompile(`((?:rtmps?|srt|rist|https?|whip)://)[^\s"'\\]+`)
)

// Replace returns the text without secrets.
func (r redactor) Replace(text string) string {
	text = r.known.Replace(text)
	text = keysInURLs.ReplaceAllString(text, "$1[address]")
	return addresses.ReplaceAllStringFunc(text, func(found string) string {
		addr, err := netip.ParseAddr(found)
		if err != nil || addr.IsPrivate() || addr.IsLoopback() || addr.IsUnspecified() || addr.IsLinkLocalUnicast() || addr.IsMulticast() {
			return found
		}
		if addr.Is4() && strings.HasPrefix(found, "0.") || addr.Is6() && len(found) < 6 {
			return found // no address that anybody has
		}
		return "[address]"
	})
}
