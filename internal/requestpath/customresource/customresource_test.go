package customresource

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"sigs.k8s.io/yaml"

	"github.com/extant-project/extant/internal/cluster"
)

const widgets = `
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            description: What is wanted.
            default: {}
            properties:
              size: {type: integer, default: 3}
              color: {type: string, nullable: true}
              shape: {type: string, default: round}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
              parts:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  properties:
                    name: {type: string}
                    count: {type: integer, default: 1}
              template: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}
          status:
            type: object
            properties:
              phase: {type: string}
  - name: v2
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
  - {name: v3, served: true, storage: false}
`

func definition(t *testing.T) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	d := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict([]byte(widgets), d); err != nil {
		t.Fatal(err)
	}
	resource, _ := cluster.Lookup(schema.GroupResource{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"})
	kept, err := resource.Keep(d)
	if err != nil {
		t.Fatal(err)
	}
	return kept.(*apiextensionsv1.CustomResourceDefinition)
}

// object reads an object with integers as decoding makes them.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return u.Object
}

func TestDecode(t *testing.T) {
	d, schemas := definition(t), NewSchemas()
	for _, c := range []struct{ name, version, sent, want string }{
		{"what is absent is defaulted", "v1",
			"{apiVersion: example.com/v1, kind: Widget}",
			"{apiVersion: example.com/v1, kind: Widget, spec: {size: 3, shape: round}}"},
		{"what is unknown is pruned", "v1",
			"{apiVersion: example.com/v1, kind: Widget, extra: 1, spec: {size: 1, shape: a, other: 2, free: {a: b}}}",
			"{apiVersion: example.com/v1, kind: Widget, spec: {size: 1, shape: a, free: {a: b}}}"},
		{"null is a value where it may be, else it is as absent", "v1",
			"{apiVersion: example.com/v1, kind: Widget, spec: {size: null, shape: a, color: null, free: null}}",
			"{apiVersion: example.com/v1, kind: Widget, spec: {size: 3, shape: a, color: null}}"},
		{"items are defaulted", "v1",
			"{apiVersion: example.com/v1, kind: Widget, spec: {size: 1, shape: a, parts: [{name: x}, {name: w, count: 2, z: 1}]}}",
			"{apiVersion: example.com/v1, kind: Widget, spec: {size: 1, shape: a, parts: [{name: x, count: 1}, {name: w, count: 2}]}}"},
		{"metadata is as its type has it", "v1",
			"{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, extra: 1}, spec: {size: 1, shape: a}}",
			"{apiVersion: example.com/v1, kind: Widget, metadata: {name: a}, spec: {size: 1, shape: a}}"},
		{"and that of embedded objects", "v1",
			"{apiVersion: example.com/v1, kind: Widget, spec: {size: 1, shape: a, template: {apiVersion: v1, kind: Pod, metadata: {name: a, extra: 1}, x: w}}}",
			"{apiVersion: example.com/v1, kind: Widget, spec: {size: 1, shape: a, template: {apiVersion: v1, kind: Pod, metadata: {name: a}, x: w}}}"},
		{"a schema that preserves prunes nothing", "v2",
			"{apiVersion: example.com/v2, kind: Widget, extra: {a: 1}}",
			"{apiVersion: example.com/v2, kind: Widget, extra: {a: 1}}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent := object(t, c.sent)
			got, err := schemas.Decode(d, c.version, sent)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(object(t, c.want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(object(t, c.sent), sent); diff != "" {
				t.Errorf("what was sent is changed (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := schemas.Decode(d, "v3", object(t, "{apiVersion: example.com/v3, kind: Widget}")); !errors.Is(err, ErrNoSchema) {
		t.Errorf("without a schema: %v", err)
	}
}

func TestStore(t *testing.T) {
	d := definition(t)
	const old = "{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, generation: 4}, spec: {size: 1}, status: {phase: Old}}"
	for _, c := range []struct {
		name, version, subresource string
		operation                  admission.Operation
		object, old, want          string
	}{
		{"a create has no status", "v1", "", admission.Create,
			"{kind: Widget, spec: {size: 1}, status: {phase: New}}", "",
			"{kind: Widget, metadata: {generation: 1}, spec: {size: 1}}"},
		{"unless status is a field like others", "v2", "", admission.Create,
			"{kind: Widget, status: {phase: New}}", "",
			"{kind: Widget, metadata: {generation: 1}, status: {phase: New}}"},
		{"an update keeps the status", "v1", "", admission.Update,
			"{apiVersion: example.com/v1, kind: Widget, metadata: {name: a}, spec: {size: 2}, status: {phase: New}}", old,
			"{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, generation: 5}, spec: {size: 2}, status: {phase: Old}}"},
		{"one that changes metadata only is no generation", "v1", "", admission.Update,
			"{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, labels: {x: w}}, spec: {size: 1}}", old,
			"{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, labels: {x: w}, generation: 4}, spec: {size: 1}, status: {phase: Old}}"},
		{"an update of the status keeps all else", "v1", "status", admission.Update,
			"{kind: Widget, metadata: {name: a, labels: {x: w}, managedFields: [{manager: m}]}, spec: {size: 2}, status: {phase: New}}", old,
			"{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, generation: 4, managedFields: [{manager: m}]}, spec: {size: 1}, status: {phase: New}}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before map[string]any
			if c.old != "" {
				before = object(t, c.old)
			}
			got, unknown := Store(d, c.version, c.subresource, c.operation, object(t, c.object), before)
			if diff := cmp.Diff(object(t, c.want), got); diff != "" || len(unknown) > 0 {
				t.Errorf("(-want +got):\n%s%v is not known", diff, unknown)
			}
			if before != nil {
				if diff := cmp.Diff(object(t, c.old), before); diff != "" {
					t.Errorf("the old object is changed (-want +got):\n%s", diff)
				}
			}
		})
	}
	if _, unknown := Store(d, "v1", "", admission.Update, object(t, "{kind: Widget}"), nil); len(unknown) != 2 {
		t.Errorf("without the old object only %v is not known", unknown)
	}
}

func TestConvert(t *testing.T) {
	d := definition(t)
	sent := object(t, "{apiVersion: example.com/v1, kind: Widget, spec: {size: 1}}")
	converted, known := Convert(d, "v2", sent)
	if diff := cmp.Diff(object(t, "{apiVersion: example.com/v2, kind: Widget, spec: {size: 1}}"), converted); diff != "" || !known {
		t.Errorf("known: %t (-want +got):\n%s", known, diff)
	}
	d.Spec.Conversion = &apiextensionsv1.CustomResourceConversion{Strategy: apiextensionsv1.WebhookConverter}
	if _, known := Convert(d, "v2", sent); known {
		t.Error("what a webhook makes of it is known")
	}
	if same, known := Convert(d, "v1", sent); !known || same["apiVersion"] != "example.com/v1" {
		t.Error("its own version is not known")
	}
}

func TestTypeConverter(t *testing.T) {
	converter, err := NewSchemas().TypeConverter(definition(t), "v1")
	if err != nil {
		t.Fatal(err)
	}
	live := &unstructured.Unstructured{Object: object(t, "{apiVersion: example.com/v1, kind: Widget, metadata: {name: a}, spec: {parts: [{name: x, count: 1}]}}")}
	applied := &unstructured.Unstructured{Object: object(t, "{apiVersion: example.com/v1, kind: Widget, metadata: {labels: {l: m}}, spec: {parts: [{name: x, count: 2}, {name: w}]}}")}
	one, err := converter.ObjectToTyped(live)
	if err != nil {
		t.Fatal(err)
	}
	other, err := converter.ObjectToTyped(applied)
	if err != nil {
		t.Fatal(err)
	}
	merged, err := one.Merge(other)
	if err != nil {
		t.Fatal(err)
	}
	want := object(t, "{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, labels: {l: m}}, spec: {parts: [{name: x, count: 2}, {name: w}]}}")
	if diff := cmp.Diff(want, merged.AsValue().Unstructured()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := converter.ObjectToTyped(&unstructured.Unstructured{Object: object(t, "{apiVersion: example.com/v1, kind: Widget, spec: {unknown: 1}}")}); err == nil {
		t.Error("a field that the schema does not have is typed")
	}
}
