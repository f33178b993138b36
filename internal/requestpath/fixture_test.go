package requestpath

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	cliprinters "k8s.io/cli-runtime/pkg/printers"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/scenario"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/printers"
)

// fixture is a cluster with questions.
type fixture struct {
	snapshot *cluster.Snapshot
	params   scenario.Params
	reviews  []*extant.RequestReview
	// engine is the same for all, as in a server: it must not mix up clusters.
	engine *Engine
}

// response is what comes of a question: one of the two.
type response struct {
	status *extant.RequestReviewStatus
	err    error
}

func newFixture(t *testing.T, file *scenario.Fixture) *fixture {
	t.Helper()
	file.Only(t, "want", "kubectl")
	f := &fixture{
		engine: NewEngine(), params: file.Params(t, "params.yaml"),
		snapshot: scenario.WellFormed(t, file.Snapshot(t, "reviews.yaml", "params.yaml")),
	}
	for _, document := range file.Documents(t, "reviews.yaml") {
		f.reviews = append(f.reviews, readReview(t, document))
	}
	if len(f.reviews) == 0 {
		t.Fatal("it asks nothing: there are no reviews")
	}
	return f
}

func readReview(t *testing.T, document []byte) *extant.RequestReview {
	t.Helper()
	review := scenario.Review[*extant.RequestReview](t, "RequestReview", document)
	if review.Spec.User == nil && review.Name != "nobody" {
		review.Spec.User = &authenticationv1.UserInfo{Username: "alice", Groups: []string{"dev", "system:authenticated"}}
	}
	return review
}

// ask asks every question of the fixture about a cluster.
func (f *fixture) ask(t *testing.T, snapshot *cluster.Snapshot) []response {
	t.Helper()
	observed := Observed{
		Snapshot: snapshot, Inventory: inventory.Take(snapshot, catalogue.Points(), nil), Params: f.params, Time: metav1.Time{},
	}
	authorizer := rbac.New(snapshot, rbac.Options{})
	var all []response
	for _, review := range f.reviews {
		status, err := f.engine.Trace(t.Context(), observed, authorizer, &review.Spec)
		if invalid := new(InvalidError); err != nil && !errors.As(err, &invalid) {
			t.Fatalf("%s: %v", review.Name, err)
		}
		all = append(all, response{status, err})
	}
	return all
}

// print prints responses for people. What every answer says is left out: that
// authorization allows, and, but for a review called gaps, what was not seen.
func print(reviews []*extant.RequestReview, all []response) string {
	var b strings.Builder
	for i, one := range all {
		fmt.Fprintf(&b, "# %s\n", reviews[i].Name)
		if one.err != nil {
			fmt.Fprintf(&b, "invalid: %s\n", one.err)
			continue
		}
		s := one.status
		fmt.Fprintf(&b, "%s%s\n", s.Verdict, after(": ", s.Message))
		if s.WorstCaseLatency.Duration > 0 {
			fmt.Fprintf(&b, "at most %s\n", s.WorstCaseLatency.Duration)
		}
		for _, hook := range s.BlockedBy {
			fmt.Fprintf(&b, "blocked by %s/%s at %s\n", hook.Configuration, hook.Hook, hook.Backend)
		}
		for _, hook := range s.Presumes {
			fmt.Fprintf(&b, "presumes %s/%s\n", hook.Configuration, hook.Hook)
		}
		for _, gap := range s.Observed.Gaps {
			if reviews[i].Name == "gaps" && gap.Reason != string(cluster.GapNotInDump) {
				fmt.Fprintf(&b, "gap %s %s: %s\n", gap.Resource, gap.Reason, gap.Message)
			}
		}
		for j := range s.Hops {
			printHop(&b, &s.Hops[j])
		}
	}
	return b.String()
}

func printHop(b *strings.Builder, hop *extant.Hop) {
	if hop.Stage == extant.StageAuthorization && hop.Outcome == extant.OutcomeAllows {
		return
	}
	fmt.Fprintf(b, "- %s", nameOf(hop))
	fmt.Fprintf(b, " %s (%s)%s", hop.Match, hop.Reason, after(" → ", string(hop.Outcome)))
	if hop.SentAs != nil {
		fmt.Fprintf(b, " as %s", schema.GroupVersionResource(*hop.SentAs).GroupVersion().String()+" "+hop.SentAs.Resource)
	}
	if hop.Backend != "" {
		fmt.Fprintf(b, " [%s %s]", hop.Backend, hop.BackendAvailable)
	}
	fmt.Fprintf(b, "%s%s\n", after(": ", strings.Join(strings.Fields(hop.Message), " ")), after("; patch ", hop.Patch))
}

// printTable prints what kubectl shows of an answer.
func printTable(t *testing.T, review *extant.RequestReview, one response) string {
	t.Helper()
	if one.err != nil {
		return ""
	}
	answered := review.DeepCopy()
	answered.Status = *one.status
	table, err := printers.RequestReviews.ConvertToTable(t.Context(), answered, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := cliprinters.NewTablePrinter(cliprinters.PrintOptions{}).PrintObj(table, &b); err != nil {
		t.Fatal(err)
	}
	var trimmed strings.Builder
	for line := range strings.Lines(b.String()) {
		trimmed.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return trimmed.String()
}

func after(separator, text string) string {
	if text == "" {
		return ""
	}
	return separator + text
}
