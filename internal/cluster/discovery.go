package cluster

import (
	"cmp"
	"iter"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// APIResource is one resource or subresource that an API server serves in one
// version.
type APIResource struct {
	Group, Version, Resource string
	// Subresource is empty for the resource itself.
	Subresource string
	// Kind is the kind of the objects that are sent and received. Its group and
	// version may be left out where they are the resource's own; NewDiscovery
	// fills them in.
	Kind       schema.GroupVersionKind
	Namespaced bool
	Verbs      []string
}

// Discovery is what an API server serves, in its order of preference: the
// first version of a resource is the preferred one. It is immutable.
type Discovery struct {
	resources []APIResource
	byName    map[schema.GroupResource][]int
	byKind    map[schema.GroupKind]int
}

// NewDiscovery indexes resources. Their order within a group is kept.
func NewDiscovery(resources []APIResource) *Discovery {
	d := &Discovery{
		resources: slices.Clone(resources),
		byName:    map[schema.GroupResource][]int{},
		byKind:    map[schema.GroupKind]int{},
	}
	slices.SortStableFunc(d.resources, func(x, y APIResource) int {
		return cmp.Or(cmp.Compare(x.Group, y.Group), cmp.Compare(x.Resource, y.Resource))
	})
	for i := range d.resources {
		r := &d.resources[i]
		if r.Kind.Version == "" {
			r.Kind.Group, r.Kind.Version = r.Group, r.Version
		}
		kind := schema.GroupKind{Group: r.Group, Kind: r.Kind.Kind}
		if _, known := d.byKind[kind]; !known && r.Subresource == "" {
			d.byKind[kind] = i
		}
		key := schema.GroupResource{Group: r.Group, Resource: r.Resource}
		d.byName[key] = append(d.byName[key], i)
	}
	return d
}

// All returns every resource and subresource, ordered by group and resource,
// the preferred version first.
func (d *Discovery) All() []APIResource { return d.resources }

// Versions returns the versions in which a resource is served, the preferred
// one first.
func (d *Discovery) Versions(resource schema.GroupResource) []APIResource {
	var versions []APIResource
	for _, i := range d.byName[resource] {
		if d.resources[i].Subresource == "" {
			versions = append(versions, d.resources[i])
		}
	}
	return versions
}

// Of returns a resource in all its versions, with its subresources.
func (d *Discovery) Of(resource schema.GroupResource) iter.Seq[APIResource] {
	return func(yield func(APIResource) bool) {
		for _, i := range d.byName[resource] {
			if !yield(d.resources[i]) {
				return
			}
		}
	}
}

// Serves tells whether a resource is served in any version.
func (d *Discovery) Serves(resource schema.GroupResource) bool {
	return len(d.byName[resource]) > 0
}

// ResourceOf returns the resource of a kind.
func (d *Discovery) ResourceOf(kind schema.GroupKind) (APIResource, bool) {
	if i, ok := d.byKind[kind]; ok {
		return d.resources[i], true
	}
	return APIResource{}, false
}

// Equal tells whether two discoveries say the same.
func (d *Discovery) Equal(other *Discovery) bool {
	return reflect.DeepEqual(d.resources, other.resources)
}
