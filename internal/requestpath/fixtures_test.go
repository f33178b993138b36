package requestpath

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/scenario"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// TestFixtures asks what each fixture in testdata asks. A fixture is a txtar
// archive: the rule in prose, the cluster in *.yaml (with params that policies
// read in params.yaml, and a version other than the newest in version.yaml),
// RequestReviews in reviews.yaml, the answers in want, and in kubectl what
// kubectl prints of the first. A review without a
// user is alice's, of the groups dev and system:authenticated; the one called
// nobody is that of somebody who is not known.
func TestFixtures(t *testing.T) {
	scenario.Each(t, 67, func(t *testing.T, file *scenario.Fixture) {
		f := newFixture(t, file)
		answers := f.ask(t, f.snapshot)
		got := print(f.reviews, answers)
		file.Expect(t, "want", got)
		file.Expect(t, "kubectl", printTable(t, f.reviews[0], answers[0]))
		for seed := range uint64(5) {
			if diff := cmp.Diff(got, print(f.reviews, f.ask(t, scenario.Rebuild(f.snapshot, seed, schema.GroupResource{})))); diff != "" {
				t.Fatalf("in another order:\n%s", diff)
			}
		}
		checkForbidden(t, f)
	})
}

// checkForbidden marks each resource as forbidden in turn. What cannot be seen
// may only make verdicts and matches unknown; for hidden registrations one hop
// stands in the place of theirs.
func checkForbidden(t *testing.T, f *fixture) {
	t.Helper()
	before := f.ask(t, f.snapshot)
	for i := range cluster.Resources {
		resource := cluster.Resources[i].GroupResource()
		after := f.ask(t, scenario.Rebuild(f.snapshot, 1, resource))
		for i, one := range after {
			if one.status == nil || before[i].status == nil {
				// A resource of a CRD that cannot be seen is not known to be served.
				continue
			}
			if was := before[i].status.Verdict; one.status.Verdict != was && one.status.Verdict != extant.VerdictUnknown {
				t.Errorf("without %s, the verdict of %s goes from %s to %s", resource, f.reviews[i].Name, was, one.status.Verdict)
			}
			matches := matchesOf(one.status)
			for hop, was := range matchesOf(before[i].status) {
				switch match, listed := matches[hop]; {
				case listed && match != was && match != extant.MatchUnknown:
					t.Errorf("without %s, the match of %s goes from %s to %s", resource, hop, was, match)
				case !listed && one.status.Verdict != extant.VerdictUnknown && !slices.Contains(registrations, resource):
					t.Errorf("without %s, %s is not listed and the verdict of %s is %s", resource, hop, f.reviews[i].Name, one.status.Verdict)
				}
			}
		}
	}
}

func matchesOf(status *extant.RequestReviewStatus) map[string]extant.MatchResult {
	matches := map[string]extant.MatchResult{}
	for _, hop := range status.Hops {
		matches[fmt.Sprintf("%s %s %s", hop.Stage, hop.Configuration, hop.Hook)] = hop.Match
	}
	return matches
}
