// SPDX-License-Identifier: Apache-2.0

package pairing

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
	"github.com/costream-obs/costream-obs/internal/xdg"
)

// ErrNotPaired is returned by Load when there is no pair.
var ErrNotPaired = errors.New("not paired yet; run `costream-obs pair new` here and `costream-obs pair join` at your friend's, or the other way round")

// DefaultFile is where the pair is kept: $XDG_CONFIG_HOME/costream-obs/pair.json.
func DefaultFile() (string, error) {
	dir, err := xdg.ConfigHome()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "costream-obs", "pair.json"), nil
}

// stored is the file.
type stored struct {
	Role   Role   `json:"role"`
	Invite string `json:"invite"`
	Auto   bool   `json:"auto,omitempty"` // files of before there was a question say no
}

// Load reads the pair of a file. Its error matches ErrNotPaired when there is none, and otherwise names the file. A file
// that others on the machine can read is refused.
func Load(path string) (*Pair, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNotPaired
	case err != nil:
		return nil, fmt.Errorf("pair: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s: others on this machine can open the file (mode %04o); if nobody did, run: chmod 600 '%s'; "+
			"otherwise pair again: costream-obs pair new", path, info.Mode().Perm(), path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("pair: %w", err)
	}
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; pair again: costream-obs pair new", path, err)
	}
	if s.Role != Inviter && s.Role != Guest {
		return nil, fmt.Errorf("%s is damaged: there is no role %q; pair again: costream-obs pair new", path, s.Role)
	}
	invite, err := ParseInvite(s.Invite)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Pair{Role: s.Role, Invite: invite, Auto: s.Auto}, nil
}

// Save writes the pair to a file that only its user can read, in one step.
func Save(path string, p *Pair) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("save the pair: %w", err)
		}
	}()
	return atomicfile.WriteJSON(path, stored{p.Role, p.Invite.Line(), p.Auto})
}

// Forget removes the pair. Its error matches ErrNotPaired when there is none.
func Forget(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotPaired
	}
	return err
}
