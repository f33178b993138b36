package inventory

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// taker holds what one Take has found so far. Its steps are those of Take, in
// that order.
type taker struct {
	snapshot *cluster.Snapshot
	points   []*extant.ExtensionPoint
	// pointOf is points by name.
	pointOf map[string]*extant.ExtensionPoint
	// stored is the stored Extensions by name.
	stored map[string]*extant.Extension
	claims claims

	parts  []part
	partOf map[extant.ObjectReference]int32

	hooks []Hook
	// registrations is what registers at points, besides what is only counted.
	registrations []registration
	// counted is the number of hooks and objects at each point.
	counted map[string]int32
	// callees is the Services that hooks call, by namespace and name.
	callees map[serviceName]*callee
	// calls is the backends, those by Service under their names.
	calls map[string]*call

	// groups is the extensions that were found, ordered by name.
	groups []*group
	// groupOf is the group of each part, or nil.
	groupOf []*group
}

// registration is an object that registers hooks at a point, perhaps none yet.
type registration struct {
	point string
	part  int32
	hooks int32
}

func newTaker(snapshot *cluster.Snapshot, points []*extant.ExtensionPoint, extensions []*extant.Extension) *taker {
	t := &taker{
		snapshot: snapshot,
		points:   points,
		pointOf:  make(map[string]*extant.ExtensionPoint, len(points)),
		stored:   make(map[string]*extant.Extension, len(extensions)),
		claims:   newClaims(extensions),
		partOf:   map[extant.ObjectReference]int32{},
		counted:  map[string]int32{},
		callees:  map[serviceName]*callee{},
		calls:    map[string]*call{},
	}
	for _, point := range points {
		t.pointOf[point.Name] = point
	}
	for _, extension := range extensions {
		t.stored[extension.Name] = extension
	}
	return t
}

// register lets every mechanism say what is registered, then the points that
// need no code.
func (t *taker) register() {
	for i := range mechanisms {
		if mechanisms[i].register != nil {
			mechanisms[i].register(t, mechanisms[i].point)
		}
	}
	t.registerDeclaredPoints()
	t.registerDeclaredComponents()
}

// hidden tells whether a deciding gap covers one of the resources.
func (t *taker) hidden(resources ...schema.GroupResource) (cluster.Gap, bool) {
	for _, resource := range resources {
		if gap, ok := t.snapshot.DecidingGap(resource); ok {
			return gap, true
		}
	}
	return cluster.Gap{}, false
}

// informs tells whether the snapshot has that gap, which decides nothing.
func (t *taker) informs(resource string, reason cluster.GapReason) bool {
	for _, gap := range t.snapshot.Gaps() {
		if gap.Resource == resource && gap.Reason == reason {
			return true
		}
	}
	return false
}
