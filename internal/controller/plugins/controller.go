// Package plugins keeps what the API knows of each node's plugins in the node's
// NodePluginReport, and makes the report where no agent did. It applies its own
// entries as its own field manager, and leaves out those of a type and name that
// anybody else reports: whoever looked at the node knows better. What the API
// knows is decided by internal/plugins, not here.
package plugins

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/controller/apply"
	"github.com/extant-project/extant/internal/controller/loop"
	"github.com/extant-project/extant/internal/plugins"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	client "github.com/extant-project/extant/pkg/generated/clientset/versioned/typed/extant/v1alpha1"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions/extant/v1alpha1"
	listers "github.com/extant-project/extant/pkg/generated/listers/extant/v1alpha1"
)

// FieldManager is the name under which what the API knows is written.
const FieldManager = "extant-plugins"

const (
	// interval is the least time between two passes.
	interval = time.Second
	// retryInterval is how long a failed write waits.
	retryInterval = 5 * time.Second
	// againAfter is when reports are looked at though nothing changed: time alone
	// makes one out of date whose node is gone.
	againAfter = 10 * time.Minute
	// newNode is how long an agent's report is kept though its node cannot be
	// seen: the agent can be ahead of what is observed, and does not write again
	// for an hour.
	newNode = 5 * time.Minute
	// parallelWrites bounds the requests that a pass has in flight.
	parallelWrites = 8
)

// Controller keeps the reports.
type Controller struct {
	source  cluster.Source
	client  client.NodePluginReportsGetter
	reports listers.NodePluginReportLister
	changes *loop.Changes
	clock   clock.Clock

	known *plugins.Reports
	// settled is what was found in line, by node: it is not compared again
	// until one side is another object.
	settled map[string]pair
}

// pair is what the API knows and what is stored of a node. Neither is ever
// changed, but replaced.
type pair struct {
	known  *plugins.Report
	stored *v1alpha1.NodePluginReport
}

// New returns a controller that reports what the source's snapshots tell.
func New(source cluster.Source, client client.NodePluginReportsGetter, kinds informers.Interface, clock clock.Clock) (*Controller, error) {
	changes, err := loop.Watch(kinds.NodePluginReports().Informer())
	if err != nil {
		return nil, err
	}
	return &Controller{
		source: source, client: client, reports: kinds.NodePluginReports().Lister(), changes: changes, clock: clock, settled: map[string]pair{},
	}, nil
}

// Run writes reports until the context ends.
func (c *Controller) Run(ctx context.Context) {
	if !cache.WaitForCacheSync(ctx.Done(), c.changes.Synced...) {
		return
	}
	clusterChanged, stop := c.source.Subscribe()
	defer stop()
	passes := loop.Loop{
		Name: "plugins", Clock: c.clock, Interval: interval, Retry: retryInterval, Again: againAfter,
		Failed: "Could not write reports of nodes", Succeeded: "Reports of nodes are written again",
	}
	passes.Run(ctx, clusterChanged, c.changes.C, c.pass)
}

// pass brings the reports in line with the newest snapshot.
func (c *Controller) pass(ctx context.Context) error {
	if !c.source.Settled() {
		return loop.ErrNotSettled
	}
	c.known = plugins.Take(c.source.Snapshot(), c.known)
	stored, err := c.reports.List(labels.Everything())
	if err != nil {
		return err
	}
	plan := c.plan(stored)
	writes, ctx := errgroup.WithContext(ctx)
	writes.SetLimit(parallelWrites)
	for _, write := range plan {
		writes.Go(func() error { return write(ctx) })
	}
	return writes.Wait()
}

// plan returns the writes that bring the reports in line with what is known.
func (c *Controller) plan(stored []*v1alpha1.NodePluginReport) []func(context.Context) error {
	var writes []func(context.Context) error
	before := make(map[string]*v1alpha1.NodePluginReport, len(stored))
	for _, report := range stored {
		before[report.Name] = report
	}
	settled := make(map[string]pair, len(c.known.All))
	consider := func(known *plugins.Report, stored *v1alpha1.NodePluginReport) {
		wanted, differs, err := c.wanted(known, stored)
		switch {
		case err != nil:
			writes = append(writes, func(context.Context) error { return err })
		case differs:
			writes = append(writes, func(ctx context.Context) error { return c.apply(ctx, wanted, stored == nil) })
		default:
			settled[known.Node] = pair{known, stored}
		}
	}
	for _, known := range c.known.All {
		now := pair{known, before[known.Node]}
		delete(before, known.Node)
		if now.stored != nil && (c.settled[known.Node] == now || apply.LeftAlone(now.stored)) {
			settled[known.Node] = now
			continue
		}
		consider(now.known, now.stored)
	}
	c.settled = settled
	if c.known.NodesHidden {
		return writes
	}
	for _, gone := range before {
		switch {
		case apply.LeftAlone(gone), c.mayBeNew(gone):
		case extants(gone):
			writes = append(writes, func(ctx context.Context) error { return c.delete(ctx, gone) })
		default:
			consider(&plugins.Report{Node: gone.Name}, gone)
		}
	}
	return writes
}
