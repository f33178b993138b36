package inventory

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Points that need no code. A point without a mechanism is followed by its
// spec.registeredBy: every object of a resource that it names registers there,
// and every namespace with a label that it names. Such an object makes an
// extension by what it says about itself, unless its kind only joins
// extensions, or the point is one of configuration or policy. What registers
// by a flag or on nodes cannot be seen through the API, and counts nothing.

func (t *taker) registerDeclaredPoints() {
	for _, point := range t.points {
		if mechanismOf(point.Name) != nil {
			continue
		}
		counted := onlyCounted(point)
		for _, registration := range point.Spec.RegisteredBy {
			if registration.Resource == "" {
				continue
			}
			resource := schema.GroupResource{Group: registration.Group, Resource: registration.Resource}
			if counted || joins(resource) {
				// They are counted where they join: see join.go.
				continue
			}
			for object := range t.snapshot.Objects(resource).All() {
				t.addRegistration(point.Name, t.add(resource, object), 1)
			}
		}
	}
}

// onlyCounted tells whether what registers at a point makes no extension.
func onlyCounted(point *extant.ExtensionPoint) bool {
	return point.Spec.Pattern == extant.PatternPolicyAPI || point.Spec.Pattern == extant.PatternConfiguration
}

func joins(resource schema.GroupResource) bool { return slices.Contains(joiners, resource) }

// registerDeclaredComponents adds the objects that Extensions name, of
// whatever kind. Those that a selector finds are met where they register, are
// called or join.
func (t *taker) registerDeclaredComponents() {
	for _, ref := range slices.SortedFunc(maps.Keys(t.claims.components), compareRefs) {
		resource := schema.GroupResource{Group: ref.Group, Resource: ref.Resource}
		if object, ok := t.snapshot.Objects(resource).Get(ref.Namespace, ref.Name); ok {
			t.add(resource, object)
		}
	}
}

// counter is a resource whose objects are counted at a point.
type counter struct {
	point    string
	resource schema.GroupResource
	counts   func(object metadata, name string) bool
}

// counters returns what is counted at points without being registered.
func (t *taker) counters() []counter {
	var counters []counter
	for i := range mechanisms {
		m := &mechanisms[i]
		if m.register != nil || m.point == controller.point {
			continue
		}
		for _, resource := range m.reads {
			counters = append(counters, counter{m.point, resource, m.counts})
		}
	}
	for _, point := range t.points {
		if mechanismOf(point.Name) != nil {
			continue
		}
		counted := onlyCounted(point)
		for _, registration := range point.Spec.RegisteredBy {
			resource := schema.GroupResource{Group: registration.Group, Resource: registration.Resource}
			switch {
			case registration.NamespaceLabel != "":
				counters = append(counters, counter{point.Name, namespaces, hasLabel(registration.NamespaceLabel)})
			case registration.Resource != "" && (counted || joins(resource)):
				counters = append(counters, counter{point.Name, resource, nil})
			}
		}
	}
	return counters
}

func hasLabel(label string) func(metadata, string) bool {
	return func(object metadata, _ string) bool {
		_, ok := object.GetLabels()[label]
		return ok
	}
}
