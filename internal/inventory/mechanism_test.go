package inventory

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

func TestMechanismsAreThoseOfTheCatalogue(t *testing.T) {
	points := map[string]*extant.ExtensionPoint{}
	for _, p := range catalogue.Points() {
		points[p.Name] = p
	}
	seen := map[string]bool{}
	for _, m := range mechanisms {
		if seen[m.point] {
			t.Errorf("%s is twice in the list", m.point)
		}
		seen[m.point] = true
		point, ok := points[m.point]
		if !ok {
			t.Errorf("the catalogue has no point %s", m.point)
			continue
		}
		if point.Spec.Pattern != m.pattern {
			t.Errorf("%s is %s in the catalogue, not %s", m.point, point.Spec.Pattern, m.pattern)
		}
		if m.onFailure != "" && point.Spec.OnFailure != m.onFailure {
			t.Errorf("%s is %s in the catalogue, not %s", m.point, point.Spec.OnFailure, m.onFailure)
		}
		for _, resource := range m.reads {
			if _, ok := cluster.Lookup(resource); !ok {
				t.Errorf("%s reads %s, which is not observed", m.point, resource)
			}
		}
	}
}

func TestReads(t *testing.T) {
	mine := &extant.ExtensionPoint{}
	mine.Spec.RegisteredBy = []extant.Registration{{Group: "example.org", Resource: "things"}, {NamespaceLabel: "x"}}
	reads := Reads([]*extant.ExtensionPoint{mine})
	for _, resource := range []schema.GroupResource{services, endpointSlices, deployments, namespaces, {Group: "example.org", Resource: "things"}} {
		if !slices.Contains(reads, resource) {
			t.Errorf("%s is not read", resource)
		}
	}
	for _, resource := range []schema.GroupResource{pods, {Group: "coordination.k8s.io", Resource: "leases"}} {
		if slices.Contains(reads, resource) {
			t.Errorf("%s is read", resource)
		}
	}
}
