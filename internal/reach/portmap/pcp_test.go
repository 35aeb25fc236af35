// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var compareAddrs = cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPCPQuestions(t *testing.T) {
	nonce := pcpNonce([]byte("costream-obs"))
	for _, tc := range []struct {
		name string
		got  []byte
		want string
	}{
		{
			"IPv4 mapping",
			pcpRequest{netip.MustParseAddr("192.168.1.2"), nonce, 5000, netip.MustParseAddrPort("0.0.0.0:5000"), 2 * time.Hour}.marshal(),
			"0201000000001c2000000000000000000000ffffc0a80102" + "636f73747265616d2d6f6273" + "1100000013881388" + "00000000000000000000ffff00000000",
		},
		{
			"IPv6 deletion",
			pcpRequest{netip.MustParseAddr("2001:db8::2"), nonce, 5000, netip.MustParseAddrPort("[::]:0"), 0}.marshal(),
			"020100000000000020010db8000000000000000000000002" + "636f73747265616d2d6f6273" + "1100000013880000" + "00000000000000000000000000000000",
		},
		{
			"announce", announceRequest(netip.MustParseAddr("192.168.1.2")),
			"020000000000000000000000000000000000ffffc0a80102",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, hex.EncodeToString(tc.got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

const (
	pcpMapAnswer      = "0281000000000e100000002a000000000000000000000000" + "636f73747265616d2d6f6273" + "1100000013881389" + "00000000000000000000ffffc6336407"
	pcpRefusalAnswer  = "0281000200000708000000ff000000000000000000000000" + "636f73747265616d2d6f6273" + "1100000013880000" + "00000000000000000000ffff00000000"
	pcpAnnounceAnswer = "02800000000000000000002a000000000000000000000000"
)

func TestParsePCP(t *testing.T) {
	nonce := pcpNonce([]byte("costream-obs"))
	none := netip.MustParseAddrPort("0.0.0.0:0")
	for _, tc := range []struct {
		name, answer string
		want         pcpAnswer
		err          bool
	}{
		{"mapping", pcpMapAnswer, pcpAnswer{opMap, 0, time.Hour, 42, nonce, protocolUDP, 5000, netip.MustParseAddrPort("198.51.100.7:5001")}, false},
		{"refusal", pcpRefusalAnswer, pcpAnswer{opMap, 2, 30 * time.Minute, 255, nonce, protocolUDP, 5000, none}, false},
		{"announce", pcpAnnounceAnswer, pcpAnswer{opcode: opAnnounce, epoch: 42}, false},
		{"with an option", pcpMapAnswer + "02000000", pcpAnswer{opMap, 0, time.Hour, 42, nonce, protocolUDP, 5000, netip.MustParseAddrPort("198.51.100.7:5001")}, false},
		{"empty", "", pcpAnswer{}, true},
		{"short header", pcpAnnounceAnswer[:46], pcpAnswer{}, true},
		{"short mapping", pcpMapAnswer[:118], pcpAnswer{}, true},
		{"a question", "0201" + pcpMapAnswer[4:], pcpAnswer{}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parsePCP(unhex(t, tc.answer))
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(pcpAnswer{}), compareAddrs); diff != "" || (err != nil) != tc.err {
				t.Errorf("error %v, -want +got:\n%s", err, diff)
			}
		})
	}
	if _, err := parsePCP(unhex(t, "0081000100000000")); !errors.Is(err, errVersion) {
		t.Errorf("an answer of a NAT-PMP router: got %v, want %v", err, errVersion)
	}
}

func FuzzParsePCP(f *testing.F) {
	for _, seed := range []string{pcpMapAnswer, pcpRefusalAnswer, pcpAnnounceAnswer, "0081000100000000", ""} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := parsePCP(b)
		if err != nil {
			return
		}
		if len(b) < pcpHeader || b[0] != pcpVersion || a.opcode >= opAnswer {
			t.Errorf("took %x as %+v", b, a)
		}
		if a.opcode == opMap && a.nonce != pcpNonce(b[24:36]) {
			t.Errorf("took %x as %+v", b, a)
		}
	})
}

const (
	natpmpExternalAnswer = "008000000000002ac6336407"
	natpmpMapAnswer      = "008100000000002a1388138900000e10"
)

func TestNATPMP(t *testing.T) {
	for _, tc := range []struct {
		name string
		got  []byte
		want string
	}{
		{"external address", natpmpExternalRequest(), "0000"},
		{"mapping", natpmpMapRequest(5000, 5001, 2*time.Hour), "000100001388138900001c20"},
		{"deletion", natpmpMapRequest(5000, 0, 0), "000100001388000000000000"},
	} {
		if diff := cmp.Diff(tc.want, hex.EncodeToString(tc.got)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tc.name, diff)
		}
	}
	for _, tc := range []struct {
		name, answer string
		want         natpmpAnswer
		err          bool
	}{
		{"external address", natpmpExternalAnswer, natpmpAnswer{opcode: opExternal, epoch: 42, address: fakeAddr}, false},
		{"mapping", natpmpMapAnswer, natpmpAnswer{opcode: opMapUDP, epoch: 42, port: 5000, external: 5001, lifetime: time.Hour}, false},
		{"a short refusal", "008100020000002a", natpmpAnswer{opcode: opMapUDP, result: 2, epoch: 42}, false},
		{"a short success", "008100000000002a", natpmpAnswer{}, true},
		{"a short address", "008000000000002ac63364", natpmpAnswer{}, true},
		{"a question", "000100001388138900001c20", natpmpAnswer{}, true},
		{"PCP", pcpMapAnswer, natpmpAnswer{}, true},
		{"empty", "", natpmpAnswer{}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseNATPMP(unhex(t, tc.answer))
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(natpmpAnswer{}), compareAddrs); diff != "" || (err != nil) != tc.err {
				t.Errorf("error %v, -want +got:\n%s", err, diff)
			}
		})
	}
}

func FuzzParseNATPMP(f *testing.F) {
	for _, seed := range []string{natpmpExternalAnswer, natpmpMapAnswer, "008100020000002a", pcpMapAnswer, ""} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := parseNATPMP(b)
		if err != nil {
			return
		}
		if len(b) < 8 || b[0] != 0 || a.opcode >= opAnswer || a.address.IsValid() && a.opcode != opExternal {
			t.Errorf("took %x as %+v", b, a)
		}
	})
}

func TestEpoch(t *testing.T) {
	start := time.Now()
	for _, tc := range []struct {
		name string
		// before is the router's clock at the start, value what it tells after the time passed.
		before, value uint32
		passed        time.Duration
		lost          bool
	}{
		{"in step", 100, 110, 10 * time.Second, false},
		{"a second back, for datagrams that overtake", 100, 99, 0, false},
		{"started anew", 100, 3, 10 * time.Second, true},
		{"started anew long ago", 100, 105, time.Minute, true},
		{"a slow clock", 100, 100 + 3400, time.Hour, false},
		{"a clock that is much too fast", 100, 200, 10 * time.Second, true},
		{"wraps around", 1<<32 - 5, 5, 10 * time.Second, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var e epoch
			if e.lost(tc.before, start) {
				t.Error("lost at the first value")
			}
			if got := e.lost(tc.value, start.Add(tc.passed)); got != tc.lost {
				t.Errorf("got %v, want %v", got, tc.lost)
			}
		})
	}
}
