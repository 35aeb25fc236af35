// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// load parses args as a command with all settings does, in an environment that holds env and this configuration file.
func load(t *testing.T, file string, env map[string]string, args ...string) (*Config, error) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for _, s := range Table() {
		t.Setenv(s.Env(), "")
	}
	t.Setenv(FileEnv, "")
	if file != "" {
		write(t, filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "costream-obs", "config.toml"), file, 0o600)
	}
	for k, v := range env {
		t.Setenv(k, v)
	}
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	var keys []string
	for _, s := range Table() {
		if !s.Secret {
			keys = append(keys, s.Key)
		}
	}
	flags := Bind(set, keys...)
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	return flags.Load()
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // WriteFile's mode is subject to the umask.
		t.Fatal(err)
	}
}

func defaults() Config {
	return Config{
		BasePort: 5000, Link: "auto", When: "streaming", Route: "auto", VideoOut: "/dev/video10",
		VideoIn: "/dev/video11", Encoder: "auto", MinBitrate: 300, Layout: scenes.Layout{Shape: scenes.PiP}, SourceName: "Peer", PeerAudio: "auto",
		CleanFeed: true, Panel: true,
	}
}

func TestLoad(t *testing.T) {
	secret := func(s string) *obsctl.Secret { p := obsctl.Secret(s); return &p }
	for _, test := range []struct {
		name string
		file string
		env  map[string]string
		args []string
		want func(*Config)
	}{
		{name: "nothing given", want: func(*Config) {}},
		{
			name: "a file of all types",
			file: "# ours\npeer = 'bob.example'\nbase-port = 6000\nscenes = [\n  \"Game*\",\n  \"A, B\"\n]\nverbose = true\nwhen = \"always\"\n",
			want: func(c *Config) {
				c.Peer, c.BasePort, c.Scenes, c.Verbose, c.When = "bob.example", 6000, []string{"Game*", "A, B"}, true, "always"
			},
		},
		{
			name: "flag before variable before file",
			file: "peer = 'file'\nlisten = 'file'\nlayout = 'full'\nbitrate = 1\n",
			env:  map[string]string{"COSTREAM_PEER": "env", "COSTREAM_LISTEN": "env", "COSTREAM_BITRATE": "500"},
			args: []string{"--peer=flag"},
			want: func(c *Config) {
				c.Peer, c.Listen, c.Layout, c.Bitrate = "flag", "env", scenes.Layout{Shape: scenes.Full}, 500
			},
		},
		{
			name: "a file with a byte order mark",
			file: "\ufeffpeer = 'bob.example'\nbase-port = 6000\n",
			want: func(c *Config) { c.Peer, c.BasePort = "bob.example", 6000 },
		},
		{
			name: "lists do not add up across origins",
			file: "scenes = ['file']\n",
			env:  map[string]string{"COSTREAM_SCENES": "env"},
			args: []string{"--scenes", "one,two", "--scenes", `"three, four"`},
			want: func(c *Config) { c.Scenes = []string{"one", "two", "three, four"} },
		},
		{
			name: "names as they are",
			args: []string{`--scenes=say "hi"`, "--scenes", " Cam ", "--scenes", "Game[", "--scenes", `back\`, "--scenes=-scene", "--mic", "2\" tape"},
			want: func(c *Config) {
				c.Scenes, c.Mics = []string{`say "hi"`, " Cam ", "Game[", `back\`, "-scene"}, []string{`2" tape`}
			},
		},
		{
			name: "names in double quotes",
			args: []string{`--scenes= "A, B" ,say "hi" , " Cam ",""" ""","C"`},
			want: func(c *Config) { c.Scenes = []string{"A, B", `say "hi"`, " Cam ", `" "`, "C"} },
		},
		{
			name: "names in the file",
			file: "scenes = ['A, B', '\"', ' Cam ', 'Game[', 'back\\']\n",
			want: func(c *Config) { c.Scenes = []string{"A, B", `"`, " Cam ", "Game[", `back\`} },
		},
		{
			name: "layouts of scenes with any names",
			file: "layouts = { A = 'full', 'B[' = 'pip' }\n",
			args: []string{`--layouts=say "hi"=full`, `--layouts="A, B=full",Cam [=pip`},
			want: func(c *Config) {
				c.Layouts = []scenes.Rule{{Scenes: `say "hi"`, Layout: scenes.Layout{Shape: scenes.Full}},
					{Scenes: "A, B", Layout: scenes.Layout{Shape: scenes.Full}}, {Scenes: "Cam [", Layout: scenes.Layout{Shape: scenes.PiP}}}
			},
		},
		{
			name: "list from a variable",
			env:  map[string]string{"COSTREAM_MIC": `Mic/Aux, "Guest, left"`},
			want: func(c *Config) { c.Mics = []string{"Mic/Aux", "Guest, left"} },
		},
		{
			name: "layouts of scenes in a section, in their order",
			file: "bitrate = 500\n[layouts]\n'Game 1' = 'full crop'\nB = 'pip 30% margin 20 top-left'\n'Game*' = 'side-by-side'\n",
			want: func(c *Config) {
				c.Bitrate = 500
				c.Layouts = []scenes.Rule{
					{Scenes: "Game 1", Layout: scenes.Layout{Shape: scenes.Full, Crop: true}},
					{Scenes: "B", Layout: scenes.Layout{Shape: scenes.PiP, Corner: scenes.TopLeft, Extent: scenes.Extent{Percent: 30}, Margin: &scenes.Length{Pixels: 20}}},
					{Scenes: "Game*", Layout: scenes.Layout{Shape: scenes.SideBySide}},
				}
			},
		},
		{
			name: "layouts of scenes in one line",
			file: "layouts = { B = 'full', A = 'pip' }\n",
			want: func(c *Config) {
				c.Layouts = []scenes.Rule{{Scenes: "B", Layout: scenes.Layout{Shape: scenes.Full}}, {Scenes: "A", Layout: scenes.Layout{Shape: scenes.PiP}}}
			},
		},
		{
			name: "layouts of scenes as keys with dots",
			file: "layouts.B = 'full'\nlayouts.'A.1' = 'pip'\n",
			want: func(c *Config) {
				c.Layouts = []scenes.Rule{{Scenes: "B", Layout: scenes.Layout{Shape: scenes.Full}}, {Scenes: "A.1", Layout: scenes.Layout{Shape: scenes.PiP}}}
			},
		},
		{
			name: "layouts of scenes on the command line",
			args: []string{"--layouts=Game*=full,a=b=pip top-left", "--layouts", "C=grid"},
			want: func(c *Config) {
				c.Layouts = []scenes.Rule{{Scenes: "Game*", Layout: scenes.Layout{Shape: scenes.Full}},
					{Scenes: "a=b", Layout: scenes.Layout{Shape: scenes.PiP, Corner: scenes.TopLeft}}, {Scenes: "C", Layout: scenes.Layout{Shape: scenes.Grid}}}
			},
		},
		{
			name: "switch turned off again",
			file: "json = true\n",
			args: []string{"--json=false"},
			want: func(*Config) {},
		},
		{name: "switch that is on by default, on", file: "clean-feed = true\n", args: []string{"--clean-feed"}, want: func(*Config) {}},
		{name: "switch that is on by default, off in the file", file: "clean-feed = false\n", want: func(c *Config) { c.CleanFeed = false }},
		{name: "switch that is on by default, off in a variable", env: map[string]string{"COSTREAM_CLEAN_FEED": "false"}, want: func(c *Config) { c.CleanFeed = false }},
		{name: "switch that is on by default, off by a flag", file: "clean-feed = true\n", args: []string{"--no-clean-feed"}, want: func(c *Config) { c.CleanFeed = false }},
		{name: "switch that is on by default, off by its own flag", args: []string{"--clean-feed=false"}, want: func(c *Config) { c.CleanFeed = false }},
		{name: "switch that is on by default, on by a flag", file: "clean-feed = false\n", args: []string{"--no-clean-feed=false"}, want: func(*Config) {}},
		{name: "switch that is on by default, the last flag counts", args: []string{"--no-clean-feed", "--clean-feed"}, want: func(*Config) {}},
		{
			name: "spellings of 2020",
			args: []string{"--v4l2src_device=/dev/video3", "--v4l2sink_device", "/dev/video4", "--pulsesrc_device=x.monitor"},
			want: func(c *Config) { c.VideoOut, c.VideoIn, c.MicSource = "/dev/video3", "/dev/video4", "x.monitor" },
		},
		{
			name: "password from the file",
			file: "obs-password = 'hunter2'\n",
			want: func(c *Config) { c.OBSPassword = secret("hunter2") },
		},
		{
			name: "password from the environment",
			file: "obs-password = 'hunter2'\n",
			env:  map[string]string{"COSTREAM_OBS_PASSWORD": "hunter3"},
			want: func(c *Config) { c.OBSPassword = secret("hunter3") },
		},
		{
			name: "video format",
			file: "video-format = '1280x720@30000/1001'\n",
			want: func(c *Config) { c.VideoFormat = Format{1280, 720, 30000, 1001} },
		},
		{
			name: "video format with a whole rate",
			args: []string{"--video-format=960x540@25"},
			want: func(c *Config) { c.VideoFormat = Format{960, 540, 25, 1} },
		},
		{
			name: "least bitrate at the greatest",
			args: []string{"--bitrate=2000", "--min-bitrate=2000"},
			want: func(c *Config) { c.Bitrate, c.MinBitrate = 2000, 2000 },
		},
		{
			name: "bitrate below the default of the least",
			args: []string{"--bitrate=200"},
			want: func(c *Config) { c.Bitrate, c.MinBitrate = 200, 200 },
		},
		{
			name: "addresses",
			args: []string{"--peer", "fe80::1%eth0", "--listen", "2001:db8::1", "--obs-host", "10.0.0.1"},
			want: func(c *Config) { c.Peer, c.Listen, c.OBSHost = "fe80::1%eth0", "2001:db8::1", "10.0.0.1" },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := load(t, test.file, test.env, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			want := defaults()
			test.want(&want)
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("Load: -want +got:\n%s", diff)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		file string
		env  map[string]string
		args []string
		want string // FILE stands for the path of the configuration file.
	}{
		{name: "unknown key", file: "# ours\n\npeer = 'x'\nlayuot = 'pip'\n", want: `FILE:4: unknown setting "layuot"; did you mean layout?`},
		{name: "unknown key, like nothing", file: "colour = 'red'\n", want: `FILE:1: unknown setting "colour"`},
		{name: "dotted key", file: "obs.port = 4455\n", want: `FILE:1: unknown setting "obs.port"; did you mean obs-port?`},
		{name: "section", file: "peer = 'x'\n[obs]\nport = 1\n", want: "FILE:2: unknown section [obs]; put settings above all sections"},
		{name: "array of sections", file: "[[peer]]\nname = 'x'\n", want: "FILE:1: unknown section [peer]; put settings above all sections"},
		{name: "not TOML", file: "peer = 'x'\nlisten\n", want: "FILE:2: "},
		{name: "text without quotes", file: "peer = bob\n", want: "FILE:1: "},
		{name: "key twice", file: "peer = 'x'\nbitrate = 500\npeer = 'y'\n", want: "FILE:3: "},
		{name: "not UTF-8", file: "peer-name = '\xff'\n", want: "FILE:1: "},
		{name: "text for a number", file: "base-port = '5000'\n", want: "FILE:1: base-port: must be a number from 1 to 65528, without quotes"},
		{name: "number for a text", file: "peer = 5\n", want: "FILE:1: peer: must be a quoted string"},
		{name: "number too big", file: "\nbase-port = 65529\n", want: `FILE:2: base-port: "65529" is not a number from 1 to 65528`},
		{name: "text for a switch", file: "verbose = 'yes'\n", want: "FILE:1: verbose: must be true or false, without quotes"},
		{name: "text for a list", file: "scenes = 'Game'\n", want: `FILE:1: scenes: must be a list of quoted strings: ["one", "two"]`},
		{name: "numbers in a list", file: "scenes = [1]\n", want: `FILE:1: scenes: must be a list of quoted strings: ["one", "two"]`},
		{name: "no such choice", file: "when = 'later'\n", want: `FILE:1: when: "later" is not one of: streaming, recording, virtualcam, always`},
		{name: "number for a choice", file: "when = 1\n", want: "FILE:1: when: must be one of these, in quotes: streaming, recording, virtualcam, always"},
		{name: "no such layout", file: "layout = 'pop'\n", want: `FILE:1: layout: a layout begins with one of pip, side-by-side, full, grid, not with "pop"`},
		{name: "no layout", args: []string{"--layout="}, want: "the layout is empty"},
		{name: "no such layout of a scene", file: "[layouts]\nA = 'full'\n'Game*' = 'pip left'\n", want: `FILE:3: layouts: "Game*": "left" is not part of a layout: use a corner (bottom-right, `},
		{name: "no text for a layout", file: "[layouts]\n\nA = 3\n", want: `FILE:3: layouts: "A": must be a layout in quotes`},
		{name: "dots in a pattern", file: "[layouts]\nA.B = 'full'\n", want: `FILE:2: layouts: "A.B": must be a layout in quotes`},
		{name: "a setting below the layouts", file: "[layouts]\nA = 'full'\npeer = 'x'\n", want: "FILE:3: peer is in the section [layouts]; move it above all sections"},
		{name: "text for layouts", file: "layouts = 'pip'\n", want: `FILE:1: layouts: must be a table of patterns and layouts: { "Game*" = `},
		{name: "layout without a pattern", args: []string{"--layouts=pip"}, want: `"pip" is not a pattern and its layout, such as 'Game*=pip top-left'`},
		{name: "number for a password", file: "obs-password = 1234\n", want: "FILE:1: obs-password: must be a quoted string"},
		{name: "variable", env: map[string]string{"COSTREAM_BITRATE": "fast"}, want: `environment variable COSTREAM_BITRATE: "fast" is not a number from 100 to 100000`},
		{name: "switch in a variable", env: map[string]string{"COSTREAM_JSON": "maybe"}, want: `environment variable COSTREAM_JSON: "maybe" is neither true nor false`},
		{name: "file that is not there", args: []string{"--config=/nowhere.toml"}, want: "configuration file of --config: open /nowhere.toml: no such file or directory"},
		{name: "file of the environment that is not there", env: map[string]string{FileEnv: "/nowhere.toml"}, want: "configuration file of COSTREAM_CONFIG: open /nowhere.toml: no such file or directory"},
		{name: "password file that is not there", args: []string{"--obs-password-file=/nowhere"}, want: "obs-password-file: open /nowhere: no such file or directory"},
		{name: "password and password file", file: "obs-password = 'x'\nobs-password-file = '/x'\n", want: "obs-password and obs-password-file are both given: keep one"},
		{name: "relay and relay file", file: "relay = 'x'\nrelay-file = '/x'\n", want: "relay and relay-file are both given: keep one"},
		{name: "meeting node without a port", args: []string{"--meet-nodes=dht.example"}, want: `"dht.example" is not a host with a port, such as example.org:6881 or [2001:db8::1]:6881`},
		{name: "meeting node with port 0", args: []string{"--meet-nodes=dht.example:0"}, want: `"dht.example:0": the port must be from 1 to 65535`},
		{name: "no such reach", args: []string{"--reach=far"}, want: `"far" is not one of: direct, auto`},
		{name: "peer with a port", args: []string{"--peer=10.0.0.1:5000"}, want: `"10.0.0.1:5000" contains a port; give "10.0.0.1", because the port has its own setting`},
		{name: "address in brackets", args: []string{"--obs-host=[::1]"}, want: `"[::1]" has brackets, which only an address with a port needs; give "::1"`},
		{name: "address of a link in brackets", args: []string{"--peer=[fe80::1%eth0]"}, want: `give "fe80::1%eth0"`},
		{name: "address in brackets with a port", args: []string{"--obs-host=[::1]:4455"}, want: `"[::1]:4455" contains a port; give "::1"`},
		{name: "name in brackets", args: []string{"--listen=[bob]"}, want: `"[bob]" is neither a host name nor an IP address: '[' cannot be in one`},
		{name: "peer as a URL", args: []string{"--peer=rtp://bob"}, want: `"rtp://bob" is a URL; give only its host name or address`},
		{name: "peer with a space", args: []string{"--peer=bob and carol"}, want: `"bob and carol" is neither a host name nor an IP address: ' ' cannot be in one`},
		{name: "peer that looks like a flag", args: []string{"--peer=-listen"}, want: `"-listen" is neither a host name nor an IP address`},
		{name: "empty peer", args: []string{"--peer="}, want: "the address is empty"},
		{name: "device that is no path", args: []string{"--video-in=11"}, want: `"11" is not a device path such as /dev/video10`},
		{name: "quote in the middle of a quoted name", args: []string{`--scenes="Game" 1, B`}, want: `contains a comma or begins with a double quote, and double each double quote in it`},
		{name: "broken list", args: []string{`--scenes="Game`}, want: "is not a comma-separated list of names"},
		{name: "empty name", args: []string{"--source-name= "}, want: "the name is empty"},
		{name: "port of words", args: []string{"--base-port=five"}, want: `"five" is not a number from 1 to 65528`},
		{name: "port with a tail", args: []string{"--base-port=5000x"}, want: `"5000x" is not a number from 1 to 65528`},
		{name: "port past all", args: []string{"--obs-port=99999999999999999999"}, want: `"99999999999999999999" is not a number from 1 to 65535`},
		{name: "size without a rate", args: []string{"--video-format=1920x1080"}, want: `"1920x1080" is not a size with a frame rate, such as 1920x1080@30`},
		{name: "size of nothing", args: []string{"--video-format=0x0@30"}, want: `"0x0@30": width and height must be from 16 to 8192`},
		{name: "rate of nothing", args: []string{"--video-format=640x360@30/0"}, want: `"640x360@30/0": the frame rate must be from 1 to 240`},
		{name: "rate past all", args: []string{"--video-format=640x360@1000"}, want: `"640x360@1000": the frame rate must be from 1 to 240`},
		{name: "number for a video format", file: "video-format = 1080\n", want: "FILE:1: video-format: must be a quoted string"},
		{name: "bitrates the wrong way round", args: []string{"--bitrate=1000", "--min-bitrate=2000"}, want: "min-bitrate 2000 is above bitrate 1000: lower min-bitrate or raise bitrate"},
		{name: "bitrates the wrong way round, of two origins", file: "min-bitrate = 2000\n", env: map[string]string{"COSTREAM_BITRATE": "1000"}, want: "min-bitrate 2000 is above bitrate 1000"},
		{name: "least bitrate above the default of the greatest", args: []string{"--min-bitrate=7000"}, want: "min-bitrate 7000 is above 6000, the default of bitrate"},
		{name: "negative bit rate", args: []string{"--bitrate=-1"}, want: `"-1" is not a number from 100 to 100000`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(t, test.file, test.env, test.args...)
			if err == nil {
				t.Fatal("got no error")
			}
			path, _ := DefaultFile()
			if got := strings.ReplaceAll(err.Error(), path, "FILE"); !strings.Contains(got, test.want) || strings.Contains(got, "\n") {
				t.Errorf("got error %q, want one line with %q", got, test.want)
			}
		})
	}
}

func TestSecretsThatOthersCanRead(t *testing.T) {
	t.Run("configuration file", func(t *testing.T) {
		for _, mode := range []os.FileMode{0o604, 0o640, 0o644, 0o622} {
			path := filepath.Join(t.TempDir(), "con fig.toml")
			write(t, path, "peer = 'x'\nobs-password = 'hunter2'\n", mode)
			_, err := load(t, "", map[string]string{FileEnv: path})
			if err == nil || !strings.Contains(err.Error(), path+":2: obs-password: others on this machine can open the file") ||
				!strings.HasSuffix(err.Error(), "run: chmod 600 '"+path+"'") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("mode %o: got error %v, want one that names the line and the command", mode, err)
			}
		}
	})
	t.Run("configuration file without a password", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "config.toml")
		write(t, path, "peer = 'x'\n", 0o644)
		if _, err := load(t, "", nil, "--config", path); err != nil {
			t.Errorf("got %v, want none", err)
		}
	})
	for _, test := range []struct {
		key  string
		told func(*Config) *obsctl.Secret
	}{
		{"obs-password", func(c *Config) *obsctl.Secret { return c.OBSPassword }},
		{"relay", func(c *Config) *obsctl.Secret { return c.Relay }},
	} {
		t.Run("file of "+test.key, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret")
			write(t, path, "hunter2\r\nnot this\n", 0o600)
			flag := "--" + test.key + "-file"
			c, err := load(t, test.key+" = 'weaker'\n", nil, flag, path)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := test.told(c).Reveal(), "hunter2"; got != want {
				t.Errorf("got secret %q, want %q", got, want)
			}
			for _, content := range []string{"", "\r\n", "\nhunter2\n"} {
				write(t, path, content, 0o600)
				if _, err := load(t, "", nil, flag, path); err == nil || !strings.Contains(err.Error(), "the first line of "+path+" is empty") {
					t.Errorf("%q: got error %v, want one that says what is empty", content, err)
				}
			}
			write(t, path, "hunter2\n", 0o644)
			if _, err := load(t, "", nil, flag, path); err == nil || !strings.Contains(err.Error(), "run: chmod 600 "+path) {
				t.Errorf("got error %v, want one with the command", err)
			}
			config := filepath.Join(t.TempDir(), "config.toml")
			write(t, config, test.key+" = 'hunter2'\n", 0o640)
			if _, err := load(t, "", map[string]string{FileEnv: config}); err == nil || !strings.Contains(err.Error(), ":1: "+test.key+": others on this machine can open the file") {
				t.Errorf("got error %v, want one that names the line", err)
			}
		})
	}
	t.Run("never printed", func(t *testing.T) {
		c, err := load(t, "", map[string]string{"COSTREAM_OBS_PASSWORD": "hunter2"})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range Table() {
			if got := s.bind(c).String(); strings.Contains(got, "hunter2") {
				t.Errorf("%s prints %q", s.Key, got)
			}
		}
	})
}

// TestTable holds what the help texts and the documents rely on.
func TestTable(t *testing.T) {
	seen := make(map[string]bool)
	group := ""
	groups := make(map[string]bool)
	for _, s := range Table() {
		if seen[s.Key] {
			t.Errorf("%s: stands twice in the table", s.Key)
		}
		seen[s.Key] = true
		if s.Group != group && groups[s.Group] {
			t.Errorf("%s: group %s is in two places", s.Key, s.Group)
		}
		group = s.Group
		groups[group] = true
		if s.Help == "" || strings.HasSuffix(s.Help, ".") {
			t.Errorf("%s: help %q is not a phrase without a full stop", s.Key, s.Help)
		}
		if s.Default != "" && s.Otherwise != "" {
			t.Errorf("%s: has a default and says what holds otherwise", s.Key)
		}
		for _, word := range s.Choices() {
			if !strings.Contains(s.Help, word) {
				t.Errorf("%s: help does not explain %q", s.Key, word)
			}
		}
		if s.Key == "obs-password-file" || s.Key == "relay-file" {
			continue // The file of its example is not there.
		}
		if _, err := load(t, s.Example()+"\n", nil); err != nil {
			t.Errorf("example %q: %v", s.Example(), err)
		}
	}
}
