package requestpath

import (
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"

	"github.com/extant-project/extant/internal/cluster"
)

// equivalents are the resources in which one and the same object can be had,
// in the order in which the API server registered them: the versions of a
// resource, and for events the two groups. It is what matchPolicy Equivalent
// goes by.
type equivalents struct {
	resources []schema.GroupVersionResource
	// kinds are those of what is sent to each.
	kinds []schema.GroupVersionKind
}

var _ runtime.EquivalentResourceMapper = (*equivalents)(nil)

// EquivalentResourcesFor returns all of them: there are those of one resource
// and subresource.
func (e *equivalents) EquivalentResourcesFor(schema.GroupVersionResource, string) []schema.GroupVersionResource {
	return e.resources
}

// KindFor returns the kind of the objects that are sent to a resource.
func (e *equivalents) KindFor(resource schema.GroupVersionResource, _ string) schema.GroupVersionKind {
	if i := slices.Index(e.resources, resource); i >= 0 {
		return e.kinds[i]
	}
	return schema.GroupVersionKind{}
}

func (e *equivalents) add(resource schema.GroupVersionResource, kind schema.GroupVersionKind) {
	if !slices.Contains(e.resources, resource) {
		e.resources, e.kinds = append(e.resources, resource), append(e.kinds, kind)
	}
}

// sameStorage are resources of different groups that hold the same objects, in
// the order of registration. Those with the group extensions ended in 1.22.
var sameStorage = [][]schema.GroupResource{
	{{Group: "", Resource: "events"}, {Group: "events.k8s.io", Resource: "events"}},
	{{Group: "extensions", Resource: "ingresses"}, {Group: "networking.k8s.io", Resource: "ingresses"}},
}

// equivalentsOf returns the equivalents of a resource or subresource.
func equivalentsOf(snapshot *cluster.Snapshot, resource schema.GroupResource, subresource string) *equivalents {
	e := &equivalents{}
	if definition, ok := snapshot.CustomResourceDefinitions().Get("", resource.String()); ok {
		e.addVersions(definition, subresource)
		return e
	}
	group := []schema.GroupResource{resource}
	for _, same := range sameStorage {
		if slices.Contains(same, resource) {
			group = same
		}
	}
	for _, member := range group {
		for served := range snapshot.Discovery.Of(member) {
			if served.Subresource == subresource {
				e.add(schema.GroupVersionResource{Group: served.Group, Version: served.Version, Resource: served.Resource}, served.Kind)
			}
		}
	}
	return e
}

// addVersions adds the versions of a CRD, those that are not served included:
// the API server registers them all.
func (e *equivalents) addVersions(definition *apiextensionsv1.CustomResourceDefinition, subresource string) {
	for _, version := range definition.Spec.Versions {
		resource := schema.GroupVersionResource{Group: definition.Spec.Group, Version: version.Name, Resource: definition.Spec.Names.Plural}
		kind := schema.GroupVersionKind{Group: definition.Spec.Group, Version: version.Name, Kind: definition.Spec.Names.Kind}
		switch has := version.Subresources; {
		case subresource == "":
			e.add(resource, kind)
		case subresource == "status" && has != nil && has.Status != nil:
			e.add(resource, kind)
		case subresource == "scale" && has != nil && has.Scale != nil:
			e.add(resource, scaleKind)
		}
	}
}

var scaleKind = schema.GroupVersionKind{Group: "autoscaling", Version: "v1", Kind: "Scale"}

// objectInterfaces is what the matching code of the library asks for. It only
// asks for equivalents.
type objectInterfaces struct {
	admission.ObjectInterfaces
	equivalents *equivalents
}

// GetEquivalentResourceMapper returns the equivalents.
func (o objectInterfaces) GetEquivalentResourceMapper() runtime.EquivalentResourceMapper {
	return o.equivalents
}
