package requestpath

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

var update = flag.Bool("update", false, "rewrite the expectations of the fixtures")

// TestFixtures asks what each fixture in testdata asks. A fixture is a txtar
// archive: the rule in prose, the cluster in *.yaml (with params that policies
// read in params.yaml, and a version other than the newest in version.yaml),
// RequestReviews in reviews.yaml, the answers in want, and in kubectl what
// kubectl prints of the first. A review without a
// user is alice's, of the groups dev and system:authenticated; the one called
// nobody is that of somebody who is not known.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 62 {
		t.Fatalf("only %d fixtures (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runFixture(t, file) })
	}
}

func runFixture(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(strings.Fields(string(archive.Comment))) < 8 {
		t.Error("it does not say what rule it shows")
	}
	f := newFixture(t, archive)
	answers := f.ask(t, f.snapshot)
	got := print(f.reviews, answers)
	expect(t, archive, "want", got)
	expect(t, archive, "kubectl", printTable(t, f.reviews[0], answers[0]))
	if *update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for seed := range uint64(5) {
		if diff := cmp.Diff(got, print(f.reviews, f.ask(t, rebuild(f.snapshot, seed, schema.GroupResource{})))); diff != "" {
			t.Fatalf("in another order:\n%s", diff)
		}
	}
	checkForbidden(t, f)
}

// expect compares with a file of the archive, or writes it.
func expect(t *testing.T, archive *txtar.Archive, name, got string) {
	t.Helper()
	at := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
	if *update {
		if at < 0 {
			at = len(archive.Files)
			archive.Files = append(archive.Files, txtar.File{Name: name})
		}
		archive.Files[at].Data = []byte(got)
	}
	if at < 0 {
		t.Fatalf("it has no %s; run with -update, and read what is written", name)
	}
	if diff := cmp.Diff(string(archive.Files[at].Data), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// checkForbidden marks each resource as forbidden in turn. What cannot be seen
// may only make verdicts and matches unknown; for hidden registrations one hop
// stands in the place of theirs.
func checkForbidden(t *testing.T, f *fixture) {
	t.Helper()
	before := f.ask(t, f.snapshot)
	for i := range cluster.Resources {
		resource := cluster.Resources[i].GroupResource()
		after := f.ask(t, rebuild(f.snapshot, 1, resource))
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
