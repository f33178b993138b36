package outage

import (
	"math/bits"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/extant-project/extant/internal/cluster"
)

// bitset is a set of small numbers.
type bitset []uint64

func (b bitset) set(i int) { b[i/64] |= 1 << (i % 64) }

func (b bitset) or(other bitset) {
	for i := range other {
		b[i] |= other[i]
	}
}

func (b bitset) and(other bitset) {
	for i := range other {
		b[i] &= other[i]
	}
}

func (b bitset) without(other bitset) {
	for i := range other {
		b[i] &^= other[i]
	}
}

func (b bitset) count() int {
	n := 0
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}

// namespaceIndex finds the namespaces that selectors select without asking each
// of them.
type namespaceIndex struct {
	names []string
	all   bitset
	// has and is are the namespaces with a label, and with a value of it.
	has map[string]bitset
	is  map[string]map[string]bitset
	// labels are those of each namespace.
	labels []map[string]string
}

func newNamespaceIndex(snapshot *cluster.Snapshot) *namespaceIndex {
	x := &namespaceIndex{has: map[string]bitset{}, is: map[string]map[string]bitset{}}
	for namespace := range snapshot.Namespaces().All() {
		x.names, x.labels = append(x.names, namespace.Name), append(x.labels, namespace.Labels)
	}
	x.all = x.empty()
	for i := range x.names {
		x.all.set(i)
	}
	return x
}

func (x *namespaceIndex) empty() bitset { return make(bitset, (len(x.names)+63)/64) }

// index reads a label of all namespaces.
func (x *namespaceIndex) index(key string) {
	if _, ok := x.has[key]; ok {
		return
	}
	has, is := x.empty(), map[string]bitset{}
	for i, set := range x.labels {
		value, ok := set[key]
		if !ok {
			continue
		}
		has.set(i)
		if is[value] == nil {
			is[value] = x.empty()
		}
		is[value].set(i)
	}
	x.has[key], x.is[key] = has, is
}

// selected are the namespaces that a selector selects; everything for none.
func (x *namespaceIndex) selected(selector *metav1.LabelSelector) *namespaceSet {
	set := &namespaceSet{all: isEmpty(selector), names: append(bitset(nil), x.all...)}
	if set.all {
		return set
	}
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil { // the API server would not have taken it
		return set
	}
	requirements, selectable := parsed.Requirements()
	if !selectable {
		return &namespaceSet{names: x.empty()}
	}
	for i := range requirements {
		x.narrow(set.names, &requirements[i])
	}
	return set
}

func (x *namespaceIndex) narrow(names bitset, requirement *labels.Requirement) {
	key := requirement.Key()
	x.index(key)
	matching := x.empty()
	for value := range requirement.Values() {
		if is := x.is[key][value]; is != nil {
			matching.or(is)
		}
	}
	switch requirement.Operator() {
	case selection.In, selection.Equals, selection.DoubleEquals:
		names.and(matching)
	case selection.NotIn, selection.NotEquals:
		names.without(matching)
	case selection.Exists:
		names.and(x.has[key])
	case selection.DoesNotExist:
		names.without(x.has[key])
	}
}

// in names the namespaces of a set, in order, at most so many of them.
func (x *namespaceIndex) in(names bitset, most int) []string {
	var all []string
	for i, name := range x.names {
		if names[i/64]&(1<<(i%64)) == 0 {
			continue
		}
		if len(all) == most {
			break
		}
		all = append(all, name)
	}
	return all
}
