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

// redactor removes private things from texts.
type redactor struct {
	known *strings.Replacer
}

// secretKeys are settings of stream services that must stay secret.
var secretKeys = []string{"key", "password", "bearer_token", "stream_key", "username"}

// redactor knows the secrets of this machine and its OBS.
func (m *Machine) redactor(ctx context.Context) redactor {
	var pairs []string
	hide := func(secret, instead string) {
		// Short ones would match innocent text.
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

// passwordOption is OBS's option with a password.
const passwordOption = "--websocket_password"

// afterPassword finds the end of the password in a logged command line. OBS logs it without quotes, so it ends with the line
// or before another option of OBS 28 to 32.
var afterPassword = regexp.MustCompile(`\r?\n| --(?:` + strings.Join([]string{
	"allow-opengl", "always-on-top", "collection", "disable-high-dpi-scaling", "disable-missing-files-check", "disable-shutdown-check",
	"disable-updater", "minimize-to-tray", "multi", "only-bundled-plugins", "portable", "profile", "safe-mode", "scene", "startrecording",
	"startreplaybuffer", "startstreaming", "startvirtualcam", "steam", "studio-mode", "unfiltered_log", "verbose", "version",
	"websocket_debug", "websocket_ipv4_only", "websocket_password", "websocket_port",
}, "|") + `)\b`)

// withoutPasswordOption removes what follows the option from OBS's log, however short it is.
func withoutPasswordOption(log string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(log, passwordOption)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(passwordOption + " [password]")
		end := afterPassword.FindStringIndex(after)
		if end == nil {
			return b.String()
		}
		log = after[end[0]:]
	}
}

var (
	// addresses finds what may be an address; netip decides. A version, which may look like one, keeps the word before it.
	addresses = regexp.MustCompile(`(?:OBS |Studio - |[Vv]ersion:? )?(?:[0-9A-Fa-f]*:[0-9A-Fa-f:.]+|\d+\.\d+\.\d+\.\d+)`)
	// urls finds everything after the scheme of a URL, with any scheme: name and password, host, path and query may all be
	// secret. A password may contain spaces, quotes and several @.
	urls = regexp.MustCompile(`://(?:[^\r\n]*@)?\S*`)
	// urlsInJSON does the same inside a JSON string, and stops at its end.
	urlsInJSON = regexp.MustCompile(`://(?:(?:\\.|[^"\\\r\n])*@)?(?:\\.|[^\s"\\])*`)
)

// Replace returns the text without secrets.
func (r redactor) Replace(text string) string {
	secret := urls
	if json.Valid([]byte(text)) {
		secret = urlsInJSON
	}
	text = r.known.Replace(text)
	text = secret.ReplaceAllString(text, "://[address]")
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
