package inventory

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// discovered tells whether anything of an extension is there. That nothing is
// found tells nothing where a component cannot be seen.
func (t *taker) discovered(found bool, components []extant.ComponentStatus, name string) metav1.Condition {
	condition := metav1.Condition{Type: extant.ConditionDiscovered, Status: metav1.ConditionTrue, Reason: ReasonComponentsFound}
	if found {
		missing := 0
		for _, c := range components {
			if !c.Found {
				missing++
			}
		}
		condition.Message = fmt.Sprintf("%d components", len(components)-missing)
		if missing > 0 {
			condition.Message = fmt.Sprintf("%d of %d components", len(components)-missing, len(components))
		}
		return condition
	}
	if gap, ok := t.hidesComponent(name, components); ok {
		condition.Status, condition.Reason = metav1.ConditionUnknown, ReasonNotVisible
		condition.Message = fmt.Sprintf("%s cannot be seen: %s", gap.Resource, gap.Reason)
		return condition
	}
	condition.Status, condition.Reason = metav1.ConditionFalse, ReasonComponentsNotFound
	condition.Message = "none of its components is in the observed cluster"
	return condition
}

// hidesComponent returns a deciding gap that covers a component, recorded or
// declared. A selector may find objects of any resource that the cluster
// serves.
func (t *taker) hidesComponent(name string, components []extant.ComponentStatus) (cluster.Gap, bool) {
	for _, c := range components {
		resource := schema.GroupResource{Group: c.Group, Resource: c.Resource}
		if gap, ok := t.hidden(resource); ok {
			return gap, true
		}
	}
	stored, ok := t.stored[name]
	if !ok {
		return cluster.Gap{}, false
	}
	for _, ref := range stored.Spec.Components {
		if resource := resourceOf(ref); !t.observes(resource) {
			return cluster.Gap{Resource: resource.String(), Reason: "NotObserved"}, true
		}
	}
	if stored.Spec.ComponentSelector == nil {
		return cluster.Gap{}, false
	}
	for _, resource := range Reads(t.points) {
		if gap, ok := t.hidden(resource); ok && gap.Reason != cluster.GapNotServed {
			return gap, true
		}
	}
	return cluster.Gap{}, false
}

// observes tells whether objects of a resource are in snapshots at all.
func (t *taker) observes(resource schema.GroupResource) bool {
	if _, ok := cluster.Lookup(resource); ok {
		return true
	}
	return slices.ContainsFunc(t.points, func(point *extant.ExtensionPoint) bool {
		return slices.ContainsFunc(point.Spec.RegisteredBy, func(r extant.Registration) bool {
			return r.Resource == resource.Resource && r.Group == resource.Group
		})
	})
}

// available tells whether an extension works, by its backends and workloads. A
// backend that is not available or a workload without a ready pod is enough to
// say no; to say yes, everything that could be wrong must be visible.
func (t *taker) available(g *group, names []string, backends map[string]*extant.Backend) metav1.Condition {
	condition := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return metav1.Condition{Type: extant.ConditionAvailable, Status: status, Reason: reason, Message: message}
	}
	var unknown []string
	for _, name := range names {
		backend := backends[name]
		switch backend.Status.Available {
		case metav1.ConditionFalse:
			return condition(metav1.ConditionFalse, ReasonBackendUnavailable, fmt.Sprintf("backend %s: %s", name, backend.Status.Message))
		case metav1.ConditionUnknown:
			unknown = append(unknown, name)
		}
	}
	down, partly, running, unclear := t.readiness(g)
	if len(down) > 0 {
		return condition(metav1.ConditionFalse, ReasonWorkloadNotReady, "no pod is ready of "+listed(down))
	}
	if gap, ok := t.hidden(append(slices.Clone(callResources), workloads...)...); ok {
		return condition(metav1.ConditionUnknown, ReasonNotVisible, fmt.Sprintf("%s cannot be seen: %s", gap.Resource, gap.Reason))
	}
	switch {
	case len(unclear) > 0:
		return condition(metav1.ConditionUnknown, ReasonNotVisible, "the pods cannot be seen of "+listed(unclear))
	case len(unknown) > 0:
		return condition(metav1.ConditionUnknown, ReasonNotProbed, "not probed: "+listed(unknown))
	case len(names) == 0 && running == 0:
		return condition(metav1.ConditionUnknown, ReasonNothingRuns, "no workload of it is known")
	case len(partly) > 0:
		return condition(metav1.ConditionTrue, ReasonAvailable, "not all pods are ready of "+listed(partly))
	default:
		return condition(metav1.ConditionTrue, ReasonAvailable, "")
	}
}

// readiness returns the workloads of a group of which no pod is ready, those of
// which some are, how many there are, and those of which it cannot be told.
// Workloads that want no pod are fine.
func (t *taker) readiness(g *group) (down, partly []string, running int, unclear []string) {
	for _, i := range g.parts {
		p := &t.parts[i]
		resource := resourceOf(p.ref)
		if resource != pods && !slices.Contains(workloads, resource) {
			continue
		}
		running++
		ready, wanted, known := t.replicasOf(workload{resource, p.object})
		name := p.ref.Namespace + "/" + p.ref.Name
		switch {
		case !known:
			unclear = append(unclear, name)
		case wanted > 0 && ready == 0:
			down = append(down, name)
		case ready < wanted:
			partly = append(partly, name)
		}
	}
	slices.Sort(down)
	slices.Sort(partly)
	slices.Sort(unclear)
	return down, partly, running, unclear
}

// listed joins names for people: the first three, and how many more.
func listed(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}
