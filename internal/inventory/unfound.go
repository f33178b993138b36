package inventory

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// unfound returns what becomes of stored Extensions of which nothing was found.
// A discovered one goes, unless people have written into it or a deciding gap
// covers one of its recorded components. What a gap may hide keeps the status
// that it had, as nothing is known to have changed.
func (t *taker) unfound() (kept []extant.Extension, gone []string) {
	found := make(map[string]bool, len(t.groups))
	for _, g := range t.groups {
		found[g.name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(t.stored)) {
		if found[name] {
			continue
		}
		stored := t.stored[name]
		extension := t.newExtension(name)
		status := &extension.Status
		for _, ref := range stored.Spec.Components {
			_, there := t.partOf[ref]
			status.Components = append(status.Components, extant.ComponentStatus{
				Group: ref.Group, Resource: ref.Resource, Namespace: ref.Namespace, Name: ref.Name, Found: there,
			})
		}
		recorded := append(slices.Clone(status.Components), stored.Status.Components...)
		isThere := slices.ContainsFunc(status.Components, func(c extant.ComponentStatus) bool { return c.Found })
		discovered := t.discovered(isThere, recorded, name)
		unknown := discovered.Status == metav1.ConditionUnknown
		if stored.Labels[extant.LabelOrigin] == extant.OriginDiscovered && discovered.Status == metav1.ConditionFalse && equality.Semantic.DeepEqual(stored.Spec, extant.ExtensionSpec{}) {
			gone = append(gone, name)
			continue
		}
		available := metav1.Condition{
			Type: extant.ConditionAvailable, Status: discovered.Status, Reason: discovered.Reason, Message: discovered.Message,
		}
		status.FailureMode = extant.FailureModeNone
		status.Provides = slices.Clone(stored.Spec.Provides)
		if unknown {
			status.Points = stored.Status.Points
			status.Components = withRecorded(status.Components, stored.Status.Components)
			status.Provides = stored.Status.Provides
			status.Backends = stored.Status.Backends
			status.FailureMode = stored.Status.FailureMode
		}
		status.Components = bounded(status.Components)
		status.Conditions = []metav1.Condition{discovered, available}
		kept = append(kept, extension)
	}
	return kept, gone
}

// withRecorded returns the components that were recorded, and the declared ones
// that were not.
func withRecorded(declared, recorded []extant.ComponentStatus) []extant.ComponentStatus {
	all := slices.Clone(recorded)
	for _, c := range declared {
		if !slices.ContainsFunc(recorded, func(r extant.ComponentStatus) bool {
			return r.Group == c.Group && r.Resource == c.Resource && r.Namespace == c.Namespace && r.Name == c.Name
		}) {
			all = append(all, c)
		}
	}
	return all
}
