// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	all := []Transport{UDP, TCP, TLS}
	for _, test := range []struct {
		text string
		want Server
		err  string
	}{
		{"turn:eva:s3cret@relay.example:3479", Server{"eva", "s3cret", "relay.example", 3479, all, false}, ""},
		{"turn:eva:s3cret@relay.example", Server{"eva", "s3cret", "relay.example", 3478, all, false}, ""},
		{"turn:eva:s3:cr?@et@192.0.2.1", Server{"eva", "s3:cr?@et", "192.0.2.1", 3478, all, false}, ""},
		{"turn:1767225600%3Aeva:s3cret+/=@[2001:db8::1]:1", Server{"1767225600:eva", "s3cret+/=", "2001:db8::1", 1, all, false}, ""},
		{"turn:eva:s3cret%25@[2001:db8::1]", Server{"eva", "s3cret%", "2001:db8::1", 3478, all, false}, ""},
		{"turn:eva:s3cret@2001:db8::1", Server{"eva", "s3cret", "2001:db8::1", 3478, all, false}, ""},
		{"turn:eva:s3cret@relay.example?transport=tcp", Server{"eva", "s3cret", "relay.example", 3478, []Transport{TCP}, false}, ""},
		{"turn:eva:s3cret@relay.example?transport=udp", Server{"eva", "s3cret", "relay.example", 3478, []Transport{UDP}, false}, ""},
		{"turns:eva:s3cret@relay.example", Server{"eva", "s3cret", "relay.example", 5349, []Transport{TLS}, true}, ""},
		{"turns:eva:s3cret@relay.example:443?transport=tcp", Server{"eva", "s3cret", "relay.example", 443, []Transport{TLS}, true}, ""},

		{"", Server{}, errForm.Error()},
		{"s3cret", Server{}, errForm.Error()},
		{"stun:eva:s3cret@relay.example", Server{}, errForm.Error()},
		{"turn:s3cret@relay.example", Server{}, errForm.Error()},
		{"turn::s3cret@relay.example", Server{}, errForm.Error()},
		{"turn:s3cret:@relay.example", Server{}, errForm.Error()},
		{"turn:eva:s3cret", Server{}, errForm.Error()},
		{"turn://eva:s3cret@relay.example", Server{}, errForm.Error()},
		{"turn:relay.example:3478@eva:s3cret", Server{}, "the relay's port must be from 1 to 65535; the form is turn:USER:PASSWORD@HOST:PORT"}, // the wrong way round
		{"turn:relay.example@eva:3478:s3cret", Server{}, errForm.Error()},
		{"turn:relay.example:3478@eva:s3c:ret", Server{}, "the relay's address is neither HOST nor HOST:PORT; the form is turn:USER:PASSWORD@HOST:PORT"},
		{"turn:relay.example:3478@s3c/ret", Server{}, "the relay's host is no name or address; the form is turn:USER:PASSWORD@HOST:PORT"},
		{"turn:eva:s3cret@", Server{}, "the relay's host is no name or address; the form is turn:USER:PASSWORD@HOST:PORT"},
		{"turn:eva:s3cret@:3478", Server{}, "the relay's host is no name or address; the form is turn:USER:PASSWORD@HOST:PORT"},
		{"turn:eva:s3cret@relay.example:", Server{}, "the relay's address is neither HOST nor HOST:PORT; the form is turn:USER:PASSWORD@HOST:PORT"},
		{"turn:eva:s3cret@relay.example:0", Server{}, "the relay's port must be from 1 to 65535; the form is turn:USER:PASSWORD@HOST:PORT"},
		{"turn:eva:s3cret@relay.example:65536", Server{}, "the relay's port must be from 1 to 65535; the form is turn:USER:PASSWORD@HOST:PORT"},
		{"turn:eva:s3cret@relay example", Server{}, "the relay's host is no name or address; the form is turn:USER:PASSWORD@HOST:PORT"},
		{"turn:eva:s3cret@relay.example?transport=sctp", Server{}, "the relay's transport must be ?transport=udp or ?transport=tcp; turns: needs tcp"},
		{"turns:eva:s3cret@relay.example?transport=udp", Server{}, "the relay's transport must be ?transport=udp or ?transport=tcp; turns: needs tcp"},
		{"turn:eva:s3cret%zz@relay.example", Server{}, "the relay's user or password contains a % that stands for nothing: write %25 for a %"},
	} {
		got, err := Parse(test.text)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if diff := cmp.Diff(test.want, got); diff != "" || text != test.err {
			t.Errorf("%s: got error %q, want %q (-want +got):\n%s", test.text, text, test.err, diff)
		}
		if strings.Contains(text, "s3cret") {
			t.Errorf("%s: the error shows the password: %s", test.text, text)
		}
	}
}

func TestServerHidesPassword(t *testing.T) {
	s, err := Parse("turn:eva:s3cret@relay.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v", s, s, s), fmt.Sprintf("%+v", &s), fmt.Sprintf("%+v", Options{Server: s})} {
		if strings.Contains(text, "s3cret") {
			t.Errorf("%s shows the password", text)
		}
	}
}

// FuzzParse holds that no error shows what may be a password.
func FuzzParse(f *testing.F) {
	f.Add("turn:eva:", "@relay.example:3478")
	f.Add("turn:", "@:0")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, before, after string) {
		const password = "s3cret-of-test"
		if strings.Contains(before+after, "@") && !strings.HasPrefix(after, "@") {
			return // then the password may be the host
		}
		s, err := Parse(before + password + after)
		if err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("%q shows the password", err)
		}
		if err == nil && (s.Host == "" || s.Port == 0 || s.User == "" || s.Password == "") {
			t.Errorf("%q + password + %q: got %+v", before, after, s)
		}
	})
}
