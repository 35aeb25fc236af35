// SPDX-License-Identifier: Apache-2.0

package pipe

import (
	"context"
	"errors"
	"testing"
)

func TestThinner(t *testing.T) {
	for _, test := range []struct {
		every  int
		passed uint64
	}{{0, 60}, {1, 60}, {2, 30}, {4, 15}} {
		p := mustParse(t, "videotestsrc num-buffers=60 ! identity name=thin ! fakesink name=end sync=false")
		thin, err := p.Thinner("thin")
		if err != nil {
			t.Fatal(err)
		}
		end, err := p.Element("end")
		if err != nil {
			t.Fatal(err)
		}
		passed := end.Meter()
		thin.Set(test.every)
		if err := p.Run(context.Background()); !errors.Is(err, ErrEnded) {
			t.Fatal(err)
		}
		if got := passed.Read().Entered; got != test.passed || thin.Held() != 60-test.passed {
			t.Errorf("one in %d of 60: got %d, held back %d, want %d", test.every, got, thin.Held(), test.passed)
		}
	}
	if _, err := mustParse(t, "videotestsrc name=no ! fakesink").Thinner("no"); err == nil {
		t.Error("an element without a sink pad: got no error")
	}
}
