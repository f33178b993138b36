package requestpath_test

import (
	"testing"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/test/truth"
)

// TestRequestsDuringRecordedOutages traces what nodes, controllers and people
// asked for while backends were down. Nothing of it is left open.
func TestRequestsDuringRecordedOutages(t *testing.T) {
	outages, err := truth.Outages()
	if err != nil {
		t.Fatal(err)
	}
	engine := requestpath.NewEngine()
	traced := 0
	for _, outage := range outages {
		t.Run(outage.Name, func(t *testing.T) {
			snapshot, err := outage.ProbeSnapshot()
			if err != nil {
				t.Fatal(err)
			}
			params, err := outage.Params(snapshot)
			if err != nil {
				t.Fatal(err)
			}
			reviews, err := outage.ProbeReviews(snapshot)
			if err != nil {
				t.Fatal(err)
			}
			observed := requestpath.Observed{Snapshot: snapshot, Inventory: inventory.Take(snapshot, nil, nil), Params: params}
			authorizer := rbac.New(snapshot, rbac.Options{})
			for i := range reviews {
				review := &reviews[i]
				status, err := engine.Trace(t.Context(), observed, authorizer, &review.Spec)
				if err != nil {
					t.Errorf("%s: %v", review.Probe, err)
					continue
				}
				traced++
				if status.Verdict != review.Verdict {
					t.Errorf("%s by %s is %s (%s) and was %s", review.Probe, review.Probe.User.Username, status.Verdict, status.Message, review.Verdict)
				}
				if status.Verdict == extant.VerdictBlocked && !review.Probe.IsBlockedBy(status.BlockedBy) {
					t.Errorf("%s is blocked by %v, and was by %s", review.Probe, status.BlockedBy, review.Probe.Hook)
				}
			}
		})
	}
	if traced < 5000 {
		t.Errorf("only %d requests were traced", traced)
	}
}
