package inspect

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite what is wanted in testdata")

// TestWhatANodeHasIsFound looks at each node of testdata: an archive whose head
// says what it is about, with the node's files and what is found there.
func TestWhatANodeHasIsFound(t *testing.T) {
	fixtures, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(fixtures) == 0 {
		t.Fatalf("there are no fixtures: %v", err)
	}
	for _, fixture := range fixtures {
		t.Run(strings.TrimSuffix(filepath.Base(fixture), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(fixture)
			if err != nil {
				t.Fatal(err)
			}
			last := len(archive.Files) - 1
			if len(archive.Comment) == 0 || last < 0 || archive.Files[last].Name != "found" {
				t.Fatal("it has no head, or does not end with what is found")
			}
			h := newHost(t, archive.Files[:last])
			i := h.inspector(t, Paths{})
			found, err := i.Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := h.print(found)
			if *update {
				archive.Files[last].Data = []byte(got)
				if err := os.WriteFile(fixture, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(archive.Files[last].Data), got); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			again, err := i.Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(found, again); diff != "" {
				t.Errorf("a second look found something else (-first +second):\n%s", diff)
			}
			for name, plugin := range h.plugins {
				for _, call := range plugin.Calls() {
					if !slices.Contains(harmless, call) {
						t.Errorf("%s was called at %s, which may change something", call, name)
					}
				}
			}
		})
	}
}

// harmless are the calls that change nothing.
var harmless = []string{"/pluginregistration.Registration/GetInfo", "/csi.v1.Identity/GetPluginInfo", "/v1beta1.DevicePlugin/GetDevicePluginOptions"}
