package cluster

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// sample decodes an object of a resource with metadata that must go and
// metadata that must stay.
func sample(t *testing.T, r Resource) runtime.Object {
	t.Helper()
	object := r.New()
	if class, ok := object.(*unstructured.Unstructured); ok {
		class.SetGroupVersionKind(r.GroupVersion().WithKind(r.Kind))
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		t.Fatal(err)
	}
	accessor.SetName("sample")
	if r.Namespaced {
		accessor.SetNamespace("shop")
	}
	accessor.SetResourceVersion("42")
	accessor.SetLabels(map[string]string{"app": "web"})
	accessor.SetAnnotations(map[string]string{corev1.LastAppliedConfigAnnotation: "{}", "keep": "this"})
	accessor.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "kubectl"}})
	return object
}

func TestResourcesAreDistinct(t *testing.T) {
	names, kinds := map[string]bool{}, map[schema.GroupKind]bool{}
	for _, r := range Resources {
		if name := r.GroupResource().String(); names[name] {
			t.Errorf("%s has two rows", name)
		} else {
			names[name] = true
		}
		kind := schema.GroupKind{Group: r.Group, Kind: r.Kind}
		if kinds[kind] {
			t.Errorf("%s is the kind of two rows", kind)
		}
		kinds[kind] = true
		if found, ok := Lookup(r.GroupResource()); !ok || found.Kind != r.Kind {
			t.Errorf("%s is not found", r.GroupResource())
		}
	}
	if _, ok := Lookup(schema.GroupResource{Resource: "secrets"}); ok {
		t.Error("secrets are observed")
	}
}

func TestEveryResourceKeepsItsOwnObjects(t *testing.T) {
	for _, r := range Resources {
		t.Run(r.GroupResource().String(), func(t *testing.T) {
			kept, err := r.Keep(sample(t, r))
			if err != nil {
				t.Fatal(err)
			}
			wantNamespace := ""
			if r.Namespaced {
				wantNamespace = "shop"
			}
			if kept.GetName() != "sample" || kept.GetNamespace() != wantNamespace {
				t.Errorf("got %s/%s", kept.GetNamespace(), kept.GetName())
			}
			again, err := r.Keep(kept.(runtime.Object))
			if err != nil || !same(kept, again) {
				t.Errorf("keeping it again changes it: %v", err)
			}
			accessor, ok := kept.(metav1.Object)
			if !ok {
				return // a Pod has no such metadata at all
			}
			if accessor.GetResourceVersion() != "" || accessor.GetManagedFields() != nil {
				t.Error("the resource version and managed fields are kept")
			}
			if diff := cmp.Diff(map[string]string{"keep": "this"}, accessor.GetAnnotations()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryResourceRefusesForeignObjects(t *testing.T) {
	for _, name := range []string{"pods", "gatewayclasses.gateway.networking.k8s.io"} {
		r, _ := Lookup(schema.ParseGroupResource(name))
		if _, err := r.Keep(&corev1.Service{}); err == nil {
			t.Errorf("%s keep a Service", name)
		}
	}
}

// Older versions come as other types, with the same fields.
func TestKeepTakesAnOlderVersion(t *testing.T) {
	r, _ := Lookup(schema.GroupResource{Group: "apps", Resource: "deployments"})
	older := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1beta1", "kind": "Deployment",
		"metadata": map[string]any{"namespace": "shop", "name": "web"},
		"spec":     map[string]any{"replicas": int64(3)},
	}}
	kept, err := r.Keep(older)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBuilder("dump")
	b.Put(r.GroupResource(), kept)
	if web, ok := b.Snapshot().Deployments().Get("shop", "web"); !ok || *web.Spec.Replicas != 3 || web.Kind != "" {
		t.Errorf("got %v", web)
	}
}

// Every row has exactly one accessor on Snapshot, of the type that Keep returns.
func TestEveryResourceHasAnAccessor(t *testing.T) {
	for _, r := range Resources {
		kept, err := r.Keep(sample(t, r))
		if err != nil {
			t.Fatal(err)
		}
		b := NewBuilder("dump")
		b.Put(r.GroupResource(), kept)
		snapshot := reflect.ValueOf(b.Snapshot())
		var found []string
		for i := range snapshot.NumMethod() {
			method := snapshot.Type().Method(i)
			if method.Type.NumIn() != 1 || !strings.HasPrefix(method.Type.Out(0).Name(), "Table[") {
				continue
			}
			table := snapshot.Method(i).Call(nil)[0]
			if table.MethodByName("Len").Call(nil)[0].Int() == 0 {
				continue
			}
			found = append(found, method.Name)
			got := table.MethodByName("Get").Call([]reflect.Value{reflect.ValueOf(kept.GetNamespace()), reflect.ValueOf("sample")})
			if !got[1].Bool() || got[0].Interface() != any(kept) {
				t.Errorf("%s does not return the object of %s", method.Name, r.GroupResource())
			}
		}
		if len(found) != 1 || !strings.EqualFold(found[0], r.Resource) {
			t.Errorf("%s has the accessors %v", r.GroupResource(), found)
		}
	}
}

func TestALeaseThatIsRenewedIsNoChange(t *testing.T) {
	r, _ := Lookup(schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"})
	renewed := func(second int) Object {
		lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: "node-1"}}
		at := metav1.NewMicroTime(metav1.Unix(int64(second), 0).Time)
		lease.Spec.RenewTime = &at
		kept, err := r.Keep(lease)
		if err != nil {
			t.Fatal(err)
		}
		return kept
	}
	b := NewBuilder("live")
	b.Put(r.GroupResource(), renewed(1))
	if b.Put(r.GroupResource(), renewed(2)) {
		t.Error("a renewal is taken for a change")
	}
}

func TestAnEndpointNamesItsPodAndNoMore(t *testing.T) {
	r, _ := Lookup(schema.GroupResource{Group: "discovery.k8s.io", Resource: "endpointslices"})
	kept, err := r.Keep(&discoveryv1.EndpointSlice{Endpoints: []discoveryv1.Endpoint{{
		Addresses: []string{"10.0.0.1"},
		Hints:     &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: "a"}}},
		TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: "web-1", UID: "1", ResourceVersion: "2"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: "web-1"}}}
	if diff := cmp.Diff(want, kept.(*discoveryv1.EndpointSlice).Endpoints); diff != "" {
		t.Error(diff)
	}
}

func TestNamedResourcesAreReadMetadataOnly(t *testing.T) {
	r := NamedResource(APIResource{Group: "example.com", Version: "v1", Resource: "widgets", Kind: schema.GroupVersionKind{Kind: "Widget"}, Namespaced: true})
	object := r.New()
	if err := json.Unmarshal([]byte(`{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"namespace": "shop", "name": "w"}, "spec": {"secret": "x"}}`), object); err != nil {
		t.Fatal(err)
	}
	kept, err := r.Keep(object)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBuilder("dump")
	b.Put(r.GroupResource(), kept)
	want := &Metadata{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "w"}}
	got, _ := b.Snapshot().Named(r.GroupResource()).Get("shop", "w")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
