// SPDX-License-Identifier: Apache-2.0

// Package bwe is the bandwidth estimate of a link and what it rests on: transport-wide sequence numbers on the packets that
// leave, the receiver's feedback about when they came (draft-holmer-rmcat-transport-wide-cc-extensions-01), the estimate made
// of that feedback, the bit rate that is left for the picture, and the pacer that keeps packets to the rate.
//
// It opens no socket and encrypts nothing, and does not know which packets are missing for the decoder: it sees sizes,
// numbers and times. Bit rates are in bit/s.
package bwe
