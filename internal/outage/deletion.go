package outage

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// deletion is what is gone for good.
type deletion struct {
	objects    map[extant.ObjectReference]bool
	namespaces map[string]bool
}

func (d *deletion) has(reference extant.ObjectReference) bool {
	return d.objects[reference] || reference.Namespace != "" && d.namespaces[reference.Namespace]
}

func (a *analysis) isDeleted(group, resource, namespace, name string) bool {
	return a.deleted.has(extant.ObjectReference{Group: group, Resource: resource, Namespace: namespace, Name: name})
}

// remove takes what the outage deletes out of the cluster. A namespace goes
// with everything in it, an extension with its components, a workload with its
// pods.
func (a *analysis) remove() {
	d := &a.deleted
	d.objects, d.namespaces = map[extant.ObjectReference]bool{}, map[string]bool{}
	for _, reference := range a.spec.Down.Deleted {
		d.objects[reference] = true
		switch {
		case reference.Group == "" && reference.Resource == "namespaces":
			d.namespaces[reference.Name] = true
		case reference.Group == "extant.dev" && reference.Resource == "extensions":
			for i := range a.observed.Inventory.Extensions {
				extension := &a.observed.Inventory.Extensions[i]
				for _, c := range extension.Status.Components {
					if extension.Name == reference.Name {
						d.objects[extant.ObjectReference{Group: c.Group, Resource: c.Resource, Namespace: c.Namespace, Name: c.Name}] = true
					}
				}
			}
		}
	}
	if len(d.objects) == 0 {
		return
	}
	a.observed.Snapshot = a.snapshot().Edited(a.removals()...)
	if a.observed.Params != nil {
		a.observed.Params = remaining{a.observed.Params, d}
	}
	// The hooks of what is deleted are left out by who reads them; the copy
	// tells the engine of requests that this is another cluster.
	inventory := *a.observed.Inventory
	a.observed.Inventory = &inventory
}

func (a *analysis) removals() []cluster.Edit {
	var edits []cluster.Edit
	owners := map[extant.ObjectReference]bool{}
	for reference := range a.deleted.objects {
		edits = append(edits, cluster.Edit{
			Resource: schema.GroupResource{Group: reference.Group, Resource: reference.Resource}, Namespace: reference.Namespace, Name: reference.Name,
		})
		if _, ok := kindNames[schema.GroupResource{Group: reference.Group, Resource: reference.Resource}]; ok {
			owners[reference] = true
		}
	}
	for namespace := range a.deleted.namespaces {
		edits = append(edits, a.snapshot().Inside(namespace)...)
	}
	ws := newWorkloads(a.snapshot())
	for reference := range owners {
		if w, ok := ws.get(reference); ok {
			for _, pod := range w.pods {
				edits = append(edits, cluster.Edit{Resource: podResource, Namespace: pod.GetNamespace(), Name: pod.GetName()})
			}
		}
	}
	return edits
}

// remaining are the params that are left.
type remaining struct {
	requestpath.Params
	gone *deletion
}

// Get returns a param unless it is gone.
func (p remaining) Get(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	if p.gone.has(extant.ObjectReference{Group: resource.Group, Resource: resource.Resource, Namespace: namespace, Name: name}) {
		return nil, nil
	}
	return p.Params.Get(ctx, resource, namespace, name)
}

// List returns the params that are left.
func (p remaining) List(ctx context.Context, resource schema.GroupVersionResource, namespace string, selector labels.Selector) ([]*unstructured.Unstructured, error) {
	all, err := p.Params.List(ctx, resource, namespace, selector)
	var left []*unstructured.Unstructured
	for _, one := range all {
		if !p.gone.has(extant.ObjectReference{Group: resource.Group, Resource: resource.Resource, Namespace: one.GetNamespace(), Name: one.GetName()}) {
			left = append(left, one)
		}
	}
	return left, err
}
