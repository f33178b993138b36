package inventory

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
)

// connect decides which parts belong together. What calls another part is with
// it already (call.go); the steps that follow take, in this order, what owns a
// part, what says the same as another, what says it for the whole cluster,
// whose domain a kind is named under, and what says nothing at all. No step
// depends on the order of the parts: each looks at the sets as the step before
// left them.
func (t *taker) connect() {
	t.nameURLs()
	t.connectOwners()
	said := map[key]int32{}
	unresolved := t.connectKeys(said, 0)
	t.connectClusterwide(said, unresolved)
	t.connectDomains()
	t.connectNameless()
}

// kindResources is the observed resources by group and kind.
var kindResources = func() map[schema.GroupKind]schema.GroupResource {
	byKind := make(map[schema.GroupKind]schema.GroupResource, len(cluster.Resources))
	for i := range cluster.Resources {
		r := &cluster.Resources[i]
		byKind[schema.GroupKind{Group: r.Group, Kind: r.Kind}] = r.GroupResource()
	}
	return byKind
}()

// connectOwners brings parts together with the observed objects that own them.
// Namespaces and nodes own what has nothing to do with each other.
func (t *taker) connectOwners() {
	for i := int32(0); int(i) < len(t.parts); i++ {
		object, ok := t.parts[i].object.(metadata)
		if !ok {
			continue
		}
		for _, owner := range object.GetOwnerReferences() {
			resource, ok := kindResources[schema.FromAPIVersionAndKind(owner.APIVersion, owner.Kind).GroupKind()]
			if !ok || resource == namespaces || resource == nodes {
				continue
			}
			found, ok := t.snapshot.Objects(resource).Get(t.parts[i].ref.Namespace, owner.Name)
			if !ok {
				found, ok = t.snapshot.Objects(resource).Get("", owner.Name)
			}
			if ok {
				t.union(i, t.add(resource, found))
			}
		}
	}
}

// connectKeys brings parts together whose best key is the same, from the given
// part on. It returns the cluster-scoped parts whose label could be meant for
// any namespace; those whose hooks call a Service are meant for that of the
// Service.
func (t *taker) connectKeys(said map[key]int32, from int) (unresolved []int32) {
	for i := int32(from); int(i) < len(t.parts); i++ {
		p := &t.parts[i]
		k, ok := p.best()
		if !ok {
			continue
		}
		if !k.label() || p.ref.Namespace != "" {
			t.say(said, k, i)
			continue
		}
		if len(p.calls) == 0 {
			unresolved = append(unresolved, i)
		}
		for _, namespace := range p.calls {
			k.namespace = namespace
			t.say(said, k, i)
		}
	}
	return unresolved
}

func (t *taker) say(said map[key]int32, k key, i int32) {
	if first, ok := said[k]; ok {
		t.union(first, i)
		return
	}
	said[k] = i
}

// connectClusterwide finds a place for cluster-scoped parts with a label but
// without a namespace: a CRD, a policy, a class. The best of its labels that
// exactly one extension has (in some namespace) brings it there; else one that
// the workloads of exactly one namespace have, and these come along. What is
// left groups with what has the same label.
func (t *taker) connectClusterwide(said map[key]int32, unresolved []int32) {
	if len(unresolved) == 0 {
		return
	}
	wanted := map[key]*holders{}
	for _, i := range unresolved {
		for _, k := range t.parts[i].keys {
			if k.label() {
				wanted[k] = &holders{}
			}
		}
	}
	t.holdersAmongParts(wanted)
	t.holdersAmongWorkloads(wanted)

	var unions [][2]int32
	var adopted []workload
	for _, i := range unresolved {
		joined := false
		for _, k := range t.parts[i].keys {
			h := wanted[k]
			if h == nil {
				continue
			}
			if len(h.roots) == 1 {
				unions = append(unions, [2]int32{i, h.roots[0]})
			} else if len(h.roots) == 0 && len(h.namespaces) == 1 {
				if !h.adopted {
					h.adopted = true
					adopted = append(adopted, h.workloads...)
				}
				h.children = append(h.children, i)
			} else {
				continue
			}
			joined = true
			break
		}
		if !joined {
			t.say(said, t.parts[i].keys[0], i)
		}
	}
	from := len(t.parts)
	for _, w := range adopted {
		t.add(w.resource, w.object)
	}
	t.connectKeys(said, from)
	for _, u := range unions {
		t.union(u[0], u[1])
	}
	for _, k := range slices.SortedFunc(maps.Keys(wanted), compareKeys) {
		h := wanted[k]
		for _, i := range h.children {
			for _, w := range h.workloads {
				t.union(i, t.partOf[w.ref()])
			}
		}
	}
}

// holders is who has a label in some namespace.
type holders struct {
	// roots are the sets of parts that have it.
	roots []int32
	// workloads are the workloads outside of any set that have it, and
	// namespaces are theirs.
	workloads  []workload
	namespaces []string
	// children are the parts that come to the workloads.
	children []int32
	adopted  bool
}

func (t *taker) holdersAmongParts(wanted map[key]*holders) {
	for i := range t.parts {
		p := &t.parts[i]
		if p.ref.Namespace == "" && len(p.calls) == 0 {
			continue
		}
		for _, k := range p.keys {
			if !k.label() {
				continue
			}
			k.namespace = ""
			if h := wanted[k]; h != nil {
				if root := t.find(int32(i)); !slices.Contains(h.roots, root) {
					h.roots = append(h.roots, root)
				}
			}
		}
	}
}

func (t *taker) holdersAmongWorkloads(wanted map[key]*holders) {
	for _, resource := range []schema.GroupResource{deployments, daemonSets, statefulSets} {
		for object := range t.snapshot.Objects(resource).All() {
			labels := labelsOf(object)
			for _, l := range labelRanks {
				value, ok := labels[l.label]
				if !ok {
					continue
				}
				h := wanted[key{rank: l.rank, value: value}]
				if h == nil || len(h.roots) > 0 {
					continue
				}
				h.workloads = append(h.workloads, workload{resource, object})
				if namespace := object.GetNamespace(); !slices.Contains(h.namespaces, namespace) {
					h.namespaces = append(h.namespaces, namespace)
				}
			}
		}
	}
}

// connectDomains brings CRDs and classes that say nothing about themselves to
// the extension whose hooks or further kinds are named under their domain, if
// exactly one is.
func (t *taker) connectDomains() {
	owners := map[string]int32{} // the domain group
	for i := range t.parts {
		if k, ok := t.parts[i].best(); ok && k.rank == rankDomain {
			owners[k.value] = int32(i)
		}
	}
	if len(owners) == 0 {
		return
	}
	evidence := map[string][]int32{}
	for i := range t.parts {
		p := &t.parts[i]
		if k, ok := p.best(); ok && k.rank == rankDomain {
			continue
		}
		for _, domain := range p.domains {
			group, ok := owners[domain]
			root := t.find(int32(i))
			if ok && root != t.find(group) && !slices.Contains(evidence[domain], root) {
				evidence[domain] = append(evidence[domain], root)
			}
		}
	}
	for _, domain := range slices.Sorted(maps.Keys(evidence)) {
		if roots := evidence[domain]; len(roots) == 1 {
			t.union(owners[domain], roots[0])
		}
	}
}

// connectNameless gives a key to hooks of which nothing tells where they
// belong: the domain of their kinds, though a workload answers that has no name
// of its own; the namespace of the Services that they call; or, where they call
// none, the name of the object that registers them.
func (t *taker) connectNameless() {
	said := map[key]int32{}
	named := t.namedSets()
	for i := range t.parts {
		p := &t.parts[i]
		if p.answered && p.fallback.value != "" && !named[t.find(int32(i))] {
			p.answered = false
			t.say(said, p.fallback, int32(i))
		}
	}
	named = t.namedSets()
	for i := range t.hooks {
		h := &t.hooks[i]
		p := &t.parts[h.part]
		if h.Backend == "" || named[t.find(h.part)] {
			continue
		}
		p.fallback = key{rank: rankObject, value: p.ref.Name}
		if len(p.calls) > 0 {
			p.fallback = key{rankNamespace, p.calls[0], p.calls[0]}
		}
		t.say(said, p.fallback, h.part)
	}
}

// namedSets returns the roots of the sets in which some part has a key.
func (t *taker) namedSets() map[int32]bool {
	named := make(map[int32]bool, len(t.parts))
	for i := range t.parts {
		if _, ok := t.parts[i].best(); ok {
			named[t.find(int32(i))] = true
		}
	}
	return named
}
