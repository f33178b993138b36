package outage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
)

// TestLossesAreBroughtUpToDate changes random clusters one thing at a time: the
// losses that an engine brings up to date are those that it finds from scratch.
func TestLossesAreBroughtUpToDate(t *testing.T) {
	changed := map[string]int{}
	for seed := range uint64(12) {
		w := newWorld(t, seed)
		engine, requests := newEngine(), requestpath.NewEngine()
		for step := range 25 {
			what := ""
			if step > 0 {
				what = w.change()
			}
			observed := w.observed()
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
			if diff := cmp.Diff(w.last, want); diff != "" && step > 0 {
				changed[what]++
			}
			w.last = want
		}
	}
	for _, what := range []string{"a webhook", "a namespace"} {
		if changed[what] == 0 {
			t.Errorf("no change of %s changed any loss", what)
		}
	}
}
