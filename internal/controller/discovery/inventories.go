package discovery

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions/extant/v1alpha1"
	listers "github.com/extant-project/extant/pkg/generated/listers/extant/v1alpha1"
)

// Inventories takes the inventory of snapshots, with the points and the
// Extensions that the API has, and what probes found. The newest is kept, for
// everybody who asks: the controllers, which write it down, and reviews. It is
// safe for concurrent use.
type Inventories struct {
	extensions listers.ExtensionLister
	points     listers.ExtensionPointLister
	backends   listers.BackendLister
	// fallback is the points that are taken while the API has none, as long as
	// its etcd is away at start.
	fallback []*extant.ExtensionPoint
	clock    clock.PassiveClock

	mu     sync.Mutex
	newest taken
	laid   laid
}

// taken is an inventory with what it was taken from.
type taken struct {
	revision   uint64
	points     []*v1alpha1.ExtensionPoint
	extensions []*v1alpha1.Extension
	hubPoints  []*extant.ExtensionPoint
	inventory  *inventory.Inventory
}

// NewInventories returns the Inventories of an API. The fallback is the points
// that are taken while the API has none.
func NewInventories(kinds informers.Interface, fallback []*extant.ExtensionPoint, clock clock.PassiveClock) *Inventories {
	return &Inventories{
		extensions: kinds.Extensions().Lister(), points: kinds.ExtensionPoints().Lister(), backends: kinds.Backends().Lister(),
		fallback: fallback, clock: clock,
	}
}

// Take returns the inventory of a snapshot, with what probes found.
func (i *Inventories) Take(snapshot *cluster.Snapshot) (*inventory.Inventory, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	pure, err := i.take(snapshot)
	if err != nil {
		return nil, err
	}
	return i.laid.over(pure, i.backends, i.clock.Now())
}

// Unprobed returns the inventory of a snapshot, without what probes found.
func (i *Inventories) Unprobed(snapshot *cluster.Snapshot) (*inventory.Inventory, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.take(snapshot)
}

// take returns the inventory of a snapshot. The lock is held.
func (i *Inventories) take(snapshot *cluster.Snapshot) (*inventory.Inventory, error) {
	points, err := i.points.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	extensions, err := i.extensions.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	// The informers' objects are never changed, but replaced: the same ones make
	// the same inventory.
	slices.SortFunc(points, byName[*v1alpha1.ExtensionPoint])
	slices.SortFunc(extensions, byName[*v1alpha1.Extension])

	last := &i.newest
	if last.inventory == nil || !slices.Equal(points, last.points) {
		hubs, err := i.hubPoints(points)
		if err != nil {
			return nil, err
		}
		*last = taken{points: points, hubPoints: hubs}
	}
	revision := snapshot.Revision(inventory.Reads(last.hubPoints)...)
	if last.inventory != nil && revision == last.revision && slices.Equal(extensions, last.extensions) {
		return last.inventory, nil
	}
	stored, err := toHub(extensions, func() *extant.Extension { return &extant.Extension{} })
	if err != nil {
		return nil, err
	}
	last.revision, last.extensions = revision, extensions
	last.inventory = inventory.Take(snapshot, last.hubPoints, stored)
	return last.inventory, nil
}

func (i *Inventories) hubPoints(points []*v1alpha1.ExtensionPoint) ([]*extant.ExtensionPoint, error) {
	if len(points) == 0 {
		return i.fallback, nil
	}
	return toHub(points, func() *extant.ExtensionPoint { return &extant.ExtensionPoint{} })
}

func byName[T metav1.Object](x, y T) int { return strings.Compare(x.GetName(), y.GetName()) }

// toHub converts served objects. Conversion shares memory with the informer's
// objects, which the engine does not change.
func toHub[H, V runtime.Object](served []V, newHub func() H) ([]H, error) {
	hubs := make([]H, 0, len(served))
	for _, object := range served {
		hub := newHub()
		if err := install.Scheme.Convert(object, hub, nil); err != nil {
			return nil, fmt.Errorf("could not convert %T: %w", object, err)
		}
		hubs = append(hubs, hub)
	}
	return hubs, nil
}
