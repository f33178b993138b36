package scenario

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// Params are the objects that policies read, whatever their kind. One that is
// called forbidden may not be read.
type Params []*unstructured.Unstructured

// Params returns the objects in a file of the fixture.
func (f *Fixture) Params(t *testing.T, name string) Params {
	t.Helper()
	var params Params
	for _, document := range f.Documents(t, name) {
		param := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, &param.Object); err != nil {
			t.Fatal(err)
		}
		params = append(params, param)
	}
	return params
}

// of guesses the kind of a resource, well enough for tests.
func (p Params) of(resource schema.GroupVersionResource) []*unstructured.Unstructured {
	return slices.DeleteFunc(slices.Clone(p), func(o *unstructured.Unstructured) bool {
		kind := o.GroupVersionKind()
		return strings.ToLower(kind.Kind)+"s" != resource.Resource || kind.GroupVersion() != resource.GroupVersion()
	})
}

// Get returns a param, or nil where there is none.
func (p Params) Get(_ context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	for _, object := range p.of(resource) {
		if object.GetName() == "forbidden" && name == "forbidden" {
			return nil, errors.New("may not get it")
		}
		if object.GetNamespace() == namespace && object.GetName() == name {
			return object, nil
		}
	}
	return nil, nil
}

// List returns the params that a selector selects.
func (p Params) List(_ context.Context, resource schema.GroupVersionResource, namespace string, selector labels.Selector) ([]*unstructured.Unstructured, error) {
	return slices.DeleteFunc(p.of(resource), func(o *unstructured.Unstructured) bool {
		return namespace != "" && o.GetNamespace() != namespace || !selector.Matches(labels.Set(o.GetLabels()))
	}), nil
}
