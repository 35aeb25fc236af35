// SPDX-License-Identifier: Apache-2.0

package media

import "net"

// UserOf is the user of this machine whose program has the other end of a TCP connection. It is not known for a program on
// another machine, and for one that has closed its end.
func UserOf(conn net.Conn) (uid int, known bool) {
	ends := endsOf(conn)
	for _, look := range []func([]tcpEnds) (map[tcpEnds]int, error){askOwners, readOwners} {
		owners, err := look([]tcpEnds{ends})
		if uid, known := owners[ends]; known && err == nil {
			return uid, true
		}
	}
	return 0, false
}
