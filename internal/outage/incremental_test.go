package outage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
)

// worlds is how many random clusters are changed.
const worlds = 16

// TestLossesAreBroughtUpToDate changes random clusters one thing at a time: the
// losses that an engine brings up to date are those that it finds from scratch.
func TestLossesAreBroughtUpToDate(t *testing.T) {
	changed, kept := map[string]int{}, map[string]int{}
	for seed := range uint64(worlds) {
		w := newWorld(t, seed)
		engine, requests := newEngine(), requestpath.NewEngine()
		for step := range 25 {
			what := ""
			if step > 0 {
				what = w.change()
			}
			observed, before := w.observed(), engine.Computed()
			got, err := engine.Losses(t.Context(), observed)
			if err != nil {
				t.Fatal(err)
			}
			want, err := outage.NewEngine(requests, rbac.NewAuthorizers(rbac.Options{})).Losses(t.Context(), observed)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d, step %d, after a change of %s (-from scratch +brought up to date):\n%s", seed, step, what, diff)
			}
			for name, computed := range engine.Computed() {
				if before[name] == computed {
					kept[what]++
				}
			}
			if diff := cmp.Diff(w.last, want); diff != "" && step > 0 {
				changed[what]++
			}
			w.last = want
		}
	}
	for _, what := range []string{"a webhook", "a namespace", "a probe"} {
		if changed[what] == 0 {
			t.Errorf("no change of %s changed any loss", what)
		}
	}
	for _, what := range []string{"a webhook", "a namespace", "a probe", "pods", "endpoints"} {
		if kept[what] == 0 {
			t.Errorf("after each change of %s every loss was computed again", what)
		}
	}
}
