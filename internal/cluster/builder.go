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
// It tells whether anything changed.
func (b *Builder) Put(resource schema.GroupResource, object Object) (changed bool) {
	e := entry{object.GetNamespace(), object.GetName(), object}
	if before, ok := b.get(resource, e); ok && same(before, object) {
		return false
	}
	b.change(resource).ReplaceOrInsert(e)
	return true
}

// Delete removes an object and tells whether there was one.
func (b *Builder) Delete(resource schema.GroupResource, namespace, name string) (changed bool) {
	e := entry{namespace: namespace, name: name}
	if _, ok := b.get(resource, e); !ok {
		return false
	}
	b.change(resource).Delete(e)
	return true
}

// Replace makes the objects of a resource exactly these.
func (b *Builder) Replace(resource schema.GroupResource, all []Object) {
	b.Install(resource, NewBatch(tableOf[Object](&b.head, resource), all))
}

// Batch is all objects of a resource, made ready for a Builder. Making it is
// the long part of a Replace and needs no Builder, and so no lock.
type Batch struct {
	objects *objects
	changed bool
}

// NewBatch indexes objects. Those that equal the object of the table before
// are replaced by it, so that snapshots go on to share it.
func NewBatch(before Table[Object], all []Object) Batch {
	batch := Batch{objects: newObjects(), changed: before.objects == nil}
	for _, object := range all {
		e := entry{object.GetNamespace(), object.GetName(), object}
		if known, ok := before.held(e); ok && same(known.object, object) {
			e = known
		} else {
			batch.changed = true
		}
		batch.objects.ReplaceOrInsert(e)
	}
	batch.changed = batch.changed || batch.objects.Len() != before.Len()
	return batch
}

// Install makes the objects of a resource exactly those of the batch, which
// was made from the resource's newest table, and tells whether anything
// changed.
func (b *Builder) Install(resource schema.GroupResource, batch Batch) (changed bool) {
	if !batch.changed {
		return false
	}
	b.change(resource)
	b.head.tables[resource] = table{batch.objects, b.revision}
	return true
}

// same tells whether two held objects are equal. Those of types that are made
// to be small are compared by value: their fields are interned.
func same(x, y Object) bool {
	if pod, ok := x.(*Pod); ok {
		other, ok := y.(*Pod)
		return ok && *pod == *other
	}
	if set, ok := x.(*ownedReplicaSet); ok {
		other, ok := y.(*ownedReplicaSet)
		return ok && *set == *other
	}
	if job, ok := x.(*finishedJob); ok {
		other, ok := y.(*finishedJob)
		return ok && *job == *other
	}
	return equality.Semantic.DeepEqual(x, y)
}

// Forget removes a resource with its objects.
func (b *Builder) Forget(resource schema.GroupResource) {
	if _, ok := b.head.tables[resource]; !ok {
		return
	}
	b.change(headRevision)
	delete(b.head.tables, resource)
}

// Len is the number of objects of a resource.
func (b *Builder) Len(resource schema.GroupResource) int {
	return tableOf[Object](&b.head, resource).Len()
}

// SetGaps makes the gaps of a resource exactly these and tells whether that
// changed anything.
func (b *Builder) SetGaps(resource string, gaps ...Gap) (changed bool) {
	before := len(b.gaps)
	same := 0
	for _, gap := range gaps {
		gap.Resource = resource
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
		return false
	}
	b.change(headRevision)
	b.head.gaps = slices.SortedFunc(maps.Keys(b.gaps), compareGaps)
	return true
}

func compareGaps(x, y Gap) int {
	return cmp.Or(cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.Reason, y.Reason), cmp.Compare(x.Message, y.Message))
}

// SetVersion sets the version of the API server and tells whether it is
// another.
func (b *Builder) SetVersion(gitVersion string) (changed bool) {
	if b.head.GitVersion == gitVersion {
		return false
	}
	b.change(headRevision)
	b.head.GitVersion = gitVersion
	return true
}

// SetDiscovery sets what the API server serves and tells whether it is
// something else.
func (b *Builder) SetDiscovery(discovery *Discovery) (changed bool) {
	if b.head.Discovery.Equal(discovery) {
		return false
	}
	b.change(headRevision)
	b.head.Discovery = discovery
	return true
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

func (b *Builder) get(resource schema.GroupResource, key entry) (Object, bool) {
	found, ok := tableOf[Object](&b.head, resource).held(key)
	return found.object, ok
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
