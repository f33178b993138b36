package discovery

import (
	"context"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/controller/loop"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions/extant/v1alpha1"
	listers "github.com/extant-project/extant/pkg/generated/listers/extant/v1alpha1"
)

// Named makes the source observe what extension points name. It writes nothing,
// and runs on every replica: one that takes over has read what it needs.
type Named struct {
	source  cluster.Source
	points  listers.ExtensionPointLister
	changes *loop.Changes
	// followed is closed when the source knows the first of them.
	followed chan struct{}
}

// NewNamed returns what keeps the source up to date with the points.
func NewNamed(source cluster.Source, points informers.ExtensionPointInformer) (*Named, error) {
	changes, err := loop.Watch(points.Informer())
	if err != nil {
		return nil, err
	}
	return &Named{source: source, points: points.Lister(), changes: changes, followed: make(chan struct{})}, nil
}

// Followed is closed once the source observes what is named in the API.
func (n *Named) Followed() <-chan struct{} { return n.followed }

// Run follows the points until the context ends. It is called once.
func (n *Named) Run(ctx context.Context) {
	if !cache.WaitForCacheSync(ctx.Done(), n.changes.Synced...) {
		return
	}
	followed := sync.OnceFunc(func() { close(n.followed) })
	for {
		// A lister that reads from memory has no errors.
		if points, err := n.points.List(labels.Everything()); err == nil {
			n.source.Observe(named(points))
			followed()
		}
		select {
		case <-ctx.Done():
			return
		case <-n.changes.C:
		}
	}
}

// named returns the resources that points name and Extant does not observe by
// itself.
func named(points []*v1alpha1.ExtensionPoint) []schema.GroupResource {
	var resources []schema.GroupResource
	for _, point := range points {
		for _, r := range point.Spec.RegisteredBy {
			resource := schema.GroupResource{Group: r.Group, Resource: r.Resource}
			if _, observed := cluster.Lookup(resource); r.Resource != "" && !observed && !slices.Contains(resources, resource) {
				resources = append(resources, resource)
			}
		}
	}
	return resources
}
