// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"fmt"
	"log/slog"
)

// Secret is a password that does not print itself: fmt, log/slog and the text
// and JSON encoders all write "[secret]". Reveal gives the text.
type Secret string

const redacted = "[secret]"

var (
	_ fmt.Formatter  = Secret("")
	_ slog.LogValuer = Secret("")
)

// Reveal returns the password itself.
func (s Secret) Reveal() string { return string(s) }

// String returns "[secret]".
func (s Secret) String() string { return redacted }

// GoString returns "[secret]".
func (s Secret) GoString() string { return redacted }

// Format writes "[secret]" for every verb; %x and %q would otherwise encode
// the underlying string.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns "[secret]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[secret]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
