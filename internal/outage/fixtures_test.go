package outage_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/internal/scenario"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// fixture is a cluster, and an outage that is asked about.
type fixture struct {
	engine   *outage.Engine
	snapshot *cluster.Snapshot
	params   scenario.Params
	review   *extant.OutageReview
}

// TestFixtures asks what each fixture in testdata asks: the cluster is in
// *.yaml, with params that policies read in params.yaml, the OutageReview is in
// review.yaml, and its status in want.yaml. What every answer has is left out of
// that: vital operations that are Allowed, and, but for a review called gaps,
// what was not seen.
func TestFixtures(t *testing.T) {
	scenario.Each(t, 49, func(t *testing.T, file *scenario.Fixture) {
		f := newFixture(t, file)
		status := f.ask(t, f.snapshot, &f.review.Spec)
		got := f.print(t, status)
		file.Expect(t, "want.yaml", got)
		if diff := cmp.Diff(got, f.print(t, f.ask(t, f.snapshot, &f.review.Spec))); diff != "" {
			t.Errorf("asked again:\n%s", diff)
		}
		for seed := range uint64(5) {
			again := f.ask(t, scenario.Rebuild(f.snapshot, seed, schema.GroupResource{}), &f.review.Spec)
			if diff := cmp.Diff(got, f.print(t, again)); diff != "" {
				t.Fatalf("in another order:\n%s", diff)
			}
		}
		checkForbidden(t, f, status)
		checkMoreLost(t, f, status)
	})
}

func newFixture(t *testing.T, file *scenario.Fixture) *fixture {
	t.Helper()
	reviews := file.Documents(t, "review.yaml")
	if len(reviews) != 1 {
		t.Fatalf("it asks %d questions", len(reviews))
	}
	return &fixture{
		engine:   outage.NewEngine(requestpath.NewEngine(), rbac.NewAuthorizers(rbac.Options{})),
		snapshot: scenario.WellFormed(t, file.Snapshot(t, "review.yaml", "params.yaml", "want.yaml")),
		params:   file.Params(t, "params.yaml"),
		review:   scenario.Review[*extant.OutageReview](t, "OutageReview", reviews[0]),
	}
}

func (f *fixture) observe(snapshot *cluster.Snapshot) requestpath.Observed {
	return requestpath.Observed{
		Snapshot: snapshot, Inventory: inventory.Take(snapshot, catalogue.Points(), nil), Params: f.params, Time: metav1.Time{},
	}
}

// ask asks about a cluster. What is asked must not change.
func (f *fixture) ask(t *testing.T, snapshot *cluster.Snapshot, spec *extant.OutageReviewSpec) *extant.OutageReviewStatus {
	t.Helper()
	before := spec.DeepCopy()
	status, err := f.engine.Analyze(t.Context(), f.observe(snapshot), spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, spec); diff != "" {
		t.Errorf("the question was changed:\n%s", diff)
	}
	return status
}

// print prints a status as kubectl does, without what every answer has.
func (f *fixture) print(t *testing.T, status *extant.OutageReviewStatus) string {
	t.Helper()
	served := &v1alpha1.OutageReview{}
	if err := install.Scheme.Convert(&extant.OutageReview{Status: *status.DeepCopy()}, served, nil); err != nil {
		t.Fatal(err)
	}
	said := &served.Status
	said.Observed.Gaps = slices.DeleteFunc(said.Observed.Gaps, func(gap v1alpha1.Gap) bool {
		return f.review.Name != "gaps" || slices.ContainsFunc(f.snapshot.Gaps(), func(of cluster.Gap) bool { return of.Message == gap.Message })
	})
	said.Vital = slices.DeleteFunc(said.Vital, func(vital v1alpha1.VitalOperation) bool {
		return vital.Verdict == v1alpha1.VitalVerdict(extant.VitalAllowed)
	})
	text, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	writeYAML(&b, "", value)
	return b.String()
}
