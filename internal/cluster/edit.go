package cluster

import (
	"maps"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Edit is one difference between a snapshot and the cluster that somebody asks
// about: an object that is another, or none.
type Edit struct {
	Resource        schema.GroupResource
	Namespace, Name string
	// Object is what is there instead; nil: nothing.
	Object Object
}

// Edited returns the snapshot as it would be with some edits. The snapshot
// itself is not changed, and shares every other resource with what is returned.
// An edited resource is indexed anew, so that snapshots can be edited by
// several at once: the price is proportional to the objects of the resource.
//
// Its revisions are those of the snapshot: what is kept by revision must not be
// asked about it.
func (s *Snapshot) Edited(edits ...Edit) *Snapshot {
	byResource := map[schema.GroupResource][]Edit{}
	for _, edit := range edits {
		byResource[edit.Resource] = append(byResource[edit.Resource], edit)
	}
	edited := *s
	edited.tables = maps.Clone(s.tables)
	for resource, edits := range byResource {
		before := s.tables[resource]
		after := newObjects()
		if before.objects != nil {
			before.objects.Ascend(func(e entry) bool {
				after.ReplaceOrInsert(e)
				return true
			})
		}
		for _, edit := range edits {
			e := entry{edit.Namespace, edit.Name, edit.Object}
			if edit.Object == nil {
				after.Delete(e)
			} else {
				after.ReplaceOrInsert(e)
			}
		}
		edited.tables[resource] = table{after, before.revision}
	}
	return &edited
}

// Inside returns edits that remove every object of a namespace.
func (s *Snapshot) Inside(namespace string) []Edit {
	var edits []Edit
	for resource, t := range s.tables {
		for object := range (Table[Object]{t.objects}).InNamespace(namespace) {
			edits = append(edits, Edit{Resource: resource, Namespace: namespace, Name: object.GetName()})
		}
	}
	return edits
}
