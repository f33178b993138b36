package integration

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/admission"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/requestpath/customresource"
)

var customs = schema.GroupVersionResource{Group: "received.example.com", Version: "v1", Resource: "customs"}

// TestWhatHooksReceiveOfCustomResourcesIsKnown sends objects of a custom
// resource with a schema of all sorts. What the hooks receive must be exactly
// what internal/requestpath/customresource makes of them.
func TestWhatHooksReceiveOfCustomResourcesIsKnown(t *testing.T) {
	s, schemas := newSender(t, "received-custom"), customresource.NewSchemas()
	definition := s.define(t)
	client := s.client.Resource(customs).Namespace(s.namespace)
	for _, sent := range readObjects(t, "testdata/received-custom.yaml") {
		t.Run(sent.GetName(), func(t *testing.T) {
			s.recorder.take()
			created, err := client.Create(t.Context(), sent.DeepCopy(), metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			expect := func(sent *unstructured.Unstructured, subresource string, operation admission.Operation, old map[string]any) {
				decoded, err := schemas.Decode(definition, customs.Version, sent.Object)
				if err != nil {
					t.Fatal(err)
				}
				stored, unknown := customresource.Store(definition, customs.Version, subresource, operation, decoded, old)
				if len(unknown) > 0 {
					t.Errorf("%v is not known", unknown)
				}
				s.wantReceived(t, map[string]map[string]any{"mutating": decoded, "validating": stored})
			}
			expect(sent, "", admission.Create, nil)

			update := created.DeepCopy()
			update.Object["spec"] = map[string]any{"size": nil, "other": "pruned", "parts": []any{map[string]any{"name": "new"}}}
			update.Object["status"] = map[string]any{"phase": "Ignored"}
			updated, err := client.Update(t.Context(), update.DeepCopy(), metav1.UpdateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			expect(update, "", admission.Update, created.Object)

			status := updated.DeepCopy()
			status.SetLabels(map[string]string{"ignored": "true"})
			status.Object["spec"] = map[string]any{}
			status.Object["status"] = map[string]any{"phase": "Kept", "other": "pruned"}
			if _, err := client.UpdateStatus(t.Context(), status.DeepCopy(), metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			expect(status, "status", admission.Update, updated.Object)
		})
	}
}

// define creates the definition and returns it as snapshots have it.
func (s *sender) define(t *testing.T) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	definitions := s.client.Resource(apiextensionsv1.SchemeGroupVersion.WithResource("customresourcedefinitions"))
	sent := readObjects(t, "testdata/received-definition.yaml")[0]
	if _, err := definitions.Create(t.Context(), sent, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = definitions.Delete(context.Background(), sent.GetName(), metav1.DeleteOptions{}) })
	eventually(t, soon, func(ctx context.Context) string {
		if _, err := s.client.Resource(customs).Namespace(s.namespace).List(ctx, metav1.ListOptions{}); err != nil {
			return err.Error()
		}
		return ""
	})
	got, err := definitions.Get(t.Context(), sent.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	typed := &apiextensionsv1.CustomResourceDefinition{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(got.Object, typed); err != nil {
		t.Fatal(err)
	}
	resource, _ := cluster.Lookup(schema.GroupResource{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"})
	kept, err := resource.Keep(typed)
	if err != nil {
		t.Fatal(err)
	}
	return kept.(*apiextensionsv1.CustomResourceDefinition)
}

// wantReceived fails the test where a hook received something else, but for
// the metadata that only the server knows.
func (s *sender) wantReceived(t *testing.T, want map[string]map[string]any) {
	t.Helper()
	called := sets.New[string]()
	for _, call := range s.recorder.take() {
		called.Insert(call.Hook)
		var received map[string]any
		if err := utiljson.Unmarshal(call.Request.Object.Raw, &received); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(knowable(want[call.Hook]), knowable(received)); diff != "" {
			t.Errorf("%s %s of %s (-want +got):\n%s", call.Hook, call.Request.Operation, fmt.Sprint(call.Request.SubResource), diff)
		}
	}
	// An update that the API server tried on an object of its cache that was too
	// old is admitted once more, so that there may be more calls than hooks.
	if called.Len() != len(want) {
		t.Errorf("only %v were called", sets.List(called))
	}
}

func knowable(object map[string]any) map[string]any {
	known := runtime.DeepCopyJSON(object)
	for _, name := range []string{"managedFields", "uid", "creationTimestamp", "resourceVersion", "namespace"} {
		unstructured.RemoveNestedField(known, "metadata", name)
	}
	return known
}
