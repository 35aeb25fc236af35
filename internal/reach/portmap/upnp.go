// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// Error codes of UPnP's services.
const (
	faultFirewallOff   = 702 // WANIPv6FirewallControl: the firewall is off, so nothing needs a pinhole
	faultNoPinhole     = 704
	faultNoEntry       = 714
	faultConflict      = 718 // another has the port
	faultSamePort      = 724 // the router's port must be the same as ours
	faultOnlyPermanent = 725
)

// igdOpener maps a port for IPv4 with UPnP.
type igdOpener struct {
	finder    *finder
	own       netip.Addr
	port      uint16
	suggested uint16

	router   *igd
	service  service // of the mapping; none: kind is empty
	external netip.AddrPort
}

func (o *igdOpener) protocol() string { return UPnP }

func (o *igdOpener) prepare(ctx context.Context) error {
	router, err := o.finder.find(ctx)
	if err != nil {
		return err
	}
	if len(router.wan) == 0 {
		return &refusal{UPnP, "it has no service for it"}
	}
	o.router = router
	return nil
}

func (o *igdOpener) client() *http.Client { return httpClient(o.own, o.router.address) }

func (o *igdOpener) open(ctx context.Context) (grant, error) {
	services := o.router.wan
	if o.service.kind != "" {
		services = []service{o.service}
	}
	var errs []error
	for _, s := range services {
		g, err := o.openWith(ctx, s)
		if err == nil {
			return g, nil
		}
		errs = append(errs, err)
	}
	return grant{}, errors.Join(errs...)
}

func (o *igdOpener) openWith(ctx context.Context, s service) (grant, error) {
	address, err := externalAddress(ctx, o.client(), s)
	if err != nil {
		return grant{}, err
	}
	external := o.suggested
	if external == 0 {
		external = o.port
	}
	lease := lifetime
	for tries := 4; ; tries-- {
		o.service, o.external = s, netip.AddrPortFrom(address, external)
		err := o.add(ctx, external, lease)
		if err == nil {
			o.suggested = external
			return grant{o.external, lease}, nil
		}
		code := faultCode(err)
		if code != 0 {
			o.service = service{} // this is not ours to delete
		}
		switch {
		case tries == 0:
			return grant{}, refused(err)
		case code == faultOnlyPermanent && lease != 0:
			lease = 0
		case code == faultSamePort && external != o.port:
			external = o.port
		case code == faultConflict:
			external = uint16(20000 + rand.IntN(40000))
		default:
			return grant{}, refused(err)
		}
	}
}

func (o *igdOpener) add(ctx context.Context, external uint16, lease time.Duration) error {
	return o.service.call(ctx, o.client(), "AddPortMapping", &struct {
		NewRemoteHost             string
		NewExternalPort           string
		NewProtocol               string
		NewInternalPort           string
		NewInternalClient         string
		NewEnabled                string
		NewPortMappingDescription string
		NewLeaseDuration          string
	}{"", number(external), "UDP", number(o.port), o.own.String(), "1", "costream-obs", wholeSeconds(lease)}, nil)
}

// externalAddress asks for the router's address.
func externalAddress(ctx context.Context, c *http.Client, s service) (netip.Addr, error) {
	var out struct{ NewExternalIPAddress string }
	if err := s.call(ctx, c, "GetExternalIPAddress", &struct{}{}, &out); err != nil {
		return netip.Addr{}, refused(err)
	}
	address, err := netip.ParseAddr(out.NewExternalIPAddress)
	if err != nil || !address.Is4() {
		return netip.Addr{}, &sharedError{}
	}
	return address, checkExternal(address)
}

func (o *igdOpener) check(ctx context.Context) error {
	address, err := externalAddress(ctx, o.client(), o.service)
	if err != nil {
		return err
	}
	var out struct{ NewInternalClient, NewInternalPort string }
	err = o.service.call(ctx, o.client(), "GetSpecificPortMappingEntry", &struct {
		NewRemoteHost   string
		NewExternalPort string
		NewProtocol     string
	}{"", number(o.external.Port()), "UDP"}, &out)
	code := faultCode(err)
	switch {
	case address != o.external.Addr(), code == faultNoEntry,
		err == nil && (out.NewInternalClient != o.own.String() || out.NewInternalPort != number(o.port)):
		return fmt.Errorf("%s: %w", UPnP, errLost)
	case code != 0:
		return nil // it does not know this question, but answers
	}
	return err
}

func (o *igdOpener) close(ctx context.Context) error {
	if o.service.kind == "" {
		return nil
	}
	return o.service.call(ctx, o.client(), "DeletePortMapping", &struct {
		NewRemoteHost   string
		NewExternalPort string
		NewProtocol     string
	}{"", number(o.external.Port()), "UDP"}, nil)
}

func number(n uint16) string { return strconv.Itoa(int(n)) }

func wholeSeconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// pinholeOpener opens the router's firewall for one IPv6 address of ours with UPnP. Routers take that only over IPv6, from
// that address.
type pinholeOpener struct {
	finder       *finder
	own, gateway netip.Addr
	port         uint16

	service service // none: kind is empty
	id      string  // of the pinhole; empty: none
}

func (p *pinholeOpener) protocol() string { return UPnP }

func (p *pinholeOpener) prepare(ctx context.Context) error {
	router, err := p.finder.find(ctx)
	if err != nil {
		return err
	}
	if router.firewall == nil {
		return &refusal{UPnP, "it has no service for IPv6"}
	}
	p.service = service{router.firewall.kind, hostReplaced(router.firewall.control, p.gateway)}
	return nil
}

func hostReplaced(u url.URL, host netip.Addr) url.URL {
	port := u.Port()
	if port == "" {
		port = "80"
	}
	u.Host = net.JoinHostPort(host.WithZone("").String(), port) // the zone means nothing to the router
	return u
}

func (p *pinholeOpener) call(ctx context.Context, action string, in, out any) error {
	return p.service.call(ctx, httpClient(p.own, p.gateway), action, in, out)
}

func (p *pinholeOpener) open(ctx context.Context) (grant, error) {
	g := grant{netip.AddrPortFrom(p.own, p.port), lifetime}
	if p.id != "" {
		err := p.call(ctx, "UpdatePinhole", &struct{ UniqueID, NewLeaseTime string }{p.id, wholeSeconds(lifetime)}, nil)
		if err == nil {
			return g, nil
		}
		if faultCode(err) == 0 {
			return grant{}, err
		}
		p.id = ""
	}
	var out struct{ UniqueID string }
	err := p.call(ctx, "AddPinhole", &struct {
		RemoteHost     string
		RemotePort     string
		InternalClient string
		InternalPort   string
		Protocol       string
		LeaseTime      string
	}{"", "0", p.own.String(), number(p.port), number(protocolUDP), wholeSeconds(lifetime)}, &out)
	if faultCode(err) == faultFirewallOff {
		return g, nil
	}
	if err != nil {
		return grant{}, refused(err)
	}
	if _, err := strconv.ParseUint(out.UniqueID, 10, 16); err != nil {
		return grant{}, &refusal{UPnP, "its answer has no number of the pinhole"}
	}
	p.id = out.UniqueID
	return g, nil
}

func (p *pinholeOpener) check(ctx context.Context) error {
	if p.id == "" {
		return nil // the firewall is off
	}
	var out struct{ PinholePackets string }
	err := p.call(ctx, "GetPinholePackets", &struct{ UniqueID string }{p.id}, &out)
	switch code := faultCode(err); {
	case code == faultNoPinhole:
		return fmt.Errorf("%s: %w", UPnP, errLost)
	case code != 0:
		return nil // it does not know this question, but answers
	}
	return err
}

func (p *pinholeOpener) close(ctx context.Context) error {
	if p.id == "" {
		return nil
	}
	return p.call(ctx, "DeletePinhole", &struct{ UniqueID string }{p.id}, nil)
}
