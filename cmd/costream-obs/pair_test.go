// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/pairing"
)

// runWith is runCLI with something on standard input.
func runWith(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Run(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
	return result{Code: code, Stdout: stdout.String(), Stderr: stderr.String()}
}

// atHome makes the test a user with that configuration.
func atHome(t *testing.T, dir string) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", dir)
}

func TestPair(t *testing.T) {
	isolate(t)
	alice, bob := t.TempDir(), t.TempDir()

	atHome(t, alice)
	if got := runCLI(t.Context(), "pair", "show"); got.Code != exitFailure || !strings.Contains(got.Stderr, "not paired yet") {
		t.Errorf("show before: got %+v, want a failure that says not paired yet", got)
	}
	made := runCLI(t.Context(), "pair", "new", "--address=alice.example.org", "--address=[2001:db8::1]:6000", "--address=192.0.2.1", "--base-port=5010")
	line := strings.TrimSpace(made.Stdout)
	invite, err := pairing.ParseInvite(line)
	if made.Code != exitOK || err != nil || strings.Contains(line, "\n") {
		t.Fatalf("new: got %+v (%v), want exit code 0 and nothing but the line", made, err)
	}
	if got, want := strings.Join(invite.Addresses, " "), "alice.example.org:5010 [2001:db8::1]:6000 192.0.2.1:5010"; got != want {
		t.Errorf("new: got addresses %s, want %s", got, want)
	}
	if strings.Contains(made.Stderr, line) {
		t.Error("new: the line is on standard error too")
	}
	hers := runCLI(t.Context(), "pair", "show")
	if got := runWith(t, line, "pair", "join", "--yes"); got.Code != exitFailure || !strings.Contains(got.Stderr, "made on this machine") {
		t.Errorf("join with one's own line: got %+v, want a failure", got)
	}

	atHome(t, bob)
	joined := runWith(t, "  "+line+"\r\n", "pair", "join", "-")
	his := runCLI(t.Context(), "pair", "show")
	if joined.Code != exitOK || his != hers || len(strings.Fields(his.Stdout)) != 8 || !strings.Contains(joined.Stdout, strings.TrimSpace(his.Stdout)) {
		t.Errorf("got join %+v, his words %+v and hers %+v, want the same words everywhere", joined, his, hers)
	}
	if got := runCLI(t.Context(), "pair", "join", line); got.Code != exitOK {
		t.Errorf("join again with the same line: got %+v, want exit code 0", got)
	}

	other, err := pairing.NewInvite(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := runWith(t, other.Line(), "pair", "join"); got.Code != exitFailure || !strings.Contains(got.Stderr, "--yes") {
		t.Errorf("join with another line: got %+v, want a failure that tells of --yes", got)
	}
	if got := runCLI(t.Context(), "pair", "new"); got.Code != exitFailure || !strings.Contains(got.Stderr, "--yes") || got.Stdout != "" {
		t.Errorf("new when paired: got %+v, want a failure that tells of --yes", got)
	}
	if got := runCLI(t.Context(), "pair", "show"); got != his {
		t.Errorf("after that: got %+v, want the pair unchanged: %+v", got, his)
	}
	got := runWith(t, other.Line(), "pair", "join", "--yes")
	if got.Code != exitOK || !strings.Contains(got.Stdout, "--peer") {
		t.Errorf("join with --yes: got %+v, want exit code 0 and a word on the missing address", got)
	}
	if got := runCLI(t.Context(), "pair", "show"); got == his {
		t.Error("join with --yes: the pair is still the old one")
	}
	if got := runCLI(t.Context(), "pair", "forget"); got.Code != exitOK {
		t.Errorf("forget: got %+v", got)
	}
	if got := runCLI(t.Context(), "pair", "forget"); got.Code != exitFailure {
		t.Errorf("forget again: got %+v, want a failure", got)
	}
}

// TestPairWhileRunning: a costream-obs that runs does not follow a change of the pair, and the commands that change it say
// so.
func TestPairWhileRunning(t *testing.T) {
	const told = "costream-obs run is running with the old settings: restart it.\n"
	for _, running := range []bool{false, true} {
		home := isolate(t)
		if running {
			if err := os.Mkdir(filepath.Join(home, "run"), 0o700); err != nil {
				t.Fatal(err)
			}
			l, err := net.Listen("unix", filepath.Join(home, "run", "costream-obs.sock"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
		}
		invite, err := pairing.NewInvite(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"new"}, {"join", "--yes", invite.Line()}, {"show"}, {"forget"}} {
			got := runCLI(t.Context(), append([]string{"pair"}, args...)...)
			want := running && args[0] != "show"
			if got.Code != exitOK || strings.HasSuffix(got.Stderr, told) != want {
				t.Errorf("running %t: %s: got %+v, want it told: %t", running, args[0], got, want)
			}
		}
	}
}

func TestPairJoinRefuses(t *testing.T) {
	isolate(t)
	invite, err := pairing.NewInvite(nil)
	if err != nil {
		t.Fatal(err)
	}
	line := invite.Line()
	for _, test := range []struct{ stdin, want string }{
		{"", "this is not an invite"},
		{line[:len(line)-5], "end of the invite is missing"},
		{line[:30] + "aaaa" + line[34:], "checksum"},
	} {
		got := runWith(t, test.stdin, "pair", "join")
		if got.Code != exitFailure || !strings.Contains(got.Stderr, test.want) {
			t.Errorf("%q: got %+v, want a failure about %q", test.stdin, got, test.want)
		}
		if len(test.stdin) > 0 && strings.Contains(got.Stderr, test.stdin[12:40]) {
			t.Errorf("the message holds the secret: %s", got.Stderr)
		}
	}
	if entries, err := filepath.Glob(filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "costream-obs", "*")); err != nil || len(entries) > 0 {
		t.Errorf("got %q (%v), want nothing written", entries, err)
	}
}

func TestPairNewDefaults(t *testing.T) {
	isolate(t)
	got := runCLI(t.Context(), "pair", "new")
	invite, err := pairing.ParseInvite(got.Stdout)
	if got.Code != exitOK || err != nil {
		t.Fatalf("got %+v (%v), want a line", got, err)
	}
	for _, a := range invite.Addresses {
		if !strings.HasSuffix(a, ":5000") || strings.HasPrefix(a, "127.") || strings.HasPrefix(a, "[::1]") {
			t.Errorf("got address %s, want others' way to this machine, port 5000", a)
		}
	}
	if got := runCLI(t.Context(), "pair", "new", "--yes", "--address=a b"); got.Code != exitUsage {
		t.Errorf("a wrong address: got %+v, want exit code 2", got)
	}
}

// answering runs a command at a terminal where somebody types.
func answering(t *testing.T, typed string, args ...string) result {
	t.Helper()
	person, program := openTerminal(t)
	if _, err := person.WriteString(typed); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := Run(t.Context(), args, program, &stdout, &stderr)
	return result{Code: code, Stdout: stdout.String(), Stderr: stderr.String()}
}

// saved is the pair of this user.
func saved(t *testing.T) *pairing.Pair {
	t.Helper()
	path, err := pairing.DefaultFile()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := pairing.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// TestPairAsks: each side is asked once whether others may help; the default is yes at a terminal, and no without one.
func TestPairAsks(t *testing.T) {
	const question = "Allow it? [Y/n] "
	for _, test := range []struct {
		name  string
		typed string // nothing: there is no terminal
		args  []string
		asked bool
		auto  bool
	}{
		{"no terminal", "", nil, false, false},
		{"no terminal, replacing a pair", "", []string{"--yes"}, false, false},
		{"no terminal, told to", "", []string{"--reach=auto"}, false, true},
		{"the default", "\n", nil, true, true},
		{"yes", "Yes\n", nil, true, true},
		{"no", "n\n", nil, true, false},
		{"something else, then yes", "what?\nyes\n", nil, true, true},
		{"something else, then no", "what?\nno\n", nil, true, false},
		{"something else each time", "what?\njo\nyep\n", nil, true, false},
		{"end of the input", "\x04", nil, true, false},
		{"told not to", "\n", []string{"--reach=direct"}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			isolate(t)
			ask := func(first string, args ...string) result {
				args = append(args, test.args...)
				if test.typed == "" {
					return runWith(t, first, args...)
				}
				return answering(t, first+test.typed, args...)
			}
			made := ask("", "pair", "new")
			invite, err := pairing.ParseInvite(made.Stdout)
			if made.Code != exitOK || err != nil {
				t.Fatalf("new: got %+v (%v)", made, err)
			}
			if got := strings.Contains(made.Stderr, question); got != test.asked {
				t.Errorf("new: asked %t, want %t: %s", got, test.asked, made.Stderr)
			}
			if pair := saved(t); pair.Auto != test.auto || invite.Auto != test.auto {
				t.Errorf("new: got auto %t, in the invite %t, want %t", pair.Auto, invite.Auto, test.auto)
			}
			if got, want := strings.Contains(made.Stderr, "neither yes nor no"), strings.HasSuffix(test.name, "each time"); got != want {
				t.Errorf("new: told that there was no answer %t, want %t: %s", got, want, made.Stderr)
			}
			if got, want := strings.Contains(made.Stderr, "Nobody was asked"), test.typed == "" && !test.auto; got != want {
				t.Errorf("new: told that nobody was asked %t, want %t: %s", got, want, made.Stderr)
			}

			for _, inviters := range []bool{false, true} {
				atHome(t, t.TempDir())
				invite.Auto = inviters
				joined := ask(invite.Line()+"\n", "pair", "join")
				if joined.Code != exitOK {
					t.Fatalf("join: got %+v", joined)
				}
				if got, want := strings.Contains(joined.Stderr, question), test.asked && inviters; got != want {
					t.Errorf("join, the inviter said %t: asked %t, want %t: %s", inviters, got, want, joined.Stderr)
				}
				if got, want := saved(t).Agreed(), test.auto && inviters; got != want {
					t.Errorf("join, the inviter said %t: got agreed %t, want %t", inviters, got, want)
				}
			}
		})
	}
}
