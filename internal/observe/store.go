package observe

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/extant-project/extant/internal/cluster"
)

var _ interface {
	cache.TransformingStore
	cache.ResourceVersionUpdater
} = (*reflection)(nil)

// Transformer reduces objects as they are received, so that a long initial
// list is never held whole.
func (r *reflection) Transformer() cache.TransformFunc {
	return func(object any) (any, error) { return r.keep(object), nil }
}

// keep returns what is kept of an object: a cluster.Object, or a malformed.
func (r *reflection) keep(object any) runtime.Object {
	received, ok := object.(runtime.Object)
	if !ok {
		return &malformed{reason: fmt.Sprintf("expected an object, got %T", object)}
	}
	if m, ok := received.(*malformed); ok {
		return m
	}
	accessor, err := meta.Accessor(received)
	if err != nil {
		return &malformed{reason: err.Error()}
	}
	failed := &malformed{}
	failed.Namespace, failed.Name = accessor.GetNamespace(), accessor.GetName()
	kept, err := r.row.Keep(received)
	if err != nil {
		failed.reason = err.Error()
		return failed
	}
	kept = r.source.sharer.Share(kept)
	if object, ok := kept.(runtime.Object); ok {
		return object
	}
	failed.reason = fmt.Sprintf("a %T is no object of an API", kept)
	return failed
}

// Add adds an object.
func (r *reflection) Add(object any) error { return r.Update(object) }

// Update adds or replaces an object.
func (r *reflection) Update(object any) error {
	kept := r.keep(object)
	r.source.mu.Lock()
	defer r.source.mu.Unlock()
	if m, ok := kept.(*malformed); ok {
		key := objectKey{m.Namespace, m.Name}
		if r.malformed == nil {
			r.malformed = map[objectKey]string{}
		}
		r.malformed[key] = m.reason
		r.source.builder.Delete(r.resource, key.namespace, key.name)
		r.publish()
		r.changed()
		return nil
	}
	o := kept.(cluster.Object)
	understood := r.understood(objectKey{o.GetNamespace(), o.GetName()})
	if r.source.builder.Put(r.resource, o) || understood {
		r.changed()
	}
	return nil
}

// Delete removes an object.
func (r *reflection) Delete(object any) error {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	r.source.mu.Lock()
	defer r.source.mu.Unlock()
	understood := r.understood(objectKey{accessor.GetNamespace(), accessor.GetName()})
	if r.source.builder.Delete(r.resource, accessor.GetNamespace(), accessor.GetName()) || understood {
		r.changed()
	}
	return nil
}

// understood forgets that an object was malformed. The caller holds mu.
func (r *reflection) understood(key objectKey) (changed bool) {
	if _, ok := r.malformed[key]; !ok {
		return false
	}
	delete(r.malformed, key)
	r.publish()
	return true
}

// Replace makes the objects exactly these, which Transformer or list have
// reduced already. From here on the resource is read.
func (r *reflection) Replace(list []any, _ string) error {
	all := make([]cluster.Object, 0, len(list))
	bad := map[objectKey]string{}
	for _, object := range list {
		switch object := object.(type) {
		case *malformed:
			bad[objectKey{object.Namespace, object.Name}] = object.reason
		case cluster.Object:
			all = append(all, object)
		}
	}
	// Only this reflection writes this table, so that it is still the newest
	// when the batch made from it is installed.
	batch := cluster.NewBatch(r.source.Snapshot().Objects(r.resource), all)

	r.source.mu.Lock()
	defer r.source.mu.Unlock()
	if r.source.builder.Install(r.resource, batch) {
		r.changed()
	}
	r.found()
	r.malformed = bad
	r.synced, r.settled = true, true
	r.transition(cluster.Gap{})
	return nil
}

// UpdateResourceVersion is called with each event of a watch, also with those
// that say that nothing changed.
func (r *reflection) UpdateResourceVersion(string) {
	r.source.mu.Lock()
	defer r.source.mu.Unlock()
	r.source.heard = r.source.clock.Now()
}

// Resync is not used: nothing is derived that could go astray.
func (r *reflection) Resync() error { return nil }

// extendsServed are the resources whose objects change what is served.
var extendsServed = map[schema.GroupResource]bool{
	{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}: true,
	{Group: "apiregistration.k8s.io", Resource: "apiservices"}:             true,
}

// changed tells that an object changed. The caller holds mu.
func (r *reflection) changed() {
	r.source.notify()
	if extendsServed[r.resource] {
		wake(r.source.rediscover)
	}
}
