// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// node is a machine of the lab: a network namespace.
type node struct {
	t    testing.TB
	name string
}

// naming is locked while a namespace gets or loses its name: ip-netns takes no lock of its own.
var naming sync.Mutex

func newNode(t testing.TB, name string) *node {
	t.Helper()
	n := &node{t, strings.NewReplacer("/", "-", " ", "_").Replace(t.Name()) + "-" + name}
	naming.Lock()
	out, err := exec.Command("ip", "netns", "add", n.name).CombinedOutput()
	naming.Unlock()
	if err != nil {
		t.Fatalf("add the network namespace %s: %v\n%s", n.name, err, out)
	}
	t.Cleanup(func() {
		naming.Lock()
		defer naming.Unlock()
		_ = exec.Command("ip", "netns", "del", n.name).Run()
	})
	// Addresses are unique here: waiting for a second to see whether another one has them would be part of each time.
	n.sysctl("net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.default.router_solicitations=0")
	n.ip("link set lo up")
	return n
}

// path is that of the namespace.
func (n *node) path() string { return "/run/netns/" + n.name }

// command is a command within the node.
func (n *node) command(program string, args ...string) testbed.Command {
	return testbed.Command{
		Name: program + " in " + n.name,
		Path: "nsenter", Args: append([]string{"--net=" + n.path(), program}, args...),
	}
}

// start starts a program in the node whose output is read and whose input is written. Both end with the program.
func (n *node) start(c testbed.Command) (p *testbed.Process, input io.Writer, output io.Reader) {
	n.t.Helper()
	var files [4]*os.File
	for i := 0; i < len(files); i += 2 {
		var err error
		if files[i], files[i+1], err = os.Pipe(); err != nil {
			n.t.Fatal(err)
		}
		n.t.Cleanup(func() { _ = files[i].Close() })
		n.t.Cleanup(func() { _ = files[i+1].Close() })
	}
	c.Stdin, c.Stdout = files[0], files[3]
	p = testbed.Start(n.t, c)
	_, _ = files[0].Close(), files[3].Close()
	return p, files[1], files[2]
}

func (n *node) run(input, program string, args ...string) {
	n.t.Helper()
	c := n.command(program, args...)
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		n.t.Fatalf("%s: %s: %v\n%s\n%s", n.name, program, err, input, out)
	}
}

// ip runs commands of ip, one a line.
func (n *node) ip(commands ...string) {
	n.t.Helper()
	n.run(strings.Join(commands, "\n")+"\n", "ip", "-batch", "-")
}

func (n *node) nft(text string) {
	n.t.Helper()
	n.run(text, "nft", "-f", "-")
}

// sysctl makes settings of the kernel, as name=value.
func (n *node) sysctl(settings ...string) {
	n.t.Helper()
	n.within(func() error {
		for _, setting := range settings {
			name, value, _ := strings.Cut(setting, "=")
			if err := os.WriteFile("/proc/sys/"+strings.ReplaceAll(name, ".", "/"), []byte(value), 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

// within calls a function in the node's network, where sockets that it opens stay.
func (n *node) within(do func() error) {
	n.t.Helper()
	if err := inNamespace(n.path(), do); err != nil {
		n.t.Fatalf("%s: %v", n.name, err)
	}
}

// dial opens a connection from the node.
func (n *node) dial(network, address string) (c net.Conn, err error) {
	err = inNamespace(n.path(), func() (err error) {
		c, err = net.Dial(network, address)
		return err
	})
	return c, err
}

func inNamespace(path string, do func() error) error {
	there, err := os.Open(path)
	if err != nil {
		return err
	}
	defer there.Close()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine, and with it the change
		if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter %s: %w", path, err)
			return
		}
		done <- do()
	}()
	return <-done
}

// connect lays a cable between two nodes.
func connect(a *node, interfaceA string, b *node, interfaceB string) {
	a.t.Helper()
	a.ip(fmt.Sprintf("link add %s type veth peer name %s netns %s", interfaceA, interfaceB, b.name), "link set "+interfaceA+" up")
	b.ip("link set " + interfaceB + " up")
}

// forgetConnections makes the node's NAT and firewall forget all connections, as a restart does.
func (n *node) forgetConnections() {
	n.t.Helper()
	const deleteConnections = unix.NFNL_SUBSYS_CTNETLINK<<8 | 2 // IPCTNL_MSG_CT_DELETE: all of a family
	n.within(func() error {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
			request := []byte{
				20, 0, 0, 0, deleteConnections & 0xff, deleteConnections >> 8, unix.NLM_F_REQUEST | unix.NLM_F_ACK, 0, // length, type, flags
				0, 0, 0, 0, 0, 0, 0, 0, // number, port
				family, 0, 0, 0, // nfgenmsg
			}
			if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
				return err
			}
			answer := make([]byte, 4096)
			if got, _, err := unix.Recvfrom(fd, answer, 0); err != nil || got < 20 || [4]byte(answer[16:20]) != [4]byte{} {
				return fmt.Errorf("forget connections: % x, %w", answer[:got], err)
			}
		}
		return nil
	})
}
