// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/xdg"
	"github.com/costream-obs/costream-obs/obsctl"
)

// FileFlag names the configuration file on the command line, and FileEnv in the environment.
const (
	FileFlag = "config"
	FileEnv  = "COSTREAM_CONFIG"
)

// Flags are the settings that one command takes on its command line.
type Flags struct {
	set    *pflag.FlagSet
	config Config
	values map[string]value
	file   string
}

// Bind adds the settings with these keys to a command's flags, and --config. A key that is not in the table, or that
// may have no flag, is a fault in the program.
func Bind(set *pflag.FlagSet, keys ...string) *Flags {
	f := &Flags{set: set, values: make(map[string]value)}
	aliases := make(map[string]string)
	for _, s := range Table() {
		v := s.bind(&f.config)
		f.values[s.Key] = v
		if !slices.Contains(keys, s.Key) {
			continue
		}
		if s.Secret {
			panic("config: " + s.Key + " may have no flag")
		}
		keys = slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == s.Key })
		flag := set.VarPF(v, s.Key, "", s.Help)
		if on, ok := v.(*toggle); ok {
			flag.NoOptDefVal = "true"
			if s.OnByDefault() {
				set.VarPF(&opposite{on}, "no-"+s.Key, "", "").NoOptDefVal = "true"
			}
		}
		for _, a := range s.Aliases {
			aliases[a] = s.Key
		}
	}
	if len(keys) > 0 {
		panic(fmt.Sprintf("config: no such settings: %q", keys))
	}
	set.StringVar(&f.file, FileFlag, "", "configuration file")
	set.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if key, ok := aliases[name]; ok {
			name = key
		}
		return pflag.NormalizedName(name)
	})
	return f
}

// Load returns the values of all settings. It is called after the flags were parsed. Its error names the flag, the
// variable, or the file with its line, and every such error is the user's to mend: nothing is started on one.
func (f *Flags) Load() (*Config, error) {
	lines, path, err := f.readFile()
	if err != nil {
		return nil, err
	}
	origins := make(map[string]origin)
	for _, s := range Table() {
		if origins[s.Key], err = f.fill(s, lines, path); err != nil {
			return nil, err
		}
	}
	for _, kept := range f.secretFiles() {
		if err := kept.load(origins); err != nil {
			return nil, err
		}
	}
	if err := f.config.checkBitrates(origins["min-bitrate"] == fromDefault); err != nil {
		return nil, err
	}
	return &f.config, nil
}

// An origin is where a value comes from; a greater one beats a smaller one.
type origin int

const (
	fromDefault origin = iota
	fromFile
	fromEnv
	fromFlag
)

// fill gives a setting the value of its strongest origin.
func (f *Flags) fill(s Setting, lines map[string]line, path string) (origin, error) {
	v := f.values[s.Key]
	if flag := f.set.Lookup(s.Key); flag != nil && flag.Value == pflag.Value(v) && (flag.Changed || s.OnByDefault() && f.set.Changed("no-"+s.Key)) {
		return fromFlag, nil
	}
	if env := os.Getenv(s.Env()); env != "" {
		if err := v.Set(env); err != nil {
			return fromEnv, fmt.Errorf("environment variable %s: %w", s.Env(), err)
		}
		return fromEnv, nil
	}
	if l, ok := lines[s.Key]; ok {
		if err := v.file(l.value); err != nil {
			number := l.number
			var at *entryError
			if errors.As(err, &at) {
				number = at.entry.number
			}
			return fromFile, fmt.Errorf("%s:%d: %s: %w", path, number, s.Key, err)
		}
		return fromFile, nil
	}
	if s.Default != "" {
		if err := v.Set(s.Default); err != nil {
			panic("config: default of " + s.Key + ": " + err.Error())
		}
	}
	return fromDefault, nil
}

// A secretFile is a secret that may also stand in a file of its own.
type secretFile struct {
	key, fileKey string // of the two settings
	path         string
	to           **obsctl.Secret
	empty        string // what to do when the file has nothing in it
}

func (f *Flags) secretFiles() []secretFile {
	return []secretFile{
		{"obs-password", "obs-password-file", f.config.OBSPasswordFile, &f.config.OBSPassword,
			"write OBS's password there (OBS shows it under Tools > WebSocket Server Settings > Show Connect Info)"},
		{"relay", "relay-file", f.config.RelayFile, &f.config.Relay, "write the relay there, as turn:USER:PASSWORD@HOST:PORT"},
	}
}

// load reads the secret from its file, unless something stronger tells it.
func (s secretFile) load(origins map[string]origin) error {
	switch from := origins[s.fileKey]; {
	case from > fromDefault && from == origins[s.key]:
		return fmt.Errorf("%s and %s are both given: keep one", s.key, s.fileKey)
	case from <= origins[s.key]:
		return nil
	}
	secret, err := s.read()
	if err != nil {
		return err
	}
	*s.to = &secret
	return nil
}

// readFile returns the lines of the configuration file. One that nobody asked for may be missing.
func (f *Flags) readFile() (map[string]line, string, error) {
	path, asked := f.file, "--"+FileFlag
	if path == "" {
		path, asked = os.Getenv(FileEnv), FileEnv
	}
	if path == "" {
		var err error
		if path, err = DefaultFile(); err != nil {
			return nil, "", nil // Neither $XDG_CONFIG_HOME nor $HOME: then there is no file.
		}
		asked = ""
	}
	data, err := os.ReadFile(path)
	if asked == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		if asked != "" {
			return nil, "", fmt.Errorf("configuration file of %s: %w", asked, err)
		}
		return nil, "", fmt.Errorf("configuration file: %w", err)
	}
	lines, err := parse(path, data)
	if err != nil {
		return nil, "", err
	}
	for _, s := range Table() {
		if l, ok := lines[s.Key]; ok && s.Secret {
			if err := private(path); err != nil {
				return nil, "", fmt.Errorf("%s:%d: %s: %w", path, l.number, s.Key, err)
			}
		}
	}
	return lines, path, nil
}

// DefaultFile is where the configuration file is looked for: $XDG_CONFIG_HOME/costream-obs/config.toml.
func DefaultFile() (string, error) {
	dir, err := xdg.ConfigHome()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "costream-obs", "config.toml"), nil
}

// read returns the first line of a file that only its owner can read.
func (s secretFile) read() (obsctl.Secret, error) {
	data, err := os.ReadFile(s.path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", s.fileKey, err)
	}
	if err := private(s.path); err != nil {
		return "", fmt.Errorf("%s %s: %w", s.fileKey, s.path, err)
	}
	first, _, _ := strings.Cut(string(data), "\n")
	if first = strings.TrimSuffix(first, "\r"); first == "" {
		return "", fmt.Errorf("%s: the first line of %s is empty; %s", s.fileKey, s.path, s.empty)
	}
	return obsctl.Secret(first), nil
}

// private refuses a file with a secret that others could read. A pipe has no readers but us.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o077 != 0 {
		return fmt.Errorf("others on this machine can open the file (mode %04o); run: chmod 600 %s", mode.Perm(), quoteShell(path))
	}
	return nil
}

func quoteShell(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/+", r)
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
