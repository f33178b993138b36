package outage_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/test/truth"
)

var onlyOutage = flag.String("truth", "", "review the recorded outages whose names begin so alone, such as outage/07, and print what was recorded beside the review")

// undecided are the recorded outages whose review may leave something open, by
// what it says, and why the objects do not decide it.
var undecided = map[string]map[string]string{
	"outage/79-conversion-list-from-warm-cache": {"recoversUnaided, less assumed": "the API server's watch cache decides"},
	"outage/81-conversion-list-after-write":     {"recoversUnaided, less assumed": "the API server's watch cache decides"},
}

// TestRecordedTruth holds the engine to what real control planes did. Each
// outage is reviewed over the recorded objects alone and over all that a dump
// could have: as it was recorded, where a race that the recording leaves open
// may be Unknown, with the time that its pods took to start, which leaves none,
// and without what the watch cache was.
func TestRecordedTruth(t *testing.T) {
	scenarios, err := truth.Outages()
	if err != nil {
		t.Fatal(err)
	}
	// One engine reviews them all: what it keeps must not leak from one cluster
	// into another.
	engine := outage.NewEngine(requestpath.NewEngine(), rbac.NewAuthorizers(rbac.Options{}))
	reviewed, open := 0, 0
	for _, scenario := range scenarios {
		if !strings.HasPrefix(scenario.Name, *onlyOutage) {
			continue
		}
		for _, asked := range questions(t, scenario) {
			t.Run(scenario.Name+"/"+asked.name, func(t *testing.T) {
				status, err := engine.Analyze(t.Context(), asked.observed, asked.spec)
				if err != nil {
					t.Fatal(err)
				}
				if *onlyOutage != "" {
					t.Log(scenario.SideBySide(asked.spec, status))
				}
				reviewed++
				compared := scenario.Compare(asked.spec, status)
				if compared.IsUnknown() {
					open++
				}
				report(t, scenario.Name, asked.name, compared)
			})
		}
	}
	t.Logf("%d reviews of %d outages; %d leave something open", reviewed, len(scenarios), open)
	if reviewed == 0 {
		t.Fatal("nothing was compared")
	}
}

// question is a review of a recorded outage.
type question struct {
	name     string
	observed requestpath.Observed
	spec     *extant.OutageReviewSpec
}

func questions(t *testing.T, scenario *truth.Outage) []question {
	t.Helper()
	known := scenario.Spec.DeepCopy()
	known.Assume.StartupSeconds = &scenario.StartupSeconds
	less := scenario.Spec.DeepCopy()
	less.Assume.WatchCache = ""
	whole, bare := observe(t, scenario, scenario.Snapshot), observe(t, scenario, scenario.BareSnapshot)
	return []question{
		{"as recorded", whole, scenario.Spec.DeepCopy()},
		{"startup known", whole, known},
		{"bare objects", bare, known},
		{"less assumed", bare, less},
	}
}

func report(t *testing.T, name, asked string, compared *truth.OutageComparison) {
	t.Helper()
	for _, problem := range compared.Disagreements {
		t.Error(problem)
	}
	for _, unknown := range compared.Unknown {
		subject, _, _ := strings.Cut(unknown, ":")
		if undecided[name][fmt.Sprintf("%s, %s", subject, asked)] == "" {
			t.Errorf("Unknown, and it was decided: %s", unknown)
		}
	}
}

func observe(t *testing.T, scenario *truth.Outage, read func() (*cluster.Snapshot, error)) requestpath.Observed {
	t.Helper()
	snapshot, err := read()
	if err != nil {
		t.Fatal(err)
	}
	params, err := scenario.Params(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	return requestpath.Observed{
		Snapshot: snapshot, Inventory: inventory.Take(snapshot, nil, nil), Params: params,
		Time: metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
	}
}
