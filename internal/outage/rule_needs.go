package outage

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// needs: what a workload's containers need before they are ready no object
// shows. People say it, in the spec of an Extension or of the review.
func (a *analysis) declaredNeeds(w *workload) []requirement {
	var all []requirement
	for i := range a.needs() {
		need := &a.needs()[i]
		if need.Workload != w.ObjectReference {
			continue
		}
		for _, backend := range need.Backends {
			because := say("%s is ready only once the backend %s answers", it, backend)
			if _, ok := a.backends.named[backend]; !ok {
				all = append(all, cannotTell("%s, which is not known", because))
				continue
			}
			all = append(all, requirement{backend: backend, because: because})
		}
		for _, o := range need.Operations {
			asked := a.asked(w, o)
			all = append(all, requirement{passage: a.pass(asked), because: say("%s is ready only once it succeeds in %s", it, asked)})
		}
	}
	return all
}

// needs are those of the review, and those of extensions.
func (a *analysis) needs() []extant.Need {
	if a.allNeeds == nil {
		a.allNeeds = append(append([]extant.Need{}, a.spec.Assume.Needs...), a.observed.Inventory.Needs...)
	}
	return a.allNeeds
}

// asked is a declared operation as a request of the workload's own.
func (a *analysis) asked(w *workload, o extant.Operation) *operation {
	asked := &operation{
		verb: extant.RequestOperation(o.Operation), group: o.Group, version: o.Version, resource: o.Resource, subresource: o.Subresource, namespace: o.Namespace,
		by: serviceAccount(w.Namespace, accountOf(w)), declared: true,
	}
	if asked.version == "" {
		asked.version = a.preferred(o.Group, o.Resource)
	}
	return asked
}

// preferred is the version in which a client asks for a resource by default.
func (a *analysis) preferred(group, resource string) string {
	if versions := a.snapshot().Discovery.Versions(schema.GroupResource{Group: group, Resource: resource}); len(versions) > 0 {
		return versions[0].Version
	}
	for service := range a.snapshot().APIServices().All() {
		if service.Spec.Group == group {
			return service.Spec.Version
		}
	}
	return "v1"
}
