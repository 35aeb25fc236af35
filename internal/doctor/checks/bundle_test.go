// SPDX-License-Identifier: Apache-2.0

package checks_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/doctor/checks"
)

// unpack returns the files of a bundle by their names.
func unpack(t *testing.T, data []byte) map[string]string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for archive := tar.NewReader(zip); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if header.Mode&0o077 != 0 {
			t.Errorf("%s: mode %o is open to others", header.Name, header.Mode)
		}
		files[strings.TrimPrefix(header.Name, "costream-obs-report/")] = string(text)
	}
}

// A password that OBS got on its command line is known by the option's name, however it looks.
func TestBundlePasswordOption(t *testing.T) {
	const head, tail = "10:00:00.000: Command Line Arguments: --multi ", "\n10:00:00.001: CPU Name: Any"
	for _, test := range []struct{ args, want string }{
		{"--websocket_password -x --websocket_port 4455", "--websocket_password [password] --websocket_port 4455"},
		{"--websocket_password=q", "--websocket_password [password]"},
		{"--websocket_password zz ", "--websocket_password [password]"},
		{"--websocket_password two words --websocket_debug --scene A", "--websocket_password [password] --websocket_debug --scene A"},
		{"--websocket_password --z --studio-mode", "--websocket_password [password] --studio-mode"},
		{"--websocket_password q --multi --websocket_password zz", "--websocket_password [password] --multi --websocket_password [password]"},
		{"--websocket_port 4455", "--websocket_port 4455"},
	} {
		if diff := cmp.Diff(head+test.want+tail, checks.WithoutPasswordOption(head+test.args+tail)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.args, diff)
		}
	}
}

// Nothing that follows a scheme gets into a bundle, and a path of a file stays readable.
func TestBundleURLs(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"rtsp://admin:p@ss/w0rd@cam.lan: no such host", "rtsp://[address] no such host"},
		{`rtsp://user:LEAK"11@1.2.3.4/x`, "rtsp://[address]"},
		{"rtsp://user:two words@cam.lan/x failed", "rtsp://[address] failed"},
		{"input: rtsp://cam.lan/live?token=X\r\nnext", "input: rtsp://[address]\r\nnext"},
		{"rtsps://cam.lan/KEY", "rtsps://[address]"},
		{"to RTMP://x/KEY from 192.168.1.5", "to RTMP://[address] from 192.168.1.5"},
		{"'whep://x/KEY' and wss://x/?t=KEY", "'whep://[address] and wss://[address]"},
		{"udp://1.2.3.4:99?key=K", "udp://[address]"},
		{`srt://x?passphrase=a\b'c`, "srt://[address]"},
		{"input: /home/us/a: clip@2.mp4, /dev/video11", "input: /home/us/a: clip@2.mp4, /dev/video11"},
		{`{"detail": "rtsp://u:a\"b c@cam/x?k=\u0026K", "next": "me@home"}`, `{"detail": "rtsp://[address]", "next": "me@home"}`},
		{`{"detail": "wss://x/\\", "next": "none"}`, `{"detail": "wss://[address]", "next": "none"}`},
	} {
		if diff := cmp.Diff(test.want, checks.WithoutURLs(test.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestBundle(t *testing.T) {
	f := healthy(t)
	home := t.TempDir()
	f.o.SettingsFile = filepath.Join(home, "config.toml")
	f.o.Mics = []string{"Mic/Aux"}
	write(t, f.o.SettingsFile, "peer = \"friend.example\"\nobs-password = \"\"\"\ntopsecret1\"\"\"\nrelay = \"turn:me:topsecret2@turn.example.org\"\nrelay = '''\nturn:me:topsecret3@turn.example.org'''\nlayout = \"pip\"\n")
	f.files["home/me/.config/obs-studio/basic/profiles/Main/service.json"] = `{"settings":{"key":"live_1234_abc\"d","server":"rtmp://ingest.example/app","bearer_token":"tok-999"},"type":"rtmp_custom"}`
	// Moved away, as OBS 31 and later let their users; and a Snap's.
	moved := filepath.Join(home, "moved")
	f.files["home/me/.config/obs-studio/global.ini"] = "[General]\nLastVersion=537001986\n\n[Locations]\nProfiles=" + moved + "\n"
	write(t, filepath.Join(moved, "obs-studio/basic/profiles/Main/service.json"), `{"settings":{"key":"moved_key_7"}}`)
	f.files["home/me/snap/obs-studio/current/.config/obs-studio/basic/profiles/Main/service.json"] = `{"settings":{"key":"snap_key_7"}}`
	f.files["home/me/.config/obs-studio/logs/2026-01-01 10-00-00.txt"] = "an older log\n"
	end := "10:00:00.123: v4l2-input: Unable to open device /dev/video11\n" +
		"connecting to rtmp://ingest.example/app/live_1234_abc\"d from 203.0.113.9 to 2001:db8::17, local 192.168.1.5\n" +
		"websocket password correct horse, token tok-999, moved_key_7, snap_key_7, config in /home/me/.config\nOBS 29.0.2.1 at 10:00:01\n" +
		"Media Source: rtsp://cam:pw9@192.168.1.7/live\n"
	// The part that is kept begins with the password.
	f.files["home/me/.config/obs-studio/logs/2026-01-02 10-00-00.txt"] = "Command Line Arguments: --websocket_password -%x --multi" +
		strings.Repeat(" ", 256<<10-len("-%x --multi\n"+end)) + "\n" + end
	f.obsErr = errors.New("OBS at 127.0.0.1:4455 does not like \"correct horse\"")
	m := f.machine(t)
	table := checks.All(m)
	all, err := doctor.Only(table, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Bundle(t.Context(), &b, "costream-obs v1", doctor.Run(t.Context(), table, all, nil)); err != nil {
		t.Fatal(err)
	}
	files := unpack(t, b.Bytes())
	for name, want := range map[string]string{
		"about.txt":    "costream-obs v1",
		"report.json":  `"id": "v4l2.module.loaded"`,
		"daemon.json":  "on air with peer",
		"devices.json": "costream-topeer",
		"sound.json":   "costream_topeer",
		"obs.json":     "not there: OBS at 127.0.0.1:4455",
		"modprobe.txt": "# /etc/modprobe.d/costream.conf",
		"config.toml":  `layout = "pip"`,
		"obs.log":      "10:00:00.123: v4l2-input: Unable to open device /dev/video11",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s: got %q, want it to hold %q", name, files[name], want)
		}
	}
	if !strings.Contains(files["about.txt"], "exclusive_caps=Y,Y") || !strings.Contains(files["about.txt"], "Debian") {
		t.Errorf("about.txt: got %q, want system and module", files["about.txt"])
	}
	for _, want := range []string{"local 192.168.1.5", "config in ~/.config", "OBS 29.0.2.1 at 10:00:01"} {
		if !strings.Contains(files["obs.log"], want) {
			t.Errorf("obs.log: got %q, want it to hold %q", files["obs.log"], want)
		}
	}
	for name, text := range files {
		for _, secret := range []string{"topsecret1", "topsecret2", "topsecret3", "correct horse", "live_1234", "tok-999", "moved_key_7", "snap_key_7", "ingest.example", "friend.example", "203.0.113.9", "2001:db8", "-%x", "pw9", "/home/me", "198.51.100.7"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q:\n%s", name, secret, text)
			}
		}
	}
}
