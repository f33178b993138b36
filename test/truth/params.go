package truth

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
)

// Params are the objects of a scenario, for policies that read some.
type Params struct {
	objects map[schema.GroupResource][]*unstructured.Unstructured
}

// Params returns the objects that policies may read.
func (s *Scenario) Params(snapshot *cluster.Snapshot) (*Params, error) {
	return paramsOf(s.Objects, snapshot)
}

// Params returns the objects that policies may read.
func (s *Outage) Params(snapshot *cluster.Snapshot) (*Params, error) {
	return paramsOf(s.Objects, snapshot)
}

func paramsOf(objects []json.RawMessage, snapshot *cluster.Snapshot) (*Params, error) {
	p := &Params{objects: map[schema.GroupResource][]*unstructured.Unstructured{}}
	for _, text := range objects {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			return nil, err
		}
		if served, ok := snapshot.Discovery.ResourceOf(object.GroupVersionKind().GroupKind()); ok {
			resource := schema.GroupResource{Group: served.Group, Resource: served.Resource}
			p.objects[resource] = append(p.objects[resource], object)
		}
	}
	for _, objects := range p.objects {
		slices.SortFunc(objects, func(x, y *unstructured.Unstructured) int {
			return strings.Compare(x.GetNamespace()+"/"+x.GetName(), y.GetNamespace()+"/"+y.GetName())
		})
	}
	return p, nil
}

// Get returns an object, or nil where there is none.
func (p *Params) Get(_ context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	for _, object := range p.objects[resource.GroupResource()] {
		if object.GetNamespace() == namespace && object.GetName() == name {
			return object, nil
		}
	}
	return nil, nil
}

// List returns nothing, which is what the API servers saw that were recorded.
// They read params that are selected by their labels from an informer that
// stops for ever with the last policy of their kind, and many scenarios went
// through one API server. Params that are named are asked for besides.
func (p *Params) List(context.Context, schema.GroupVersionResource, string, labels.Selector) ([]*unstructured.Unstructured, error) {
	return nil, nil
}
