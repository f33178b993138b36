package inventory

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/scenario"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// TestFixtures takes the inventory of each fixture in testdata. A fixture is a
// txtar archive: the rule in prose, the cluster in *.yaml, further points in
// points.yaml, the stored Extensions in extensions.yaml, and what is to be
// found in want.
func TestFixtures(t *testing.T) {
	scenario.Each(t, 25, func(t *testing.T, file *scenario.Fixture) {
		file.Only(t, "want")
		more, _ := file.Text("points.yaml")
		points := append(slices.Clone(catalogue.Points()), decodeAll[*extant.ExtensionPoint](t, more)...)
		stored, _ := file.Text("extensions.yaml")
		extensions := decodeAll[*extant.Extension](t, stored)
		snapshot := file.Contents(t, "points.yaml", "extensions.yaml").Snapshot(namedResources(points)...)
		print := func(i *Inventory) string { return format(i) + formatPoints(i.Points, namesOf(points)) }
		found := Take(snapshot, points, extensions)
		got := print(found)
		file.Expect(t, "want", got)
		for seed := range uint64(5) {
			shuffled := shuffle(points, extensions, seed)
			again := print(Take(rebuild(snapshot, points, seed, schema.GroupResource{}), shuffled.points, shuffled.extensions))
			if diff := cmp.Diff(got, again); diff != "" {
				t.Fatalf("in another order:\n%s", diff)
			}
		}
		checkServed(t, found)
		checkForbidden(t, snapshot, points, extensions, found)
	})
}

// checkServed converts what was found as the controller does.
func checkServed(t *testing.T, found *Inventory) {
	t.Helper()
	for i := range found.Extensions {
		if err := v1alpha1.Convert_extant_Extension_To_v1alpha1_Extension(&found.Extensions[i], &v1alpha1.Extension{}, nil); err != nil {
			t.Error(err)
		}
	}
}

// checkForbidden marks each resource as forbidden in turn. What cannot be seen
// may only make verdicts unknown, and is no reason to delete anything.
func checkForbidden(t *testing.T, snapshot *cluster.Snapshot, points []*extant.ExtensionPoint, extensions []*extant.Extension, before *Inventory) {
	t.Helper()
	verdicts := verdictsOf(before)
	resources := append(Reads(points), schema.GroupResource{Resource: "pods"})
	// What was found once is stored by the time that it becomes hidden.
	known := slices.Clone(extensions)
	for i := range before.Extensions {
		e := &before.Extensions[i]
		if at := slices.IndexFunc(known, func(k *extant.Extension) bool { return k.Name == e.Name }); at >= 0 {
			stored := known[at].DeepCopy()
			stored.Status = e.Status
			known[at] = stored
			continue
		}
		known = append(known, e)
	}
	for _, resource := range resources {
		after := Take(rebuild(snapshot, points, 1, resource), points, known)
		for _, name := range after.Gone {
			if !slices.Contains(before.Gone, name) && hasComponent(before, name, resource) {
				t.Errorf("without %s, %s is gone", resource, name)
			}
		}
		for what, verdict := range verdictsOf(after) {
			was, ok := verdicts[what]
			if ok && verdict != was && verdict != "Unknown" && verdict != "" {
				t.Errorf("without %s, %s goes from %s to %s", resource, what, was, verdict)
			}
		}
	}
}

func hasComponent(inventory *Inventory, name string, resource schema.GroupResource) bool {
	for i := range inventory.Extensions {
		if e := &inventory.Extensions[i]; e.Name == name {
			return slices.ContainsFunc(e.Status.Components, func(c extant.ComponentStatus) bool {
				return c.Group == resource.Group && c.Resource == resource.Resource
			})
		}
	}
	return false
}

func verdictsOf(inventory *Inventory) map[string]string {
	verdicts := map[string]string{}
	conditions := func(of string, conditions []metav1.Condition) {
		for _, c := range conditions {
			verdicts[of+" "+c.Type] = string(c.Status)
		}
	}
	for i := range inventory.Extensions {
		e := &inventory.Extensions[i]
		conditions("extension "+e.Name, e.Status.Conditions)
		verdicts["extension "+e.Name+" failureMode"] = string(e.Status.FailureMode)
	}
	for i := range inventory.Backends {
		b := &inventory.Backends[i]
		verdicts["backend "+b.Name] = string(b.Status.Available)
		conditions("backend "+b.Name, b.Status.Conditions)
	}
	for name, p := range inventory.Points {
		verdicts["point "+name] = string(p.Supported)
	}
	return verdicts
}

type input struct {
	points     []*extant.ExtensionPoint
	extensions []*extant.Extension
}

func shuffle(points []*extant.ExtensionPoint, extensions []*extant.Extension, seed uint64) input {
	i := input{slices.Clone(points), slices.Clone(extensions)}
	if seed%2 == 0 {
		slices.Reverse(i.points)
		slices.Reverse(i.extensions)
	}
	return i
}

func namesOf(points []*extant.ExtensionPoint) []string {
	var names []string
	for _, p := range points {
		names = append(names, p.Name)
	}
	return names
}
