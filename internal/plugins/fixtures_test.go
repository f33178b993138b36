package plugins

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/scenario"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// TestFixtures takes the reports of each fixture in testdata: the rule in
// prose, the cluster in *.yaml, and what the API knows in want.
func TestFixtures(t *testing.T) {
	scenario.Each(t, 5, func(t *testing.T, file *scenario.Fixture) {
		file.Only(t, "want")
		snapshot := scenario.WellFormed(t, file.Snapshot(t))
		got := format(Take(snapshot, nil))
		file.Expect(t, "want", got)
		for seed := range uint64(5) {
			if diff := cmp.Diff(got, format(Take(scenario.Rebuild(snapshot, seed, schema.GroupResource{}), nil))); diff != "" {
				t.Fatalf("in another order:\n%s", diff)
			}
		}
		checkForbidden(t, snapshot)
		checkIncremental(t, snapshot)
	})
}

// checkForbidden marks each resource that is read as forbidden in turn. What is
// then missing must be of a type that is said to be hidden.
func checkForbidden(t *testing.T, snapshot *cluster.Snapshot) {
	t.Helper()
	before := Take(snapshot, nil)
	for _, resource := range []schema.GroupResource{nodes, csiNodes, runtimeClasses, resourceSlices} {
		after := Take(scenario.Rebuild(snapshot, 1, resource), nil)
		if resource == nodes {
			if !after.NodesHidden || len(after.All) != 0 {
				t.Error("nodes that cannot be seen are gone")
			}
			continue
		}
		for i, report := range before.All {
			for _, plugin := range report.Plugins {
				if !slices.Contains(after.All[i].Plugins, plugin) && !slices.Contains(after.Hidden, plugin.Type) {
					t.Errorf("without %s, %s of %s is gone", resource, plugin.Name, report.Node)
				}
			}
		}
	}
}

// checkIncremental takes away and puts back each object that is read. What is
// shared must equal what is computed anew.
func checkIncremental(t *testing.T, snapshot *cluster.Snapshot) {
	t.Helper()
	b := cluster.NewBuilder("dump")
	read := []schema.GroupResource{nodes, csiNodes, runtimeClasses, resourceSlices}
	for _, resource := range read {
		b.Replace(resource, slices.Collect(snapshot.Objects(resource).All()))
	}
	last := Take(b.Snapshot(), nil)
	step := func(what string, o cluster.Object) {
		t.Helper()
		last = Take(b.Snapshot(), last)
		if diff := cmp.Diff(format(Take(b.Snapshot(), nil)), format(last)); diff != "" {
			t.Errorf("%s %s:\n%s", what, o.GetName(), diff)
		}
	}
	for _, resource := range read {
		for object := range snapshot.Objects(resource).All() {
			b.Delete(resource, "", object.GetName())
			step("without", object)
			b.Put(resource, object)
			step("again with", object)
		}
	}
}

func format(reports *Reports) string {
	var out strings.Builder
	for _, report := range reports.All {
		fmt.Fprintf(&out, "%s %s\n", report.Node, report.KubeletVersion)
		for _, plugin := range report.Plugins {
			fmt.Fprintf(&out, "  %s %s %s\n", plugin.Type, plugin.Name, plugin.State)
			if plugin != (extant.NodePlugin{Type: plugin.Type, Name: plugin.Name, State: plugin.State}) {
				fmt.Fprintf(&out, "    %+v\n", plugin)
			}
		}
	}
	for _, kind := range reports.Hidden {
		fmt.Fprintf(&out, "hidden: %s\n", kind)
	}
	return out.String()
}
