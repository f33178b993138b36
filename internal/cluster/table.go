package cluster

import (
	"iter"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/third_party/forked/golang/btree"
)

// Object is what a table can hold: every API object, and Pod.
type Object interface {
	GetNamespace() string
	GetName() string
}

// entry keeps the key beside the object, so that a lookup compares strings and
// calls nothing.
type entry struct {
	namespace, name string
	object          Object
}

func (e entry) less(other entry) bool {
	if c := strings.Compare(e.namespace, other.namespace); c != 0 {
		return c < 0
	}
	return e.name < other.name
}

// objects is an ordered set of objects. Its clones share what did not change:
// a snapshot after one changed object costs one path of the tree.
type objects = btree.BTree[entry]

func newObjects() *objects {
	return btree.New(32, entry.less)
}

// Table is the objects of one resource in a snapshot, ordered by namespace and
// name. The zero Table is empty. Objects must not be changed.
type Table[T Object] struct {
	objects *objects
}

// Len is the number of objects.
func (t Table[T]) Len() int {
	if t.objects == nil {
		return 0
	}
	return t.objects.Len()
}

// Get returns the object of that namespace (empty for cluster-scoped ones) and
// name.
func (t Table[T]) Get(namespace, name string) (T, bool) {
	var none T
	if t.objects == nil {
		return none, false
	}
	found, ok := t.objects.Get(entry{namespace: namespace, name: name})
	if !ok {
		return none, false
	}
	return as[T](found.object), true
}

// held returns the entry with the object as it is held.
func (t Table[T]) held(key entry) (entry, bool) {
	if t.objects == nil {
		return entry{}, false
	}
	return t.objects.Get(key)
}

// All yields every object in order.
func (t Table[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		if t.objects == nil {
			return
		}
		t.objects.Ascend(func(e entry) bool { return yield(as[T](e.object)) })
	}
}

// InNamespace yields the objects of one namespace in order.
func (t Table[T]) InNamespace(namespace string) iter.Seq[T] {
	return func(yield func(T) bool) {
		if t.objects == nil {
			return
		}
		t.objects.AscendGreaterOrEqual(entry{namespace: namespace}, func(e entry) bool {
			return e.namespace == namespace && yield(as[T](e.object))
		})
	}
}

// Namespaces yields the namespaces in which there are objects, in order; the
// empty one for objects outside of namespaces. The price is a lookup for each.
func (t Table[T]) Namespaces() iter.Seq[string] {
	return func(yield func(string) bool) {
		for from, more := (entry{}), t.objects != nil; more; {
			more = false
			t.objects.AscendGreaterOrEqual(from, func(e entry) bool {
				// No name is greater: UTF-8 has no such byte.
				from, more = entry{namespace: e.namespace, name: "\xff"}, true
				return false
			})
			more = more && yield(from.namespace)
		}
	}
}

// Controllers yields the names of the objects of one namespace in order, each
// with its controller. ReplicaSets are not expanded for that.
func (t Table[T]) Controllers(namespace string) iter.Seq2[string, Owner] {
	return func(yield func(string, Owner) bool) {
		if t.objects == nil {
			return
		}
		t.objects.AscendGreaterOrEqual(entry{namespace: namespace}, func(e entry) bool {
			return e.namespace == namespace && yield(e.name, controllerOf(e.object))
		})
	}
}

// controllerOf is the controller of an object as it is held.
func controllerOf(held Object) Owner {
	if of, ok := held.(interface{ Owner() Owner }); ok {
		return of.Owner()
	}
	if of, ok := as[Object](held).(metav1.Object); ok {
		return ControllerOf(of)
	}
	return Owner{}
}

// SameIn tells whether two tables have the very same objects in a namespace.
// Snapshots share what did not change: what is the same in both has not.
func (t Table[T]) SameIn(namespace string, other Table[T]) bool {
	all := t.heldIn(namespace)
	for _, e := range other.heldIn(namespace) {
		if len(all) == 0 || all[0] != e {
			return false
		}
		all = all[1:]
	}
	return len(all) == 0
}

// heldIn returns the objects of a namespace as they are held.
func (t Table[T]) heldIn(namespace string) []entry {
	var all []entry
	if t.objects != nil {
		t.objects.AscendGreaterOrEqual(entry{namespace: namespace}, func(e entry) bool {
			if e.namespace == namespace {
				all = append(all, e)
			}
			return e.namespace == namespace
		})
	}
	return all
}
