// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPrivateScenesOfScript: the script makes the private scenes that we look for.
func TestPrivateScenesOfScript(t *testing.T) {
	text, err := os.ReadFile(script(t))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`private_uuid, private_count = "(.*)", (\d+)\n`).FindSubmatch(text)
	if found == nil {
		t.Fatal("the script does not say which private scenes it makes")
	}
	count, err := strconv.Atoi(string(found[2]))
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for i := range count {
		made = append(made, fmt.Sprintf(string(found[1]), i+1))
	}
	if diff := cmp.Diff(made, PrivateScenes()); diff != "" {
		t.Errorf("UUIDs (-made by the script +looked for):\n%s", diff)
	}
}
