package finding

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/internal/scenario"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/validation"
)

// noon is when the fixtures are evaluated.
var noon = metav1.NewTime(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))

// fixture is a cluster with policies: those of the file, else baseline.
type fixture struct {
	extensions []*extant.Extension
	policies   []*extant.ExtensionPolicy
}

// TestFixtures evaluates the policies of each fixture in testdata. A fixture is
// a txtar archive: the rule in prose, the cluster in *.yaml, stored Extensions
// in extensions.yaml, policies in policies.yaml, and in want what is found.
func TestFixtures(t *testing.T) {
	scenario.Each(t, 8, func(t *testing.T, file *scenario.Fixture) {
		file.Only(t, "want")
		f := &fixture{policies: catalogue.Policies()[:1]}
		for _, document := range file.Documents(t, "extensions.yaml") {
			f.extensions = append(f.extensions, scenario.Review[*extant.Extension](t, "Extension", document))
		}
		if documents := file.Documents(t, "policies.yaml"); len(documents) > 0 {
			f.policies = nil
			for _, document := range documents {
				policy := scenario.Review[*extant.ExtensionPolicy](t, "ExtensionPolicy", document)
				if errs := validation.ValidateExtensionPolicy(policy); len(errs) > 0 && policy.Name != "stored-before" {
					t.Fatal(errs.ToAggregate())
				}
				f.policies = append(f.policies, policy)
			}
		}
		snapshot := scenario.WellFormed(t, file.Snapshot(t, "extensions.yaml", "policies.yaml"))
		engine := NewEngine(requestpath.NewEngine())
		result := f.evaluate(t, engine, snapshot)
		file.Expect(t, "want", format(result))
		for seed := range uint64(3) {
			again := f.evaluate(t, NewEngine(requestpath.NewEngine()), scenario.Rebuild(snapshot, seed, schema.GroupResource{}))
			if diff := cmp.Diff(format(result), format(again)); diff != "" {
				t.Fatalf("in another order:\n%s", diff)
			}
		}
		f.checkForbidden(t, engine, snapshot, result)
	})
}

func (f *fixture) evaluate(t *testing.T, engine *Engine, snapshot *cluster.Snapshot) *Result {
	t.Helper()
	found := inventory.Take(snapshot, catalogue.Points(), f.extensions)
	extensions := slices.Clone(f.extensions)
	for i := range found.Extensions {
		if !slices.ContainsFunc(f.extensions, func(e *extant.Extension) bool { return e.Name == found.Extensions[i].Name }) {
			extensions = append(extensions, &found.Extensions[i])
		}
	}
	result, err := engine.Evaluate(t.Context(), Input{
		Observed: requestpath.Observed{Snapshot: snapshot, Inventory: found, Time: noon}, Extensions: extensions, Policies: f.policies,
	})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// checkForbidden hides each resource in turn from an engine that knew better: a
// finding may then be there or be kept, but never be gone because of that. What
// hidden resources tell of a backend is no more known, and is another subject's
// state: findings of its availability may go.
func (f *fixture) checkForbidden(t *testing.T, engine *Engine, snapshot *cluster.Snapshot, before *Result) {
	t.Helper()
	for _, resource := range slices.Concat(intercepting, running, resourcesOf(registering)) {
		after := f.evaluate(t, engine, scenario.Rebuild(snapshot, 1, resource))
		names := sets.New[string]()
		for i := range after.Findings {
			names.Insert(after.Findings[i].Name)
		}
		for i := range before.Findings {
			one := &before.Findings[i]
			if !names.Has(one.Name) && !after.Keeps(&one.Spec, one.Name) {
				t.Errorf("without %s, %s is gone", resource, one.Name)
			}
		}
	}
	if diff := cmp.Diff(format(before), format(f.evaluate(t, engine, snapshot))); diff != "" {
		t.Errorf("once everything is seen again:\n%s", diff)
	}
}

func resourcesOf(names []string) []schema.GroupResource {
	var all []schema.GroupResource
	for _, name := range names {
		all = append(all, schema.ParseGroupResource(name))
	}
	return all
}

// format prints what came of an evaluation.
func format(result *Result) string {
	var b strings.Builder
	for i := range result.Findings {
		f := &result.Findings[i]
		accepted := ""
		if f.Spec.Accepted {
			accepted = " (accepted)"
		}
		s := subject{key: subjectKey{FindingSubject: f.Spec.Subject}}
		fmt.Fprintf(&b, "%s%s %s, %s of %s:\n  %s\n", f.Spec.Severity, accepted, f.Spec.Rule, s.String(), f.Spec.Extension, f.Spec.Message)
	}
	for _, name := range sets.List(sets.KeySet(result.Policies)) {
		p := result.Policies[name]
		fmt.Fprintf(&b, "%s: %d violations\n", name, p.Violations)
		for _, failure := range p.NotCompiled {
			fmt.Fprintf(&b, "  %s does not compile: %s\n", failure.Rule, failure.Message)
		}
		for _, failure := range p.Failed {
			fmt.Fprintf(&b, "  %s failed for %s and %d more: %s\n", failure.Rule, failure.Subject, failure.More, failure.Message)
		}
	}
	return b.String()
}
