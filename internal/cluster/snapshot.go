package cluster

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"
)

// Snapshot is the observed cluster at one moment. It is never changed; a newer
// one shares with it what did not change.
type Snapshot struct {
	// Origin is "live" or "dump".
	Origin string
	// GitVersion is the version of the observed API server, such as v1.37.2.
	GitVersion string
	// Discovery is what the observed API server serves.
	Discovery *Discovery

	gaps   []Gap
	tables map[schema.GroupResource]table
}

// table is the objects of one resource with the revision of their last change.
type table struct {
	objects  *objects
	revision uint64
}

// Version is the version of the observed API server.
func (s *Snapshot) Version() *version.Version {
	if v, err := version.ParseGeneric(s.GitVersion); err == nil {
		return v
	}
	return version.MustParseGeneric(NewestVersion)
}

// Gaps is what the snapshot does not show, in order of resource and reason.
func (s *Snapshot) Gaps() []Gap { return s.gaps }

// DecidingGap returns the gap because of which nothing can be concluded from
// the absence of objects of that resource.
func (s *Snapshot) DecidingGap(resource schema.GroupResource) (Gap, bool) {
	name := resource.String()
	for _, gap := range s.gaps {
		if gap.Resource == name && gap.Reason.Decides() {
			return gap, true
		}
	}
	return Gap{}, false
}

// Revision changes whenever an object of one of the resources, a gap or the
// discovery changes. Two snapshots with the same revision of what an engine
// reads give the same answer.
func (s *Snapshot) Revision(resources ...schema.GroupResource) uint64 {
	// Every change of whatever kind takes a new number, so that the newest
	// number of a set of tables identifies their state.
	revision := s.tables[headRevision].revision
	for _, resource := range resources {
		revision = max(revision, s.tables[resource].revision)
	}
	return revision
}

// Named returns the objects of a resource that users named for observation.
func (s *Snapshot) Named(resource schema.GroupResource) Table[*Metadata] {
	return tableOf[*Metadata](s, resource)
}

// Params returns the whole objects of a resource that some admission policy
// takes its params from. Only dumps have them.
func (s *Snapshot) Params(resource schema.GroupResource) Table[*unstructured.Unstructured] {
	return tableOf[*unstructured.Unstructured](s, ParamsOf(resource))
}

// ParamsOf is what a Builder keeps the params of a resource under, beside what
// else is kept of the resource.
func ParamsOf(resource schema.GroupResource) schema.GroupResource {
	return schema.GroupResource{Group: resource.Group, Resource: resource.Resource + "/params"}
}

// Objects returns the objects of any observed resource.
func (s *Snapshot) Objects(resource schema.GroupResource) Table[Object] {
	return tableOf[Object](s, resource)
}

func tableOf[T Object](s *Snapshot, resource schema.GroupResource) Table[T] {
	return Table[T]{s.tables[resource].objects}
}
