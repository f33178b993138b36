package inventory

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// join lets the objects that never make an extension join one: by what people
// declare, by the Helm release or OLM package of one of its parts, or by a
// grouping label that a part in the same namespace has. A cluster-scoped object
// joins by its label where exactly one extension has it in any namespace. What
// is counted at a point is counted on the way.
//
// A cluster has a hundred thousand such objects, most of which join nothing, so
// that nothing is allocated for those.
func (t *taker) join() {
	slices.SortFunc(t.groups, func(x, y *group) int { return strings.Compare(x.name, y.name) })
	held := t.heldKeys()
	counters := t.counters()
	for _, resource := range joiners {
		t.joinAll(resource, held, counters)
	}
	for _, c := range counters {
		if !joins(c.resource) {
			t.joinAll(c.resource, held, []counter{c})
		}
	}
	slices.SortFunc(t.groups, func(x, y *group) int { return strings.Compare(x.name, y.name) })
	t.registerControllers()
}

// heldKeys is who has what keys; nil where several have it.
type heldKeys struct {
	groups map[key]*group
	olm    bool
	helm   bool
}

func (t *taker) heldKeys() heldKeys {
	held := heldKeys{groups: map[key]*group{}}
	best := map[key]bool{}
	hold := func(k key, g *group, first bool) {
		have, ok := held.groups[k]
		switch {
		case !ok, first && !best[k]:
			held.groups[k] = g
			best[k] = first
		case have != g && first == best[k]:
			held.groups[k] = nil
		}
	}
	for i := range t.parts {
		p := &t.parts[i]
		g := t.groupOf[i]
		if g == nil {
			continue
		}
		for n, k := range p.keys {
			held.olm = held.olm || k.rank == rankOLM
			held.helm = held.helm || k.rank == rankHelm
			if !k.label() {
				hold(k, g, n == 0)
				continue
			}
			// Without the namespace it is what cluster-scoped objects join by.
			hold(key{rank: k.rank, value: k.value}, g, false)
			if k.namespace != "" {
				hold(k, g, n == 0)
			}
			for _, namespace := range p.calls {
				hold(key{k.rank, namespace, k.value}, g, n == 0)
			}
		}
	}
	return held
}

func (t *taker) joinAll(resource schema.GroupResource, held heldKeys, all []counter) {
	counters := slices.DeleteFunc(slices.Clone(all), func(c counter) bool { return c.resource != resource })
	totals := make([]int32, len(counters))
	for object := range t.snapshot.Objects(resource).All() {
		o, ok := object.(metadata)
		if !ok {
			continue
		}
		if resource == replicaSets && len(o.GetOwnerReferences()) > 0 {
			continue
		}
		part := t.joinOne(resource, object, o, held, len(counters) > 0)
		for i, c := range counters {
			if c.counts != nil && !c.counts(o, object.GetName()) {
				continue
			}
			totals[i]++
			if part >= 0 {
				t.registrations = append(t.registrations, registration{c.point, part, 1})
			}
		}
	}
	for i, c := range counters {
		t.counted[c.point] += totals[i]
	}
}

// joinOne returns the part of an object that belongs to an extension, or -1.
func (t *taker) joinOne(resource schema.GroupResource, object cluster.Object, o metadata, held heldKeys, counted bool) int32 {
	g := t.groupFor(resource, object, o, held)
	if g == nil {
		if !counted {
			return -1
		}
		i, ok := t.partOf[refOf(resource, object)]
		if !ok || t.groupOf[i] == nil {
			return -1
		}
		return i
	}
	if i, ok := t.partOf[refOf(resource, object)]; ok && t.groupOf[i] != nil {
		return i
	}
	i := t.add(resource, object)
	if int(i) == len(t.groupOf) {
		t.groupOf = append(t.groupOf, nil)
	}
	t.groupOf[i] = g
	g.parts = append(g.parts, i)
	return i
}

// groupFor returns the group that an object joins, or nil.
func (t *taker) groupFor(resource schema.GroupResource, object cluster.Object, o metadata, held heldKeys) *group {
	labels, namespace := o.GetLabels(), object.GetNamespace()
	if !t.claims.empty() {
		if name := t.claims.of(refOf(resource, object), labels); name != "" {
			return t.declaredGroup(name)
		}
	}
	if held.helm {
		if k, ok := helmKey(namespace, o.GetAnnotations()); ok {
			if g := held.groups[k]; g != nil {
				return g
			}
		}
	}
	if held.olm {
		if k, ok := olmKey(namespace, labels, o); ok {
			if g := held.groups[k]; g != nil {
				return g
			}
		}
	}
	if len(labels) == 0 {
		return nil
	}
	for _, l := range labelRanks {
		if value, ok := labels[l.label]; ok {
			if g := held.groups[key{l.rank, namespace, value}]; g != nil {
				return g
			}
		}
	}
	return nil
}

// declaredGroup returns the group of a declared Extension, which is made where
// nothing of it was found before.
func (t *taker) declaredGroup(name string) *group {
	for _, g := range t.groups {
		if g.name == name {
			return g
		}
	}
	g := &group{name: name, key: key{rank: rankDeclared, value: name}}
	t.groups = append(t.groups, g)
	return g
}

// registerControllers lets the workloads of extensions that offer something to
// reconcile occupy the point controller: see controllers.go.
func (t *taker) registerControllers() {
	offers := map[*group]bool{}
	for _, r := range t.registrations {
		if g := t.groupOf[r.part]; g != nil && reconciled[r.point] {
			offers[g] = true
		}
	}
	for _, g := range t.groups {
		if !offers[g] {
			continue
		}
		for _, i := range g.parts {
			if slices.Contains(workloads, resourceOf(t.parts[i].ref)) {
				t.addRegistration(controller.point, i, 1)
			}
		}
	}
}

func resourceOf(ref extant.ObjectReference) schema.GroupResource {
	return schema.GroupResource{Group: ref.Group, Resource: ref.Resource}
}
