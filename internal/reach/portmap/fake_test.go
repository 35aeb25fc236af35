// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fakeRouter is a router with faults, at a loopback address of its own.
type fakeRouter struct {
	t    *testing.T
	addr netip.Addr

	mu sync.Mutex
	// pcp and natpmp answer datagrams to their port: what is returned is sent back. nil: they keep silent.
	pcp, natpmp func(question []byte) [][]byte
	questions   [][]byte // to port 5351
	searches    int      // SSDP questions
	ssdp        func(from *net.UDPAddr) []string
	soap        func(action string, args map[string]string) (int, string)
	actions     []string
}

var lastAddr atomic.Uint32

// freshAddr returns a loopback address that no other test uses.
func freshAddr() netip.Addr {
	n := lastAddr.Add(1)
	return netip.AddrFrom4([4]byte{127, byte(100 + os.Getpid()%100), byte(1 + os.Getpid()/100%200), byte(n + 1)})
}

// fakeAddr is the public address of fake routers.
var fakeAddr = netip.MustParseAddr("198.51.100.7")

func newFakeRouter(t *testing.T) *fakeRouter {
	t.Helper()
	r := &fakeRouter{t: t, addr: freshAddr()}
	r.serve(pcpPort, func(conn *net.UDPConn, question []byte, from *net.UDPAddr) {
		r.mu.Lock()
		r.questions = append(r.questions, question)
		answer := r.natpmp
		if question[0] == pcpVersion {
			answer = r.pcp
		}
		var answers [][]byte
		if answer != nil {
			answers = answer(question)
		}
		r.mu.Unlock()
		for _, a := range answers {
			_, _ = conn.WriteToUDP(a, from)
		}
	})
	r.serve(ssdpPort, func(conn *net.UDPConn, _ []byte, from *net.UDPAddr) {
		r.mu.Lock()
		r.searches++
		var answers []string
		if r.ssdp != nil {
			answers = r.ssdp(from)
		}
		r.mu.Unlock()
		for _, a := range answers {
			_, _ = conn.WriteToUDP([]byte(a), from)
		}
	})
	return r
}

func (r *fakeRouter) serve(port int, take func(conn *net.UDPConn, datagram []byte, from *net.UDPAddr)) {
	r.t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.addr, uint16(port))))
	if err != nil {
		r.t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		defer done.Done()
		buf := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDP(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil && n > 0 {
				take(conn, append([]byte(nil), buf[:n]...), from)
			}
		}
	}()
	r.t.Cleanup(func() {
		_ = conn.Close()
		done.Wait()
	})
}

// change changes the router while it runs.
func (r *fakeRouter) change(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
}

// asked returns the PCP questions with opcode MAP so far.
func (r *fakeRouter) asked() (maps []pcpRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, q := range r.questions {
		if len(q) != pcpHeader+pcpMap || q[0] != pcpVersion || q[1] != opMap {
			continue
		}
		maps = append(maps, pcpRequest{
			own: netip.AddrFrom16([16]byte(q[8:24])).Unmap(), nonce: pcpNonce(q[24:36]), port: binary.BigEndian.Uint16(q[40:]),
			suggested: netip.AddrPortFrom(netip.AddrFrom16([16]byte(q[44:60])).Unmap(), binary.BigEndian.Uint16(q[42:])),
			lifetime:  seconds(binary.BigEndian.Uint32(q[4:])),
		})
	}
	return maps
}

// fakePCP answers questions as a router would that gives this external address, whatever is asked for.
func fakePCP(question []byte, result byte, lifetime, epoch uint32, external netip.AddrPort) []byte {
	a := append([]byte(nil), question...)
	a[1] |= opAnswer
	a[3] = result
	binary.BigEndian.PutUint32(a[4:], lifetime)
	binary.BigEndian.PutUint32(a[8:], epoch)
	clear(a[12:24])
	if len(a) >= pcpHeader+pcpMap {
		binary.BigEndian.PutUint16(a[42:], external.Port())
		addr := external.Addr().As16()
		copy(a[44:60], addr[:])
	}
	return a
}

// fakeNATPMP does the same for NAT-PMP.
func fakeNATPMP(question []byte, result uint16, lifetime, epoch uint32, external netip.AddrPort) []byte {
	a := make([]byte, 12)
	a[1] = question[1] | opAnswer
	binary.BigEndian.PutUint16(a[2:], result)
	binary.BigEndian.PutUint32(a[4:], epoch)
	if question[1] == opExternal {
		copy(a[8:], external.Addr().AsSlice())
		return a
	}
	a = append(a, 0, 0, 0, 0)
	copy(a[8:10], question[4:6])
	binary.BigEndian.PutUint16(a[10:], external.Port())
	binary.BigEndian.PutUint32(a[12:], lifetime)
	return a
}

// one is for answers that are all alike.
func one(answer []byte) [][]byte { return [][]byte{answer} }

// serveUPnP makes the router a UPnP router. It returns the URL of its description.
func (r *fakeRouter) serveUPnP(description string, soap func(action string, args map[string]string) (int, string)) string {
	r.t.Helper()
	l, err := net.Listen("tcp", netip.AddrPortFrom(r.addr, 0).String())
	if err != nil {
		r.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /desc.xml", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, description) })
	mux.HandleFunc("POST /", r.answerSOAP)
	server := &http.Server{Handler: mux, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		defer done.Done()
		_ = server.Serve(l)
	}()
	r.t.Cleanup(func() {
		_ = server.Close()
		done.Wait()
	})
	location := fmt.Sprintf("http://%v/desc.xml", l.Addr())
	r.change(func() {
		r.soap = soap
		r.ssdp = func(*net.UDPAddr) []string { return []string{ssdpAnswer(location)} }
	})
	return location
}

func ssdpAnswer(location string) string {
	return "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: " + ssdpTargets[0] + "\r\nEXT:\r\nLOCATION: " + location + "\r\n\r\n"
}

func (r *fakeRouter) answerSOAP(w http.ResponseWriter, q *http.Request) {
	_, action, _ := strings.Cut(strings.Trim(q.Header.Get("SOAPAction"), `"`), "#")
	buf := make([]byte, 8192)
	n, _ := q.Body.Read(buf)
	args := make(map[string]string)
	for _, part := range strings.Split(string(buf[:n]), "<New")[1:] {
		if name, rest, ok := strings.Cut(part, ">"); ok {
			args["New"+name], _, _ = strings.Cut(rest, "<")
		}
	}
	r.mu.Lock()
	r.actions = append(r.actions, strings.TrimSpace(fmt.Sprint(action, " ", args["NewExternalPort"], " ", args["NewLeaseDuration"])))
	code, out := r.soap(action, args)
	r.mu.Unlock()
	const head = `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>`
	if code != 0 {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = fmt.Fprintf(w, head+`<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>%d</errorCode><errorDescription>no</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>`, code)
		return
	}
	_, _ = fmt.Fprintf(w, head+`<u:%sResponse xmlns:u="urn:x">%s</u:%sResponse></s:Body></s:Envelope>`, action, out, action)
}

// done returns the actions so far.
func (r *fakeRouter) done() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.actions...)
}

// testTiming is quick where nothing is awaited but silence.
var testTiming = timing{
	waits: []time.Duration{50 * time.Millisecond, 100 * time.Millisecond}, patience: 60 * time.Millisecond, attempt: 5 * time.Second,
	search: 250 * time.Millisecond, check: 40 * time.Millisecond, checkUP: 40 * time.Millisecond, shortest: time.Minute,
	retry: 50 * time.Millisecond, maxLost: 100 * time.Millisecond, maxRetry: 100 * time.Millisecond, closing: 200 * time.Millisecond,
	settle: 10 * time.Millisecond, reread: 20 * time.Millisecond,
}

// running is a Mapper that a test has started.
type running struct {
	*Mapper
	t    *testing.T
	stop func() // ends it and waits
}

const testPort = 5000

// run starts a Mapper whose default gateway is the router.
func (r *fakeRouter) run(change func(*timing)) *running {
	return runMapper(r.t, func() network { return networkOf(r.addr) }, func(int) error { return nil }, change)
}

func networkOf(gateway netip.Addr) network {
	return network{gateway4: gateway, own4: netip.MustParseAddr("127.0.0.1"), index4: 1}
}

func runMapper(t *testing.T, network func() network, bound func(int) error, change func(*timing)) *running {
	timing := testTiming
	if change != nil {
		change(&timing)
	}
	var log *slog.Logger
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	} else {
		log = slog.New(slog.DiscardHandler)
	}
	m := newMapper(Options{Port: testPort, Log: log}, network, bound, timing)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Run(ctx)
	}()
	r := &running{m, t, func() {
		cancel()
		<-done
	}}
	t.Cleanup(r.stop)
	return r
}

// await waits for a state.
func (r *running) await(what string, fits func(State) bool) State {
	r.t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		if s := r.State(); fits(s) {
			return s
		}
		select {
		case <-r.Changed():
		case <-timeout:
			r.t.Fatalf("no state that is %s; the last was %+v", what, r.State())
		}
	}
}

func (r *running) awaitVerdict(v Verdict) State {
	r.t.Helper()
	return r.await(v.String(), func(s State) bool { return s.Verdict == v })
}

// testWriter writes to a test's log.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}
