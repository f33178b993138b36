package cluster

import (
	"cmp"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// headRevision is the key of a table without objects, whose revision is that
// of everything that is not an object: gaps, discovery, version.
var headRevision = schema.GroupResource{Resource: "*"}

// Builder collects objects and makes snapshots of them. It is not safe for
// concurrent use; the snapshots are.
type Builder struct {
	head     Snapshot
	gaps     map[Gap]struct{}
	revision uint64
	current  *Snapshot
}

// NewBuilder returns an empty Builder for snapshots of that origin.
func NewBuilder(origin string) *Builder {
	return &Builder{
		head: Snapshot{Origin: origin, GitVersion: NewestVersion, Discovery: &Discovery{}, tables: map[schema.GroupResource]table{}},
		gaps: map[Gap]struct{}{},
	}
}

// Put adds or replaces an object, which must have been kept by Resource.Keep.
// An object that equals the one before is no change: most updates of a cluster
// are heartbeats, of which nothing is left.
func (b *Builder) Put(resource schema.GroupResource, object Object) {
	e := entry{object.GetNamespace(), object.GetName(), object}
	if t := b.head.tables[resource]; t.objects != nil {
		if before, ok := t.objects.Get(e); ok && equality.Semantic.DeepEqual(before.object, object) {
			return
		}
	}
	b.change(resource).ReplaceOrInsert(e)
}

// Delete removes an object.
func (b *Builder) Delete(resource schema.GroupResource, namespace, name string) {
	b.change(resource).Delete(entry{namespace: namespace, name: name})
}

// Replace makes the objects of a resource exactly these.
func (b *Builder) Replace(resource schema.GroupResource, all []Object) {
	b.change(resource)
	fresh := newObjects()
	for _, object := range all {
		fresh.ReplaceOrInsert(entry{object.GetNamespace(), object.GetName(), object})
	}
	b.head.tables[resource] = table{fresh, b.revision}
}

// Forget removes a resource with its objects.
func (b *Builder) Forget(resource schema.GroupResource) {
	b.change(headRevision)
	delete(b.head.tables, resource)
}

// Len is the number of objects of a resource.
func (b *Builder) Len(resource schema.GroupResource) int {
	return tableOf[Object](&b.head, resource).Len()
}

// SetGaps makes the gaps of a resource exactly these.
func (b *Builder) SetGaps(resource string, gaps ...Gap) {
	before := len(b.gaps)
	same := 0
	for _, gap := range gaps {
		if _, ok := b.gaps[gap]; ok {
			same++
		}
	}
	maps.DeleteFunc(b.gaps, func(gap Gap, _ struct{}) bool { return gap.Resource == resource })
	removed := before - len(b.gaps)
	for _, gap := range gaps {
		gap.Resource = resource
		b.gaps[gap] = struct{}{}
	}
	if removed == same && same == len(gaps) {
		return
	}
	b.change(headRevision)
	b.head.gaps = slices.SortedFunc(maps.Keys(b.gaps), func(x, y Gap) int {
		return cmp.Or(cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.Reason, y.Reason), cmp.Compare(x.Message, y.Message))
	})
}

// SetVersion sets the version of the API server.
func (b *Builder) SetVersion(gitVersion string) {
	if b.head.GitVersion != gitVersion {
		b.change(headRevision)
		b.head.GitVersion = gitVersion
	}
}

// SetDiscovery sets what the API server serves.
func (b *Builder) SetDiscovery(discovery *Discovery) {
	if !b.head.Discovery.Equal(discovery) {
		b.change(headRevision)
		b.head.Discovery = discovery
	}
}

// Snapshot returns what was collected so far.
func (b *Builder) Snapshot() *Snapshot {
	if b.current != nil {
		return b.current
	}
	snapshot := b.head
	snapshot.tables = make(map[schema.GroupResource]table, len(b.head.tables))
	for resource, t := range b.head.tables {
		// Cloning is lazy: from here on a write copies the nodes that it touches.
		snapshot.tables[resource] = table{t.objects.Clone(), t.revision}
	}
	b.current = &snapshot
	return b.current
}

// change marks a table as changed and returns its objects for writing.
func (b *Builder) change(resource schema.GroupResource) *objects {
	b.current = nil
	b.revision++
	t := b.head.tables[resource]
	if t.objects == nil {
		t.objects = newObjects()
	}
	t.revision = b.revision
	b.head.tables[resource] = t
	return t.objects
}
