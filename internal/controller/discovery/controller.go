// Package discovery writes what the inventory engine finds into the API: it
// creates, updates and deletes discovered Extensions and Backends and fills the
// status of Extensions, Backends and ExtensionPoints. It writes only what
// differs, only as its own field manager, and never an Extension's spec. What
// extends the cluster is decided by internal/inventory, not here.
package discovery

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/controller/loop"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	client "github.com/extant-project/extant/pkg/generated/clientset/versioned/typed/extant/v1alpha1"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions/extant/v1alpha1"
	listers "github.com/extant-project/extant/pkg/generated/listers/extant/v1alpha1"
)

// FieldManager is the name under which discovery writes.
const FieldManager = "extant-discovery"

const (
	// interval is the least time between two passes: a burst of changes in the
	// cluster, such as a rollout, is seen as a few.
	interval = 400 * time.Millisecond
	// retryInterval is how long a failed write waits.
	retryInterval = 5 * time.Second
	// againAfter is when a pass is due though nothing is known to have changed:
	// what probes found counts for a time only.
	againAfter = time.Minute
	// parallelWrites bounds the requests that a pass has in flight.
	parallelWrites = 8
)

// Controller is the discovery controller.
type Controller struct {
	source      cluster.Source
	inventories *Inventories
	client      client.ExtantV1alpha1Interface
	clock       clock.Clock

	extensions listers.ExtensionLister
	points     listers.ExtensionPointLister
	backends   listers.BackendLister

	// gaps are those of the last pass: what changes is logged once.
	gaps []cluster.Gap

	// changes are those of what is written and of what people declare.
	changes *loop.Changes
	// written is closed after the first pass that wrote everything.
	written     chan struct{}
	writtenOnce sync.Once
}

// New returns a controller that writes what it finds in the source's snapshots.
func New(source cluster.Source, inventories *Inventories, client client.ExtantV1alpha1Interface, kinds informers.Interface) (*Controller, error) {
	changes, err := loop.Watch(kinds.Extensions().Informer(), kinds.ExtensionPoints().Informer(), kinds.Backends().Informer())
	if err != nil {
		return nil, err
	}
	return &Controller{
		source:      source,
		inventories: inventories,
		client:      client,
		clock:       clock.RealClock{},
		extensions:  kinds.Extensions().Lister(),
		points:      kinds.ExtensionPoints().Lister(),
		backends:    kinds.Backends().Lister(),
		changes:     changes,
		written:     make(chan struct{}),
	}, nil
}

// Written is closed once a first inventory is in the API.
func (c *Controller) Written() <-chan struct{} { return c.written }

// Run writes what is found until the context ends.
func (c *Controller) Run(ctx context.Context) {
	if !cache.WaitForCacheSync(ctx.Done(), c.changes.Synced...) {
		return
	}
	clusterChanged, stop := c.source.Subscribe()
	defer stop()
	passes := loop.Loop{
		Name: "discovery", Clock: c.clock, Interval: interval, Retry: retryInterval, Again: againAfter,
		Failed: "Could not write what was found", Succeeded: "What was found is written again",
	}
	passes.Run(ctx, clusterChanged, c.changes.C, c.pass)
}

// pass brings the API in line with the newest snapshot.
func (c *Controller) pass(ctx context.Context) error {
	if !c.source.Settled() {
		return loop.ErrNotSettled
	}
	points, err := c.points.List(labels.Everything())
	if err != nil {
		return err
	}
	// Before the inventory: what is missing later was deleted since.
	before, err := c.extensions.List(labels.Everything())
	if err != nil {
		return err
	}
	start := c.clock.Now()
	snapshot := c.source.Snapshot()
	found, err := c.inventories.Take(snapshot)
	if err != nil {
		return err
	}
	passDuration.Observe(c.clock.Since(start).Seconds())
	c.logGaps(ctx, snapshot.Gaps())

	plan, err := c.plan(snapshot, found, before)
	if err != nil {
		return err
	}
	writes, ctx := errgroup.WithContext(ctx)
	writes.SetLimit(parallelWrites)
	for _, write := range plan {
		writes.Go(func() error { return write(ctx) })
	}
	if err := writes.Wait(); err != nil {
		return err
	}
	if len(points) > 0 {
		c.writtenOnce.Do(func() { close(c.written) })
	}
	return nil
}

// logGaps says what cannot be seen any more, and what can be seen again.
func (c *Controller) logGaps(ctx context.Context, gaps []cluster.Gap) {
	logger := klog.FromContext(ctx)
	for _, gap := range gaps {
		if !slices.Contains(c.gaps, gap) {
			logger.Info("The observed cluster has a gap", "resource", gap.Resource, "reason", gap.Reason, "message", gap.Message)
		}
	}
	for _, gap := range c.gaps {
		if !slices.Contains(gaps, gap) {
			logger.Info("A gap in the observed cluster is closed", "resource", gap.Resource, "reason", gap.Reason)
		}
	}
	c.gaps = gaps
}

// plan returns the writes that bring the API in line with what was found.
func (c *Controller) plan(snapshot *cluster.Snapshot, found *inventory.Inventory, before []*v1alpha1.Extension) ([]func(context.Context) error, error) {
	extensions, err := c.planExtensions(found, before)
	if err != nil {
		return nil, err
	}
	backends, err := c.planBackends(snapshot, found)
	if err != nil {
		return nil, err
	}
	points, err := c.planPoints(found)
	return slices.Concat(extensions, backends, points), err
}

// served converts what the engine found to the version in which it is written.
func served[V runtime.Object](hub runtime.Object, into V) (V, error) {
	if err := install.Scheme.Convert(hub, into, nil); err != nil {
		return into, fmt.Errorf("could not convert %T: %w", hub, err)
	}
	return into, nil
}
