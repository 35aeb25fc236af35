// SPDX-License-Identifier: Apache-2.0

package media

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
)

// tcpEnds are the two ends of a TCP connection, as the program at from sees it.
type tcpEnds struct{ from, to netip.AddrPort }

// readOwners reads in the kernel's tables which users of this machine have the given connections open. A connection that is
// missing in the answer is closed.
func readOwners(wanted []tcpEnds) (map[tcpEnds]int, error) {
	return readOwnersIn("/proc/self/net", wanted)
}

func readOwnersIn(procNet string, wanted []tcpEnds) (map[tcpEnds]int, error) {
	owners := make(map[tcpEnds]int, len(wanted))
	for _, table := range []struct {
		name  string
		bytes func(netip.Addr) []byte
	}{
		{"tcp", netip.Addr.AsSlice},
		{"tcp6", as16}, // A socket for IPv6 may reach an address of IPv4.
	} {
		rows := make(map[string]tcpEnds, len(wanted))
		for _, ends := range wanted {
			rows[tableRow(ends, table.bytes)] = ends
		}
		err := readTable(filepath.Join(procNet, table.name), rows, owners)
		if errors.Is(err, fs.ErrNotExist) && table.name == "tcp6" {
			continue // a kernel without IPv6
		}
		if err != nil {
			return nil, fmt.Errorf("owners of TCP connections: %w", err)
		}
	}
	return owners, nil
}

// established is the state of an open connection. One that its program has closed belongs to user 0 in the table, whoever
// that program's user was.
const established = "01"

func as16(a netip.Addr) []byte {
	b := a.As16()
	return b[:]
}

// tableRow is how the row of an open connection begins. All rows of a table begin with as many characters.
func tableRow(ends tcpEnds, bytes func(netip.Addr) []byte) string {
	return tableEnd(ends.from, bytes) + " " + tableEnd(ends.to, bytes) + " " + established + " "
}

// tableEnd is an address in the table's form, such as 0100007F:1F90: its 32-bit words in the processor's byte order, and the
// port.
func tableEnd(a netip.AddrPort, bytes func(netip.Addr) []byte) string {
	text := ""
	for b := bytes(a.Addr()); len(b) > 0; b = b[4:] {
		text += fmt.Sprintf("%08X", binary.NativeEndian.Uint32(b))
	}
	return fmt.Sprintf("%s:%04X", text, a.Port())
}

// readTable reads a table whose lines are "sl: local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid
// timeout inode ...", and finds the users of the rows that begin as wanted. Another user can make the table long, so each
// line must take little time.
func readTable(path string, rows map[string]tcpEnds, owners map[tcpEnds]int) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	width := 0
	for row := range rows {
		width = len(row)
	}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		_, row, _ := bytes.Cut(lines.Bytes(), []byte(": "))
		if len(row) < width {
			continue
		}
		ends, ok := rows[string(row[:width])]
		if !ok {
			continue
		}
		if fields := bytes.Fields(row[width:]); len(fields) > 3 {
			if uid, err := strconv.Atoi(string(fields[3])); err == nil {
				owners[ends] = uid
			}
		}
	}
	return lines.Err()
}
