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
		short: "pair this machine with a friend's",
		long: "Pairs two machines, once: one side makes an invite, a line of text, and the other side joins with it. From then on everything between them is encrypted, and packets from anybody else are dropped.\n\n" +
			"  costream-obs pair new      here: prints the line\n" +
			"  costream-obs pair join     at your friend's: asks for the line\n" +
			"  costream-obs pair show     on both: must print the same words\n\n" +
			"Whoever has the line can pretend to be your friend. Send it by a messenger that you trust, and show it to nobody else.",
		subs: []*command{pairNewCommand(), pairJoinCommand(), pairShowCommand(), pairForgetCommand()},
	}
}

func pairNewCommand() *command {
	return &command{
		name:  "new",
		short: "make an invite for a friend",
		long: "Prints a line to send to your friend, who gives it to costream-obs pair join. It contains a new secret, the addresses of this machine, and your answer to one question: whether the two machines may find each other with the help of your router and of BitTorrent's public DHT. Then no port must be forwarded. --reach answers in advance; without a terminal and without --reach the answer is no.\n\n" +
			"If you or your friend answer no, one of the two machines must be reachable. In the same network, or with IPv6, it usually is. Otherwise forward the UDP port on your router to this machine, and give the router's address with --address; or your friend does that and makes the invite.",
		settings: []string{"base-port", "reach"},
		bind: func(set *pflag.FlagSet) action {
			addresses := set.StringArray("address", nil, "address at which your friend reaches this machine, as `HOST[:PORT]`; may be repeated (default: this machine's own addresses)")
			yes := bindYes(set)
			return func(ctx context.Context, c *invocation) error { return pairNew(ctx, c, *addresses, *yes) }
		},
	}
}

func pairJoinCommand() *command {
	return &command{
		name:  "join",
		args:  "[LINE]",
		short: "join with a friend's invite",
		long: "Takes the line that costream-obs pair new printed on your friend's machine. Without LINE, or with -, it reads the line from standard input, where no other user of this machine can see it. If your friend allowed the two machines to find each other with the help of others, it asks you the same; --reach answers in advance.\n\n" +
			"If your friend's machine has an address that is not in the line, give it to costream-obs run with --peer.",
		settings: []string{"reach"},
		bind: func(set *pflag.FlagSet) action {
			yes := bindYes(set)
			return func(ctx context.Context, c *invocation) error { return pairJoin(ctx, c, *yes) }
		},
	}
}

func pairShowCommand() *command {
	return &command{
		name:  "show",
		short: "print words to compare with your friend",
		long:  "Prints eight words. Read them to each other: if both have the same words, the line arrived unchanged. They do not reveal the secret.",
		bind: func(*pflag.FlagSet) action {
			return func(_ context.Context, c *invocation) error { return pairShow(c) }
		},
	}
}

func pairForgetCommand() *command {
	return &command{
		name:  "forget",
		short: "forget the friend's machine",
		long:  "Removes the secret from this machine. To pair again, you need a new invite.",
		bind: func(*pflag.FlagSet) action {
			return func(_ context.Context, c *invocation) error { return pairForget(c) }
		},
	}
}

func bindYes(set *pflag.FlagSet) *bool {
	return set.Bool("yes", false, "replace an existing pair without asking")
}

func pairNew(ctx context.Context, c *invocation, addresses []string, yes bool) error {
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
	in := bufio.NewReader(c.stdin)
	pair := &pairing.Pair{Role: pairing.Inviter, Invite: invite}
	path, err := mayPair(ctx, c, in, pair, yes)
	if err != nil {
		return err
	}
	if pair.Auto, err = askReach(ctx, c, in); err != nil {
		return err
	}
	pair.Invite.Auto = pair.Auto
	fmt.Fprintf(c.stderr, "Send your friend this line, by a messenger that you trust. Your friend runs: costream-obs pair join\n\n")
	// Before the pair is saved: it is worth nothing without the line.
	if _, err := fmt.Fprintln(c.stdout, pair.Invite.Line()); err != nil {
		return fmt.Errorf("nothing was saved: %w", err)
	}
	if err := pairing.Save(path, pair); err != nil {
		return fmt.Errorf("the line above is of no use: %w", err)
	}
	if pair.Auto {
		fmt.Fprintf(c.stderr, "\nThe two machines will find each other if your friend allows it, too.")
	} else {
		fmt.Fprintf(c.stderr, "\nYour friend's machine will connect to %s.", listed(addresses))
	}
	fmt.Fprintf(c.stderr, " Then compare the words of: costream-obs pair show\n")
	tellRunning(c.stderr)
	return nil
}

func pairJoin(ctx context.Context, c *invocation, yes bool) error {
	if len(c.args) > 1 {
		return usagef("too many arguments: give one line, in quotes")
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
		if line, err = readLine(ctx, in); err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the line: %w", err)
		}
	}
	invite, err := pairing.ParseInvite(line)
	if err != nil {
		return err
	}
	pair := &pairing.Pair{Role: pairing.Guest, Invite: invite}
	path, err := mayPair(ctx, c, in, pair, yes)
	if err != nil {
		return err
	}
	if invite.Auto {
		if pair.Auto, err = askReach(ctx, c, in); err != nil {
			return err
		}
	}
	if err := pairing.Save(path, pair); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "Paired. On your friend's machine, costream-obs pair show must print the same words:\n\n  %s\n\n", pair.Fingerprint())
	if len(invite.Addresses) == 0 && !pair.Agreed() {
		fmt.Fprintln(c.stdout, "The line contains no address: give your friend's address to costream-obs run with --peer, unless your friend knows yours.")
	}
	tellRunning(c.stderr)
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
	tellRunning(c.stderr)
	return nil
}

// tellRunning says that a running costream-obs does not follow a change of the pair, which it read when it started.
func tellRunning(stderr io.Writer) {
	if companionRuns() {
		fmt.Fprintln(stderr, "costream-obs run is running with the old settings: restart it.")
	}
}

// mayPair returns the file to save a pair in. Where there is one already it asks first, unless yes was said on the command
// line.
func mayPair(ctx context.Context, c *invocation, in *bufio.Reader, p *pairing.Pair, yes bool) (path string, err error) {
	path, err = pairing.DefaultFile()
	if err != nil {
		return "", err
	}
	old, err := pairing.Load(path)
	switch {
	case errors.Is(err, pairing.ErrNotPaired):
		return path, nil
	case err == nil && old.Role == pairing.Inviter && old.Invite.Secret == p.Invite.Secret:
		return "", errors.New("this invite was made on this machine: use it on your friend's")
	case err == nil && old.Role == p.Role && old.Invite.Secret == p.Invite.Secret, yes:
	case !terminal.Is(c.stdin):
		return "", errors.New("this machine is already paired; to replace that pair, add --yes")
	default:
		fmt.Fprint(c.stderr, "This machine is already paired. Replace that pair? [y/N] ")
		answer, err := readLine(ctx, in)
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the answer: %w", err)
		}
		if !slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer))) {
			return "", errors.New("the pair was not changed")
		}
	}
	return path, nil
}

// askReach asks whether others may help to find the peer, unless the settings tell. The answer is yes by default; where
// nobody can be asked it is no.
func askReach(ctx context.Context, c *invocation, in *bufio.Reader) (auto bool, err error) {
	switch {
	case c.config.Reach != "":
		return c.config.Reach == reachAuto, nil
	case !terminal.Is(c.stdin):
		fmt.Fprintln(c.stderr, "Nobody was asked whether the two machines may find each other with the help of others, so they may not. To allow it, add --reach auto.")
		return false, nil
	}
	fmt.Fprintf(c.stderr, "To find each other without an open port, the two machines can ask your router to open UDP port %d for as long as costream-obs runs, and leave encrypted notes with their addresses in BitTorrent's public DHT. "+
		"Your provider can then see traffic like BitTorrent's, and strangers can see that two addresses use the same note and when, but neither who you are nor what you send.\n"+
		"Allow it? [Y/n] ", c.config.BasePort)
	for n := range mostAnswers {
		if n > 0 {
			fmt.Fprint(c.stderr, "Answer y or n: ")
		}
		answer, err := readLine(ctx, in)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, fmt.Errorf("read the answer: %w", err)
		}
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		case "":
			return err == nil, nil // The end of the input is no answer.
		}
	}
	fmt.Fprintln(c.stderr, "That was neither yes nor no, so they may not. To allow it, add --reach auto.")
	return false, nil
}

// mostAnswers is how often a question is asked that gets neither a yes nor a no.
const mostAnswers = 3

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
		return "no address, because this machine has none: you need your friend's"
	}
	return strings.Join(addresses, " or ")
}
