package cluster

import (
	"cmp"
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
	// Kind is the kind of the objects that are sent and received, with the
	// group and version where they differ from the resource's own.
	Kind       schema.GroupVersionKind
	Namespaced bool
	Verbs      []string
}

// Discovery is what an API server serves, in its order of preference: the
// first version of a resource is the preferred one. It is immutable.
type Discovery struct {
	resources []APIResource
	byName    map[schema.GroupResource][]int
}

// NewDiscovery indexes resources. Their order within a group is kept.
func NewDiscovery(resources []APIResource) *Discovery {
	d := &Discovery{resources: slices.Clone(resources), byName: map[schema.GroupResource][]int{}}
	slices.SortStableFunc(d.resources, func(x, y APIResource) int {
		return cmp.Or(cmp.Compare(x.Group, y.Group), cmp.Compare(x.Resource, y.Resource))
	})
	for i, r := range d.resources {
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

// Serves tells whether a resource is served in any version.
func (d *Discovery) Serves(resource schema.GroupResource) bool {
	return len(d.byName[resource]) > 0
}

// ResourceOf returns the resource of a kind.
func (d *Discovery) ResourceOf(kind schema.GroupKind) (APIResource, bool) {
	for _, r := range d.resources {
		if r.Subresource == "" && r.Group == kind.Group && r.Kind.Kind == kind.Kind {
			return r, true
		}
	}
	return APIResource{}, false
}

// Equal tells whether two discoveries say the same.
func (d *Discovery) Equal(other *Discovery) bool {
	return reflect.DeepEqual(d.resources, other.resources)
}
