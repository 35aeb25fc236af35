// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/terminal"
)

func pairCommand() *command {
	return &command{
		name:  "pair",
		short: "make this machine and a friend's know each other",
		long: "Pairs two machines, once: one side makes an invite, a line of text; the other joins with it. From then on what they send each other is encrypted, and nobody else's packets are taken.\n\n" +
			"  costream-obs pair new      here: prints the line\n" +
			"  costream-obs pair join     at your friend's: asks for the line\n" +
			"  costream-obs pair show     on both: do you read the same words?\n\n" +
			"Whoever has the line can take your friend's place. Send it by a messenger that you trust, and let nobody else see it.",
		subs: []*command{pairNewCommand(), pairJoinCommand(), pairShowCommand(), pairForgetCommand()},
	}
}

func pairNewCommand() *command {
	return &command{
		name:  "new",
		short: "make an invite for a friend",
		long: "Prints a line to send to your friend, who gives it to costream-obs pair join. It holds a new secret, and the addresses of this machine for your friend's to call.\n\n" +
			"One of the two must be reachable. On one network, or with IPv6, you mostly are. Otherwise let your router forward the UDP port to this machine and give --address with the router's address; or let your friend do so and make the invite.",
		settings: []string{"base-port"},
		bind: func(set *pflag.FlagSet) action {
			addresses := set.StringArray("address", nil, "where your friend reaches this machine, as `HOST[:PORT]`; may be repeated (default: the addresses that it has)")
			yes := bindYes(set)
			return func(_ context.Context, c *invocation) error { return pairNew(c, *addresses, *yes) }
		},
	}
}

func pairJoinCommand() *command {
	return &command{
		name:  "join",
		args:  "[LINE]",
		short: "take a friend's invite",
		long: "Takes the line that your friend's costream-obs pair new has printed. Without LINE, or with - in its place, it is read from standard input, where no other user of this machine can see it.\n\n" +
			"If you know an address of your friend's that is not in the line, give it to costream-obs run as --peer.",
		bind: func(set *pflag.FlagSet) action {
			yes := bindYes(set)
			return func(_ context.Context, c *invocation) error { return pairJoin(c, *yes) }
		},
	}
}

func pairShowCommand() *command {
	return &command{
		name:  "show",
		short: "print words to compare with your friend",
		long:  "Prints eight words. Read them to each other: if yours are the same, the line arrived unchanged. They do not give the secret away.",
		bind: func(*pflag.FlagSet) action {
			return func(_ context.Context, c *invocation) error { return pairShow(c) }
		},
	}
}

func pairForgetCommand() *command {
	return &command{
		name:  "forget",
		short: "forget the friend's machine",
		long:  "Removes the secret from this machine. To be paired again takes a new invite.",
		bind: func(*pflag.FlagSet) action {
			return func(_ context.Context, c *invocation) error { return pairForget(c) }
		},
	}
}

func bindYes(set *pflag.FlagSet) *bool {
	return set.Bool("yes", false, "replace a pair that there is without asking")
}

func pairNew(c *invocation, addresses []string, yes bool) error {
	addresses = slices.Clone(addresses)
	for i, a := range addresses {
		addresses[i] = withPort(a, c.config.BasePort)
	}
	if len(addresses) == 0 {
		addresses = ownAddresses(c.config.BasePort)
	}
	invite, err := pairing.NewInvite(addresses)
	if err != nil {
		return usageError{err}
	}
	if err := keepPair(c, bufio.NewReader(c.stdin), &pairing.Pair{Role: pairing.Inviter, Invite: invite}, yes); err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "Send your friend this line, by a messenger that you trust. Your friend runs: costream-obs pair join\n\n")
	fmt.Fprintln(c.stdout, invite.Line())
	fmt.Fprintf(c.stderr, "\nYour friend will call %s. Then compare the words of: costream-obs pair show\n", listed(addresses))
	return nil
}

func pairJoin(c *invocation, yes bool) error {
	if len(c.args) > 1 {
		return usagef("the line has no spaces in it; put it into quotes")
	}
	in := bufio.NewReader(c.stdin)
	var line string
	if len(c.args) == 1 && c.args[0] != "-" {
		line = c.args[0]
	} else {
		if terminal.Is(c.stdin) {
			fmt.Fprint(c.stderr, "Paste the line from your friend: ")
		}
		var err error
		if line, err = in.ReadString('\n'); err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the line: %w", err)
		}
	}
	invite, err := pairing.ParseInvite(line)
	if err != nil {
		return err
	}
	pair := &pairing.Pair{Role: pairing.Guest, Invite: invite}
	if err := keepPair(c, in, pair, yes); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "Paired. Your friend should read the same words from costream-obs pair show:\n\n  %s\n\n", pair.Fingerprint())
	if len(invite.Addresses) == 0 {
		fmt.Fprintln(c.stdout, "The line holds no address: give your friend's to costream-obs run with --peer, unless your friend knows yours.")
	}
	return nil
}

func pairShow(c *invocation) error {
	path, err := pairing.DefaultFile()
	if err != nil {
		return err
	}
	pair, err := pairing.Load(path)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.stdout, pair.Fingerprint())
	return nil
}

func pairForget(c *invocation) error {
	path, err := pairing.DefaultFile()
	if err != nil {
		return err
	}
	if err := pairing.Forget(path); err != nil {
		return err
	}
	fmt.Fprintln(c.stdout, "Forgotten.")
	return nil
}

// keepPair saves a pair. Where there is one already it asks first, unless yes was said on the command line.
func keepPair(c *invocation, in *bufio.Reader, p *pairing.Pair, yes bool) error {
	path, err := pairing.DefaultFile()
	if err != nil {
		return err
	}
	old, err := pairing.Load(path)
	switch {
	case errors.Is(err, pairing.ErrNotPaired):
		return pairing.Save(path, p)
	case err == nil && old.Role == pairing.Inviter && old.Invite.Secret == p.Invite.Secret:
		return errors.New("this invite was made on this machine; it is for your friend's")
	case err == nil && old.Role == p.Role && old.Invite.Secret == p.Invite.Secret, yes:
	case !terminal.Is(c.stdin):
		return errors.New("this machine is paired already; to replace that pair, add --yes")
	default:
		fmt.Fprint(c.stderr, "This machine is paired already. Replace that pair? [y/N] ")
		answer, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the answer: %w", err)
		}
		if !slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer))) {
			return errors.New("the pair was left as it is")
		}
	}
	return pairing.Save(path, p)
}

// withPort adds the port to an address that has none.
func withPort(address string, port int) string {
	if a, err := netip.ParseAddr(strings.Trim(address, "[]")); err == nil {
		return net.JoinHostPort(a.String(), strconv.Itoa(port))
	}
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(address, strconv.Itoa(port))
}

// maxOwnAddresses keeps the line short on a machine with many networks.
const maxOwnAddresses = 4

// ownAddresses are the addresses of this machine that others may reach, the ones that reach farthest first.
func ownAddresses(port int) []string {
	all, _ := net.InterfaceAddrs() // Without them the invite holds no address, which is good for something too.
	var far, near []string
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || !prefix.Addr().IsGlobalUnicast() {
			continue
		}
		text := netip.AddrPortFrom(prefix.Addr().Unmap(), uint16(port)).String()
		if prefix.Addr().IsPrivate() {
			near = append(near, text)
		} else {
			far = append(far, text)
		}
	}
	found := append(far, near...)
	return found[:min(len(found), maxOwnAddresses)]
}

func listed(addresses []string) string {
	if len(addresses) == 0 {
		return "no address, since this machine has none: you must know your friend's"
	}
	return strings.Join(addresses, " or ")
}
