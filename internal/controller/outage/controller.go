// Package outage writes what the loss of each extension does into its status:
// what is refused meanwhile, and whether the cluster gets it back without a
// human. It writes only what differs, only its own fields, as its own field
// manager. What it writes is decided by internal/outage, not here.
package outage

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/controller/loop"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	client "github.com/extant-project/extant/pkg/generated/clientset/versioned/typed/extant/v1alpha1"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions/extant/v1alpha1"
	listers "github.com/extant-project/extant/pkg/generated/listers/extant/v1alpha1"
)

// FieldManager is the name under which the answers are written.
const FieldManager = "extant-outage"

const (
	// interval is the least time between two passes.
	interval = time.Second
	// retryInterval is how long a failed write waits.
	retryInterval = 5 * time.Second
	// againAfter is when answers are brought up to date though nothing changed
	// that is observed: some hang on params of policies, which are not.
	againAfter = time.Minute
	// parallelWrites bounds the requests that a pass has in flight.
	parallelWrites = 8
)

// Config is what a controller is made of.
type Config struct {
	Source cluster.Source
	// Inventory returns the inventory of a snapshot.
	Inventory func(*cluster.Snapshot) (*inventory.Inventory, error)
	// Params returns who reads the params of policies.
	Params func(*cluster.Snapshot) requestpath.Params
	Client client.ExtantV1alpha1Interface
	Kinds  informers.Interface
}

// Controller is the outage controller.
type Controller struct {
	Config
	engine     *outage.Engine
	clock      clock.Clock
	extensions listers.ExtensionLister
	// changes are those of Extensions.
	changes *loop.Changes
}

// New returns a controller that writes what outages do to the source's
// snapshots.
func New(config Config) (*Controller, error) {
	changes, err := loop.Watch(config.Kinds.Extensions().Informer())
	if err != nil {
		return nil, err
	}
	return &Controller{
		Config:     config,
		engine:     outage.NewEngine(requestpath.NewEngine(), rbac.NewAuthorizers(rbac.Options{})),
		clock:      clock.RealClock{},
		extensions: config.Kinds.Extensions().Lister(),
		changes:    changes,
	}, nil
}

// Run writes what is found until the context ends.
func (c *Controller) Run(ctx context.Context) {
	if !cache.WaitForCacheSync(ctx.Done(), c.changes.Synced...) {
		return
	}
	clusterChanged, stop := c.Source.Subscribe()
	defer stop()
	defer forget()
	passes := loop.Loop{
		Name: "outage", Clock: c.clock, Interval: interval, Retry: retryInterval, Again: againAfter,
		Failed: "Could not write what outages do", Succeeded: "What outages do is written again",
	}
	passes.Run(ctx, clusterChanged, c.changes.C, c.pass)
}

// pass brings the status of the Extensions in line with the newest snapshot.
func (c *Controller) pass(ctx context.Context) error {
	if !c.Source.Settled() {
		return loop.ErrNotSettled
	}
	start := c.clock.Now()
	snapshot := c.Source.Snapshot()
	found, err := c.Inventory(snapshot)
	if err != nil {
		return err
	}
	losses, err := c.engine.Losses(ctx, requestpath.Observed{
		Snapshot: snapshot, Inventory: found, Params: c.Params(snapshot), MayReadParam: nobody, Time: metav1.NewTime(start),
	})
	if err != nil {
		return err
	}
	observePass(losses, c.clock.Since(start))
	plan, err := c.plan(losses)
	if err != nil {
		return err
	}
	writes, ctx := errgroup.WithContext(ctx)
	writes.SetLimit(parallelWrites)
	for _, write := range plan {
		writes.Go(func() error { return write(ctx) })
	}
	return writes.Wait()
}
