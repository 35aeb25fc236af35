// SPDX-License-Identifier: Apache-2.0

package panel

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
)

const (
	// defaultPort is tried the first time.
	defaultPort = 4466
	// tokenBytes is the size of a token, of which 16 would do.
	tokenBytes = 32
)

// Access is what opens the panel. Port and token stay the same, so that a dock of OBS and a bookmark stay valid.
type Access struct {
	Port  int    `json:"port"`
	Token string `json:"token"`
}

// File is where the access is kept, for its user alone.
func File(stateDir string) string { return filepath.Join(stateDir, "panel.json") }

// LoadOrCreate returns the access of the panel, whether or not it runs. The port may be another one after the first
// `costream-obs run`, if a program has this one by then.
func LoadOrCreate(stateDir string) (Access, error) {
	access, known, err := load(stateDir)
	if err == nil && !known {
		err = access.save(stateDir)
	}
	return access, err
}

// load returns a new access where none is kept. A file that others can read is not trusted.
func load(stateDir string) (access Access, known bool, err error) {
	path := File(stateDir)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newAccess(defaultPort), false, nil
	}
	if err != nil {
		return Access{}, false, fmt.Errorf("the panel's token: %w", err)
	}
	_, err = atomicfile.ReadJSON(path, &access)
	if err != nil || !access.valid() || info.Mode().Perm()&0o077 != 0 {
		port := access.Port
		if !access.valid() {
			port = defaultPort
		}
		return newAccess(port), false, nil
	}
	return access, true, nil
}

func newAccess(port int) Access {
	token := make([]byte, tokenBytes)
	_, _ = rand.Read(token) // It never fails.
	return Access{Port: port, Token: base64.RawURLEncoding.EncodeToString(token)}
}

func (a Access) valid() bool {
	token, err := base64.RawURLEncoding.DecodeString(a.Token)
	return err == nil && len(token) == tokenBytes && a.Port > 0 && a.Port < 1<<16
}

func (a Access) save(stateDir string) error {
	if err := atomicfile.WriteJSON(File(stateDir), a); err != nil {
		return fmt.Errorf("the panel's token: %w", err)
	}
	return nil
}

// URL is the address of the page on this machine.
func (a Access) URL() string { return a.at(loopback) }

func (a Access) at(host string) string {
	return "http://" + net.JoinHostPort(host, strconv.Itoa(a.Port)) + "/" + a.Token + "/"
}

// matches compares in a time that does not depend on what differs. Without a token nothing matches.
func (a Access) matches(token string) bool {
	want, got := sha256.Sum256([]byte(a.Token)), sha256.Sum256([]byte(token))
	return a.Token != "" && subtle.ConstantTimeCompare(want[:], got[:]) == 1
}
