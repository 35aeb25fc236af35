// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// pcpOpener maps a port for IPv4, or opens a pinhole for IPv6: the same request.
type pcpOpener struct {
	subject
	port  uint16
	nonce pcpNonce
	waits []time.Duration

	suggested netip.AddrPort
	epoch     epoch
	answered  bool // to any question
}

func (p *pcpOpener) protocol() string { return PCP }

// prepare asks nothing: the first question is the mapping itself.
func (p *pcpOpener) prepare(context.Context) error { return nil }

func (p *pcpOpener) request(lifetime time.Duration, suggested netip.AddrPort) pcpRequest {
	if !suggested.IsValid() {
		none := netip.IPv6Unspecified()
		if p.own.Is4() {
			none = netip.IPv4Unspecified()
		}
		suggested = netip.AddrPortFrom(none, 0)
	}
	return pcpRequest{own: p.own, nonce: p.nonce, port: p.port, suggested: suggested, lifetime: lifetime}
}

// answer sends a question until the answer that fits.
func (p *pcpOpener) answer(ctx context.Context, question []byte, fits func(pcpAnswer) bool) (a pcpAnswer, err error) {
	var parseErr error
	err = ask(ctx, p.own, netip.AddrPortFrom(p.gateway, pcpPort), question, p.waits, func(b []byte) bool {
		got, err := parsePCP(b)
		if errors.Is(err, errVersion) {
			parseErr = err
			return true
		}
		a = got
		if err != nil || !fits(got) {
			return false
		}
		p.answered = true
		return true
	})
	if err == nil {
		err = parseErr
	}
	if err != nil {
		return pcpAnswer{}, fmt.Errorf("%s: %w", PCP, err)
	}
	if a.result == 1 {
		return pcpAnswer{}, fmt.Errorf("%s: %w", PCP, errVersion)
	}
	return a, nil
}

func (p *pcpOpener) isOurs(a pcpAnswer) bool {
	return a.opcode == opMap && a.nonce == p.nonce && a.protocol == protocolUDP && a.port == p.port
}

func (p *pcpOpener) open(ctx context.Context) (grant, error) {
	suggested := p.suggested
	if !suggested.IsValid() {
		suggested = netip.AddrPortFrom(p.request(0, netip.AddrPort{}).suggested.Addr(), p.port)
	}
	a, err := p.answer(ctx, p.request(lifetime, suggested).marshal(), p.isOurs)
	if err != nil {
		return grant{}, err
	}
	p.epoch.lost(a.epoch, time.Now())
	if a.result != 0 {
		return grant{}, pcpRefusal(a.result)
	}
	if err := checkExternal(a.external.Addr()); err != nil {
		return grant{}, err
	}
	if a.external.Port() == 0 || a.external.Addr().Is4() != p.own.Is4() {
		return grant{}, &refusal{PCP, "its answer has no usable address"}
	}
	p.suggested = a.external
	return grant{a.external, a.lifetime}, nil
}

func (p *pcpOpener) check(ctx context.Context) error {
	a, err := p.answer(ctx, announceRequest(p.own), func(a pcpAnswer) bool { return a.opcode == opAnnounce })
	switch {
	case err != nil:
		return err
	case p.epoch.lost(a.epoch, time.Now()):
		return fmt.Errorf("%s: %w", PCP, errLost)
	}
	return nil
}

func (p *pcpOpener) close(ctx context.Context) error {
	if !p.answered {
		// The router may have heard what it did not answer. It is told once, and not waited for.
		p.waits = []time.Duration{time.Millisecond}
	}
	a, err := p.answer(ctx, p.request(0, netip.AddrPort{}).marshal(), p.isOurs)
	if err != nil || a.result == 0 || !p.suggested.IsValid() {
		return err
	}
	// miniupnpd 2.3.1 refuses to delete an IPv6 pinhole that was renewed. It takes a shorter lease.
	a, err = p.answer(ctx, p.request(time.Second, p.suggested).marshal(), p.isOurs)
	if err == nil && a.result != 0 {
		err = pcpRefusal(a.result)
	}
	return err
}

// natpmpOpener maps a port for IPv4.
type natpmpOpener struct {
	subject
	port  uint16
	waits []time.Duration

	address   netip.Addr // the router's
	suggested uint16
	epoch     epoch
}

func (n *natpmpOpener) protocol() string { return NATPMP }

func (n *natpmpOpener) answer(ctx context.Context, question []byte) (a natpmpAnswer, err error) {
	err = ask(ctx, n.own, netip.AddrPortFrom(n.gateway, pcpPort), question, n.waits, func(b []byte) bool {
		got, err := parseNATPMP(b)
		a = got
		return err == nil && got.opcode == question[1] && (got.opcode != opMapUDP || got.result != 0 || got.port == n.port)
	})
	if err != nil {
		return natpmpAnswer{}, fmt.Errorf("%s: %w", NATPMP, err)
	}
	if a.result != 0 {
		return natpmpAnswer{}, natpmpRefusal(a.result)
	}
	return a, nil
}

// prepare asks for the router's address.
func (n *natpmpOpener) prepare(ctx context.Context) error {
	a, err := n.answer(ctx, natpmpExternalRequest())
	if err != nil {
		return err
	}
	n.epoch.lost(a.epoch, time.Now())
	n.address = a.address
	return checkExternal(a.address)
}

func (n *natpmpOpener) open(ctx context.Context) (grant, error) {
	if err := n.prepare(ctx); err != nil { // the address may be another than at the last time
		return grant{}, err
	}
	suggested := n.suggested
	if suggested == 0 {
		suggested = n.port
	}
	a, err := n.answer(ctx, natpmpMapRequest(n.port, suggested, lifetime))
	if err != nil {
		return grant{}, err
	}
	if a.external == 0 {
		return grant{}, &refusal{NATPMP, "its answer has no port"}
	}
	n.suggested = a.external
	return grant{netip.AddrPortFrom(n.address, a.external), a.lifetime}, nil
}

func (n *natpmpOpener) check(ctx context.Context) error {
	a, err := n.answer(ctx, natpmpExternalRequest())
	switch {
	case err != nil:
		return err
	case n.epoch.lost(a.epoch, time.Now()) || a.address != n.address:
		return fmt.Errorf("%s: %w", NATPMP, errLost)
	}
	return nil
}

func (n *natpmpOpener) close(ctx context.Context) error {
	_, err := n.answer(ctx, natpmpMapRequest(n.port, 0, 0))
	return err
}
