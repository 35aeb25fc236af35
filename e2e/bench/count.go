// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// counting is what the counters stood at when a window began.
type counting struct {
	send, receive *testbed.Process
	wire          *wire
	sendCPU       time.Duration
	recvCPU       time.Duration
	bytes         int64
	tenths        int
}

func startCounting(send, receive *testbed.Process, w *wire) *counting {
	c := &counting{send: send, receive: receive, wire: w, sendCPU: cpuTime(send), recvCPU: cpuTime(receive)}
	if w != nil {
		c.tenths = w.samples()
	}
	c.bytes = loopbackBytes()
	return c
}

// into writes what was counted since.
func (c *counting) into(t *turn) {
	t.bytes = loopbackBytes() - c.bytes
	t.sendCPU, t.recvCPU = cpuTime(c.send)-c.sendCPU, cpuTime(c.receive)-c.recvCPU
	if c.wire != nil {
		t.tenths = c.wire.since(c.tenths)
		t.bytes = 0
		for _, b := range t.tenths {
			t.bytes += b
		}
	}
}

// clockTick is the unit of times in /proc, which is 10 ms on all Linux that Go runs on (proc(5), USER_HZ).
const clockTick = 10 * time.Millisecond

// cpuTime is what a process and its children that have ended have used, or 0 of none.
func cpuTime(p *testbed.Process) time.Duration {
	if p == nil {
		return 0
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
	if err != nil {
		return 0
	}
	return statTime(stat)
}

// statTime adds up the times of /proc/PID/stat: utime, stime, cutime and cstime, the fields 14 to 17.
func statTime(stat []byte) time.Duration {
	// The name, field 2, may hold anything, and ends with the last bracket.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks int64
	for i := 11; i < 15 && i < len(fields); i++ {
		n, _ := strconv.ParseInt(fields[i], 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * clockTick
}

// loopbackBytes is what has gone over the loopback device, headers included. On a machine that does nothing else it is the
// traffic of what is measured, for programs that tell nothing of it.
func loopbackBytes() int64 {
	text, err := os.ReadFile("/sys/class/net/lo/statistics/tx_bytes")
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n
}
