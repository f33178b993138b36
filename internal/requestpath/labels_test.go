package requestpath

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"

	"github.com/extant-project/extant/internal/cluster"
)

// TestLabelsKnownApartAreThoseOfTheWholeObject sends an object of each kind to
// each resource that takes it. Where its labels are said to be known without
// the object, the object has exactly those.
func TestLabelsKnownApartAreThoseOfTheWholeObject(t *testing.T) {
	selector, err := labels.Parse("app=web,other")
	if err != nil {
		t.Fatal(err)
	}
	builder := cluster.NewBuilder("test")
	builder.SetVersion("v1.37.2")
	builder.SetDiscovery(cluster.BuiltinDiscovery("v1.37.2"))
	snapshot := builder.Snapshot()
	apart := map[string]bool{}
	for _, served := range snapshot.Discovery.All() {
		if !scheme().Recognizes(served.Kind) {
			continue
		}
		for _, operation := range []admission.Operation{admission.Create, admission.Update} {
			for _, p := range []phase{mutatingPhase, validatingPhase} {
				r := &request{
					snapshot: snapshot, resource: schema.GroupVersionResource{Group: served.Group, Version: served.Version, Resource: served.Resource}, subresource: served.Subresource,
					kind: served.Kind, namespaced: served.Namespaced, namespace: "shop", name: "web", operation: operation,
				}
				data, err := json.Marshal(map[string]any{
					"apiVersion": served.Kind.GroupVersion().String(), "kind": served.Kind.Kind,
					"metadata": map[string]any{"name": "web", "labels": map[string]any{"app": "web"}},
				})
				if err != nil {
					t.Fatal(err)
				}
				sent, err := r.decodeTyped(&document{kind: r.kind}, requestPath, data)
				if err != nil {
					t.Fatal(err)
				}
				d := r.prepared(p, sent, nil)
				if !d.labelsAsSent {
					continue
				}
				apart[r.resource.GroupResource().String()+" "+r.subresource] = true
				whole := *d
				whole.labelsAsSent = false
				if why, known := whole.labelsKnown(selector); !known {
					t.Errorf("%s of %s in phase %d: the labels are said to be known, but %s", operation, r.named(), p, why)
				}
				if diff := cmp.Diff(whole.GetObjectMeta().GetLabels(), d.GetObjectMeta().GetLabels()); diff != "" {
					t.Errorf("%s of %s in phase %d: the labels differ (-whole +apart):\n%s", operation, r.named(), p, diff)
				}
			}
		}
	}
	for _, common := range []string{"pods ", "configmaps ", "deployments.apps ", "leases.coordination.k8s.io "} {
		if !apart[common] {
			t.Errorf("the labels of %sare not known without the whole object", common)
		}
	}
}
