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

// readiness is what the objects of an extension say of whether it works.
type readiness struct {
	// down are the workloads of which no pod is ready, partly those of which
	// some are, unclear those of which it cannot be told.
	down, partly, unclear []string
	// running is how many workloads there are.
	running int
	// hidden is a gap that may hide what calls the extension, or its workloads.
	hidden *cluster.Gap
}

// available tells whether an extension works, by its backends and workloads. A
// backend that is not available or a workload without a ready pod is enough to
// say no; to say yes, everything that could be wrong must be visible.
func (r readiness) available(names []string, backends map[string]*extant.Backend) metav1.Condition {
	condition := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return metav1.Condition{Type: extant.ConditionAvailable, Status: status, Reason: reason, Message: message}
	}
	var unprobed, unclear []string
	for _, name := range names {
		backend := backends[name]
		switch {
		case backend.Status.Available == metav1.ConditionFalse:
			return condition(metav1.ConditionFalse, ReasonBackendUnavailable, fmt.Sprintf("backend %s: %s", name, backend.Status.Message))
		case backend.Status.Available != metav1.ConditionUnknown:
		case backend.Status.Reason == extant.BackendNotProbed:
			unprobed = append(unprobed, name)
		default:
			unclear = append(unclear, fmt.Sprintf("backend %s: %s", name, backend.Status.Message))
		}
	}
	switch {
	case len(r.down) > 0:
		return condition(metav1.ConditionFalse, ReasonWorkloadNotReady, "no pod is ready of "+listed(r.down))
	case r.hidden != nil:
		return condition(metav1.ConditionUnknown, ReasonNotVisible, fmt.Sprintf("%s cannot be seen: %s", r.hidden.Resource, r.hidden.Reason))
	case len(r.unclear) > 0:
		return condition(metav1.ConditionUnknown, ReasonNotVisible, "the pods cannot be seen of "+listed(r.unclear))
	case len(unclear) > 0:
		return condition(metav1.ConditionUnknown, ReasonBackendUnclear, listed(unclear))
	case len(unprobed) > 0:
		return condition(metav1.ConditionUnknown, ReasonNotProbed, "not probed: "+listed(unprobed))
	case len(names) == 0 && r.running == 0:
		return condition(metav1.ConditionUnknown, ReasonNothingRuns, "no workload of it is known")
	case len(r.partly) > 0:
		return condition(metav1.ConditionTrue, ReasonAvailable, "not all pods are ready of "+listed(r.partly))
	default:
		return condition(metav1.ConditionTrue, ReasonAvailable, "")
	}
}

// readinessOfAll returns the readiness of each extension that was found.
func (t *taker) readinessOfAll() map[string]readiness {
	var hidden *cluster.Gap
	if gap, ok := t.hidden(append(slices.Clone(callResources), workloads...)...); ok {
		hidden = &gap
	}
	all := make(map[string]readiness, len(t.groups))
	for _, g := range t.groups {
		all[g.name] = t.readinessOf(g, hidden)
	}
	return all
}

// readinessOf reads the workloads of a group. Those that want no pod are fine.
func (t *taker) readinessOf(g *group, hidden *cluster.Gap) readiness {
	r := readiness{hidden: hidden}
	for _, i := range g.parts {
		p := &t.parts[i]
		resource := resourceOf(p.ref)
		if resource != pods && !slices.Contains(workloads, resource) {
			continue
		}
		r.running++
		ready, wanted, known := t.replicasOf(workload{resource, p.object})
		name := p.ref.Namespace + "/" + p.ref.Name
		switch {
		case !known:
			r.unclear = append(r.unclear, name)
		case wanted > 0 && ready == 0:
			r.down = append(r.down, name)
		case ready < wanted:
			r.partly = append(r.partly, name)
		}
	}
	slices.Sort(r.down)
	slices.Sort(r.partly)
	slices.Sort(r.unclear)
	return r
}

// listed joins names for people: the first three, and how many more.
func listed(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}
