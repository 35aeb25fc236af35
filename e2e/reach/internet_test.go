// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// transit is how long a packet takes from one of the internet's customers to another one.
const transit = 10 * time.Millisecond

// internet is one network that all routers and servers are connected to. It delays each packet, which the kernel need not
// know how to do.
type internet struct {
	t    testing.TB
	node *node
	sent chan frame // in the order in which they go on

	workers sync.WaitGroup

	mu     sync.Mutex
	ports  []*os.File
	places map[[6]byte]int // port of each hardware address
}

// frame is a packet on its way.
type frame struct {
	due  time.Time
	port int // that it came from
	raw  []byte
}

func newInternet(t testing.TB) *internet {
	t.Helper()
	i := &internet{t: t, node: newNode(t, "internet"), sent: make(chan frame, 1<<14), places: make(map[[6]byte]int)}
	i.node.sysctl("net.ipv6.conf.default.disable_ipv6=1") // it has nothing to say itself
	ctx, cancel := context.WithCancel(context.Background())
	i.workers.Add(1)
	go i.deliver(ctx)
	t.Cleanup(func() {
		i.mu.Lock()
		for _, p := range i.ports {
			_ = p.Close()
		}
		i.mu.Unlock()
		cancel()
		i.workers.Wait()
	})
	return i
}

// virtioHeader is what PACKET_VNET_HDR puts in front of each packet: what is left to be computed, as its checksum.
const virtioHeader = 10

// plug connects a node.
func (i *internet) plug(n *node, name string) {
	i.t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	port := len(i.ports)
	here := fmt.Sprintf("port%d", port)
	connect(i.node, here, n, name)
	var socket *os.File
	i.node.within(func() (err error) {
		socket, err = packetSocket(here, true)
		return err
	})
	i.ports = append(i.ports, socket)
	i.workers.Add(1)
	go i.read(port, socket)
}

// packetSocket opens a socket for all packets of an interface.
func packetSocket(name string, virtio bool) (*os.File, error) {
	link, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	const all = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, all)
	if err != nil {
		return nil, err
	}
	if virtio {
		err = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1)
	}
	err = errors.Join(err, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: link.Index}))
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("packet socket at %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// read takes the packets of one port until it is closed.
func (i *internet) read(port int, socket *os.File) {
	defer i.workers.Done()
	buffer := make([]byte, 1<<17)
	for {
		n, err := socket.Read(buffer)
		switch {
		case errors.Is(err, unix.ENETDOWN): // somebody pulled the cable
			continue
		case err != nil:
			return
		case n < virtioHeader+14:
			continue
		}
		select {
		case i.sent <- frame{time.Now().Add(transit), port, append([]byte(nil), buffer[:n]...)}:
		default: // as a network does that has too much to carry
		}
	}
}

// deliver hands each packet on when it is due.
func (i *internet) deliver(ctx context.Context) {
	defer i.workers.Done()
	for {
		var f frame
		select {
		case <-ctx.Done():
			return
		case f = <-i.sent:
		}
		time.Sleep(time.Until(f.due)) // this is the delay itself, not a wait for something
		to, from := [6]byte(f.raw[virtioHeader:]), [6]byte(f.raw[virtioHeader+6:])
		i.mu.Lock()
		i.places[from] = f.port
		only, known := i.places[to]
		for port, socket := range i.ports {
			if port != f.port && (port == only || !known) {
				_, _ = socket.Write(f.raw)
			}
		}
		i.mu.Unlock()
	}
}
