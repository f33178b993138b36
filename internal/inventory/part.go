package inventory

import (
	"cmp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// part is one object that can belong to an extension. Parts are a forest of
// sets (union-find): parts of one set belong to one extension.
type part struct {
	ref    extant.ObjectReference
	object cluster.Object
	// parent is the part's parent in its set; a root is its own.
	parent int32
	// wall is, on roots, the declared Extension that names a part of the set.
	wall string
	// keys is what the object says about itself, best first; clusterwide label
	// keys have no namespace.
	keys []key
	// fallback is what tells its extension where the object says nothing: the
	// workload's own name, or the domain of what it serves.
	fallback key
	// domains are those under which its hooks and kinds are named: evidence
	// for whose a CRD is that says nothing about itself.
	domains []string
	// calls is the namespaces of the Services that its hooks call.
	calls []string
	// answered tells that a workload answers one of its hooks.
	answered bool
}

// metadata is what API types offer by their embedded metadata.
type metadata interface {
	GetLabels() map[string]string
	GetAnnotations() map[string]string
	GetOwnerReferences() []metav1.OwnerReference
}

func labelsOf(object cluster.Object) map[string]string {
	switch o := object.(type) {
	case metadata:
		return o.GetLabels()
	case *cluster.Pod:
		return o.Labels.Map()
	default:
		return nil
	}
}

func refOf(resource schema.GroupResource, object cluster.Object) extant.ObjectReference {
	return extant.ObjectReference{
		Group: resource.Group, Resource: resource.Resource, Namespace: object.GetNamespace(), Name: object.GetName(),
	}
}

// compareRefs orders references by group, resource, namespace and name.
func compareRefs(x, y extant.ObjectReference) int {
	return cmp.Or(
		strings.Compare(x.Group, y.Group), strings.Compare(x.Resource, y.Resource),
		strings.Compare(x.Namespace, y.Namespace), strings.Compare(x.Name, y.Name),
	)
}

// add returns the part of an object, which is made on first use.
func (t *taker) add(resource schema.GroupResource, object cluster.Object) int32 {
	ref := refOf(resource, object)
	if i, ok := t.partOf[ref]; ok {
		return i
	}
	i := int32(len(t.parts))
	keys, claim := t.keysOf(ref, object)
	t.parts = append(t.parts, part{ref: ref, object: object, parent: i, wall: claim, keys: keys})
	t.partOf[ref] = i
	return i
}

// find returns the root of a part's set.
func (t *taker) find(i int32) int32 {
	for t.parts[i].parent != i {
		t.parts[i].parent = t.parts[t.parts[i].parent].parent
		i = t.parts[i].parent
	}
	return i
}

// union makes two sets one. Sets that two Extensions were declared for stay
// apart: what people say comes first.
func (t *taker) union(i, j int32) {
	i, j = t.find(i), t.find(j)
	if i == j {
		return
	}
	x, y := &t.parts[i], &t.parts[j]
	if x.wall != "" && y.wall != "" && x.wall != y.wall {
		return
	}
	if i > j {
		i, x, y = j, y, x
	}
	y.parent = i
	if x.wall == "" {
		x.wall = y.wall
	}
}

// best returns the first of a part's keys; ok is false where it has none. A
// domain counts only where no workload answers for the part.
func (p *part) best() (k key, ok bool) {
	if len(p.keys) > 0 {
		return p.keys[0], true
	}
	if p.answered && p.fallback.rank == rankDomain {
		return key{}, false
	}
	return p.fallback, p.fallback.value != ""
}
