package inventory

import (
	"slices"
	"strconv"
)

// group is one extension: a set of parts, and what joins it.
type group struct {
	name string
	// key is what named it.
	key key
	// parts are its objects.
	parts []int32
}

// name makes a group of each set in which some part says where it belongs. The
// highest-ranked of what the parts of a set say names it, of several the
// lexically smallest.
//
// Sets that come out under one name are taken together where nothing tells
// them apart: in one namespace, or when one of them has a namespace and the
// others have none. An Extension that people declared takes in the one set of
// its name. Otherwise each is called <value>.<namespace>.
func (t *taker) name() {
	keys := t.keysBySet()
	byName := map[string][]int32{}
	for _, root := range sortedRoots(keys) {
		name := nameOf(keys[root].value)
		byName[name] = append(byName[name], root)
	}
	for _, roots := range byName {
		t.mergeNamesakes(roots, keys)
	}

	keys = t.keysBySet()
	count := map[string]int{}
	for _, k := range keys {
		count[nameOf(k.value)]++
	}
	groupOfRoot := make(map[int32]*group, len(keys))
	taken := map[string]bool{}
	for _, root := range sortedRoots(keys) {
		k := keys[root]
		g := &group{key: k, name: nameOf(k.value)}
		if count[g.name] > 1 && k.rank != rankDeclared && k.namespace != "" {
			g.name = nameOf(k.value + "." + k.namespace)
		}
		for n := 2; taken[g.name]; n++ {
			g.name = nameOf(k.value + "." + k.namespace + "-" + strconv.Itoa(n))
		}
		taken[g.name] = true
		groupOfRoot[root] = g
		t.groups = append(t.groups, g)
	}
	t.groupOf = make([]*group, len(t.parts))
	for i := range t.parts {
		g := groupOfRoot[t.find(int32(i))]
		t.groupOf[i] = g
		if g != nil {
			g.parts = append(g.parts, int32(i))
		}
	}
}

// keysBySet returns the best key of each set, by its root. Where the key holds
// in the whole cluster, its namespace is the first that a part is in or calls:
// it tells the set from others of its name.
func (t *taker) keysBySet() map[int32]key {
	keys := map[int32]key{}
	where := map[int32]string{}
	for i := range t.parts {
		p := &t.parts[i]
		root := t.find(int32(i))
		namespace := p.ref.Namespace
		if namespace == "" && len(p.calls) > 0 {
			namespace = p.calls[0]
		}
		if have := where[root]; namespace != "" && (have == "" || namespace < have) {
			where[root] = namespace
		}
		k, ok := p.best()
		if !ok {
			continue
		}
		if k.label() {
			k.namespace = namespace
		}
		if have, ok := keys[root]; !ok || compareKeys(k, have) < 0 {
			keys[root] = k
		}
	}
	for root, k := range keys {
		if k.namespace == "" {
			k.namespace = where[root]
			keys[root] = k
		}
	}
	return keys
}

// sortedRoots returns the roots in order of their keys.
func sortedRoots(keys map[int32]key) []int32 {
	roots := make([]int32, 0, len(keys))
	for root := range keys {
		roots = append(roots, root)
	}
	slices.SortFunc(roots, func(x, y int32) int {
		if c := compareKeys(keys[x], keys[y]); c != 0 {
			return c
		}
		return int(x) - int(y)
	})
	return roots
}

// mergeNamesakes takes together the sets of one name that nothing tells apart.
func (t *taker) mergeNamesakes(roots []int32, keys map[int32]key) {
	byNamespace := map[string]int32{}
	declared := int32(-1)
	for _, root := range roots {
		k := keys[root]
		if k.rank == rankDeclared {
			declared = root
			continue
		}
		if first, ok := byNamespace[k.namespace]; ok {
			t.union(first, root)
			continue
		}
		byNamespace[k.namespace] = root
	}
	clusterwide, ok := byNamespace[""]
	if ok && len(byNamespace) == 2 {
		for _, root := range byNamespace {
			t.union(clusterwide, root)
		}
	}
	if declared < 0 {
		return
	}
	if len(byNamespace) == 1 || (ok && len(byNamespace) == 2) {
		for _, root := range byNamespace {
			t.union(declared, root)
		}
	}
}
