package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// maxComponents bounds the components in a status. What registers, runs or is
// called comes first, the rest (kinds beyond that, roles, quotas) in order.
const maxComponents = 500

// Reasons of the conditions that discovery writes.
const (
	ReasonComponentsFound    = "ComponentsFound"
	ReasonComponentsNotFound = "ComponentsNotFound"
	ReasonNotVisible         = "NotVisible"

	ReasonAvailable          = "Available"
	ReasonBackendUnavailable = "BackendUnavailable"
	ReasonBackendUnclear     = "BackendUnclear"
	ReasonWorkloadNotReady   = "WorkloadNotReady"
	ReasonNotProbed          = "NotProbed"
	ReasonNothingRuns        = "NothingRuns"
)

func (t *taker) extensionStatuses(backends []extant.Backend, ready map[string]readiness) (extensions []extant.Extension, gone []string) {
	byBackend := make(map[string]*extant.Backend, len(backends))
	for i := range backends {
		byBackend[backends[i].Name] = &backends[i]
	}
	hooks := map[*group][]*Hook{}
	for i := range t.hooks {
		h := &t.hooks[i]
		if g := t.groupOf[h.part]; g != nil {
			h.Extension = g.name
			hooks[g] = append(hooks[g], h)
		}
	}
	registrations := map[*group][]registration{}
	for _, r := range t.registrations {
		if g := t.groupOf[r.part]; g != nil {
			registrations[g] = append(registrations[g], r)
		}
	}
	for _, g := range t.groups {
		extension := t.newExtension(g.name)
		t.fill(&extension, g, hooks[g], registrations[g])
		extension.Status.Conditions = append(extension.Status.Conditions, ready[g.name].available(extension.Status.Backends, byBackend))
		extensions = append(extensions, extension)
	}
	stale, gone := t.unfound()
	extensions = append(extensions, stale...)
	slices.SortFunc(extensions, func(x, y extant.Extension) int { return strings.Compare(x.Name, y.Name) })
	return extensions, gone
}

// newExtension returns an Extension without a status. People's Extensions stay
// theirs.
func (t *taker) newExtension(name string) extant.Extension {
	origin := extant.OriginDiscovered
	if stored, ok := t.stored[name]; ok && stored.Labels[extant.LabelOrigin] != "" {
		origin = stored.Labels[extant.LabelOrigin]
	}
	return extant.Extension{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{extant.LabelOrigin: origin}}}
}

func (t *taker) fill(extension *extant.Extension, g *group, hooks []*Hook, registrations []registration) {
	status := &extension.Status
	status.Points = t.occupied(registrations)
	for _, h := range hooks {
		if h.Backend != "" {
			status.Backends = append(status.Backends, h.Backend)
		}
	}
	slices.Sort(status.Backends)
	status.Backends = slices.Compact(status.Backends)
	status.FailureMode = t.worst(hooks)
	status.Provides = t.provides(extension.Name, g)
	status.Components = t.components(extension.Name, g)
	found := slices.ContainsFunc(status.Components, func(c extant.ComponentStatus) bool { return c.Found })
	status.Conditions = []metav1.Condition{t.discovered(found, status.Components, extension.Name)}
}

func (t *taker) occupied(registrations []registration) []extant.OccupiedPoint {
	var points []extant.OccupiedPoint
	index := map[string]int{}
	for _, r := range registrations {
		i, ok := index[r.point]
		if !ok {
			i = len(points)
			index[r.point] = i
			points = append(points, extant.OccupiedPoint{Name: r.point, Pattern: t.patternOf(r.point)})
		}
		points[i].Hooks += r.hooks
	}
	slices.SortFunc(points, func(x, y extant.OccupiedPoint) int { return strings.Compare(x.Name, y.Name) })
	return points
}

// worst is what happens when all backends are lost, over all hooks. Where not
// everything that could call the extension is visible, only the worst of all
// is certain, and anything else is left empty.
func (t *taker) worst(hooks []*Hook) extant.FailureMode {
	severity := []extant.FailureMode{extant.FailureModeNone, extant.FailureModeSkips, extant.FailureModeDegrades, extant.FailureModeBlocks}
	worst := 0
	for _, h := range hooks {
		if h.Backend != "" {
			worst = max(worst, slices.Index(severity, t.failureOf(h)))
		}
	}
	if _, hidden := t.hidden(callResources...); hidden && severity[worst] != extant.FailureModeBlocks {
		return ""
	}
	return severity[worst]
}

// provides is what people say that an extension provides, and what its objects
// make certain: a CSIDriver stands for the volumes of that driver, a
// RuntimeClass for the runtime of that handler.
func (t *taker) provides(name string, g *group) []string {
	var provides []string
	if stored, ok := t.stored[name]; ok {
		provides = slices.Clone(stored.Spec.Provides)
	}
	for _, i := range g.parts {
		switch ref := t.parts[i].ref; resourceOf(ref) {
		case csiDrivers:
			provides = append(provides, "Storage/"+ref.Name)
		case runtimeClasses:
			if class, ok := t.snapshot.RuntimeClasses().Get("", ref.Name); ok {
				provides = append(provides, "Runtime/"+class.Handler)
			}
		}
	}
	slices.Sort(provides)
	return slices.Compact(provides)
}

// components is every object of an extension, those that were declared and are
// missing, and those that were recorded and cannot be seen any more.
func (t *taker) components(name string, g *group) []extant.ComponentStatus {
	var all []extant.ComponentStatus
	listed := map[extant.ObjectReference]bool{}
	add := func(ref extant.ObjectReference, found bool, ready string) {
		if listed[ref] {
			return
		}
		listed[ref] = true
		all = append(all, extant.ComponentStatus{
			Group: ref.Group, Resource: ref.Resource, Namespace: ref.Namespace, Name: ref.Name, Found: found, Ready: ready,
		})
	}
	for _, i := range g.parts {
		p := &t.parts[i]
		add(p.ref, true, t.readyOf(p))
	}
	if stored, ok := t.stored[name]; ok {
		for _, ref := range stored.Spec.Components {
			i, found := t.partOf[ref]
			ready := ""
			if found {
				ready = t.readyOf(&t.parts[i])
			}
			add(ref, found, ready)
		}
		for _, recorded := range stored.Status.Components {
			ref := extant.ObjectReference{Group: recorded.Group, Resource: recorded.Resource, Namespace: recorded.Namespace, Name: recorded.Name}
			if _, hidden := t.hidden(resourceOf(ref)); hidden {
				add(ref, recorded.Found, recorded.Ready)
			}
		}
	}
	return bounded(all)
}

func bounded(all []extant.ComponentStatus) []extant.ComponentStatus {
	less := func(x, y extant.ComponentStatus) int {
		return cmp.Or(
			strings.Compare(x.Group, y.Group), strings.Compare(x.Resource, y.Resource),
			strings.Compare(x.Namespace, y.Namespace), strings.Compare(x.Name, y.Name),
		)
	}
	if len(all) > maxComponents {
		slices.SortFunc(all, func(x, y extant.ComponentStatus) int { return cmp.Or(cmp.Compare(weight(x), weight(y)), less(x, y)) })
		all = all[:maxComponents]
	}
	slices.SortFunc(all, less)
	return all
}

// weight tells which components are listed first when there are too many.
func weight(c extant.ComponentStatus) int {
	resource := schema.GroupResource{Group: c.Group, Resource: c.Resource}
	switch {
	case resource == definitions:
		return 1
	case resource == services || slices.Contains(workloads, resource) || !joins(resource):
		return 0
	default:
		return 2
	}
}

func (t *taker) readyOf(p *part) string {
	resource := resourceOf(p.ref)
	if p.object == nil || (resource != pods && !slices.Contains(workloads, resource)) {
		return ""
	}
	ready, wanted, known := t.replicasOf(workload{resource, p.object})
	if !known {
		return ""
	}
	return fmt.Sprintf("%d/%d", ready, wanted)
}
