// SPDX-License-Identifier: Apache-2.0

// Package rtpsession is the two halves of an RTP session with one peer (RFC 3550): a Sender with its sender reports, and a
// Receiver with its receiver reports, requests for key frames and for lost packets, and the decision whose packets are let
// in. Picture and sound are a session each.
//
// It knows nothing of sockets and encryption: datagrams come in by calls and leave by functions. It ties packages repair and
// jitter together, and adds no delay of its own.
package rtpsession
