// Package analyser keeps the findings in the API in line with the policies and
// the observed cluster: it creates those that appear, changes those that
// change, and deletes those that are gone. It writes what came of them into the
// status of policies and extensions, only its own fields, as its own field
// manager. What is found is decided by internal/finding, not here.
package analyser

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/controller/loop"
	"github.com/extant-project/extant/internal/finding"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	client "github.com/extant-project/extant/pkg/generated/clientset/versioned/typed/extant/v1alpha1"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions/extant/v1alpha1"
	listers "github.com/extant-project/extant/pkg/generated/listers/extant/v1alpha1"
)

// FieldManager is the name under which findings are written.
const FieldManager = "extant-analyser"

const (
	// interval is the least time between two passes: a finding appears within
	// two seconds of its cause, which discovery sees first.
	interval = 500 * time.Millisecond
	// retryInterval is how long a failed write waits.
	retryInterval = 5 * time.Second
	// againAfter is when rules are evaluated again that hang on the time, and
	// when the acceptance of a risk is seen to end.
	againAfter = 10 * time.Second
	// parallelWrites bounds the requests that a pass has in flight.
	parallelWrites = 8
)

// Config is what a controller is made of.
type Config struct {
	Source cluster.Source
	// Inventory returns the inventory of a snapshot, with what probes found.
	Inventory func(*cluster.Snapshot) (*inventory.Inventory, error)
	// Params returns who reads the params of policies.
	Params func(*cluster.Snapshot) requestpath.Params
	Client client.ExtantV1alpha1Interface
	Kinds  informers.Interface
	Clock  clock.Clock
}

// Controller is the analyser.
type Controller struct {
	Config
	engine   *finding.Engine
	findings listers.FindingLister
	// changes are those of what is evaluated and of what is written.
	changes *loop.Changes

	policies   hubs[*v1alpha1.ExtensionPolicy, *extant.ExtensionPolicy]
	extensions hubs[*v1alpha1.Extension, *extant.Extension]
	reports    hubs[*v1alpha1.NodePluginReport, *extant.NodePluginReport]
	components hubs[*v1alpha1.ComponentConfiguration, *extant.ComponentConfiguration]
}

// New returns a controller that evaluates the policies in the API over the
// source's snapshots.
func New(config Config) (*Controller, error) {
	kinds := config.Kinds
	changes, err := loop.Watch(kinds.ExtensionPolicies().Informer(), kinds.Extensions().Informer(), kinds.Backends().Informer(),
		kinds.Findings().Informer(), kinds.NodePluginReports().Informer(), kinds.ComponentConfigurations().Informer())
	if err != nil {
		return nil, err
	}
	c := &Controller{
		Config:   config,
		engine:   finding.NewEngine(requestpath.NewEngine()),
		findings: kinds.Findings().Lister(),
		changes:  changes,
	}
	c.policies = hubs[*v1alpha1.ExtensionPolicy, *extant.ExtensionPolicy]{
		list: kinds.ExtensionPolicies().Lister().List, make: func() *extant.ExtensionPolicy { return &extant.ExtensionPolicy{} }}
	c.extensions = hubs[*v1alpha1.Extension, *extant.Extension]{
		list: kinds.Extensions().Lister().List, make: func() *extant.Extension { return &extant.Extension{} }}
	c.reports = hubs[*v1alpha1.NodePluginReport, *extant.NodePluginReport]{
		list: kinds.NodePluginReports().Lister().List, make: func() *extant.NodePluginReport { return &extant.NodePluginReport{} }}
	c.components = hubs[*v1alpha1.ComponentConfiguration, *extant.ComponentConfiguration]{
		list: kinds.ComponentConfigurations().Lister().List, make: func() *extant.ComponentConfiguration { return &extant.ComponentConfiguration{} }}
	return c, nil
}

// Run writes what is found until the context ends.
func (c *Controller) Run(ctx context.Context) {
	if !cache.WaitForCacheSync(ctx.Done(), c.changes.Synced...) {
		return
	}
	clusterChanged, stop := c.Source.Subscribe()
	defer stop()
	defer standingFindings.forget()
	passes := loop.Loop{
		Name: "analyser", Clock: c.Clock, Interval: interval, Retry: retryInterval, Again: againAfter,
		Failed: "Could not write findings", Succeeded: "Findings are written again",
	}
	passes.Run(ctx, clusterChanged, c.changes.C, c.pass)
}

// pass brings the findings in line with the newest snapshot and policies.
func (c *Controller) pass(ctx context.Context) error {
	if !c.Source.Settled() {
		return loop.ErrNotSettled
	}
	start := c.Clock.Now()
	input, err := c.input(start)
	if err != nil {
		return err
	}
	result, err := c.engine.Evaluate(ctx, input)
	if err != nil {
		return err
	}
	stored, err := c.findings.List(labels.Everything())
	if err != nil {
		return err
	}
	plan, standing := c.planFindings(result, stored, metav1.NewTime(start))
	plan = append(plan, c.planExtensions(input.Extensions, standing, result, metav1.NewTime(start))...)
	plan = append(plan, c.planPolicies(input.Policies, standing, result, metav1.NewTime(start))...)
	observePass(standing, c.Clock.Since(start))
	writes, ctx := errgroup.WithContext(ctx)
	writes.SetLimit(parallelWrites)
	for _, write := range plan {
		writes.Go(func() error { return write(ctx) })
	}
	return writes.Wait()
}

// input is what the policies are evaluated over.
func (c *Controller) input(now time.Time) (finding.Input, error) {
	snapshot := c.Source.Snapshot()
	found, err := c.Inventory(snapshot)
	if err != nil {
		return finding.Input{}, err
	}
	input := finding.Input{Observed: requestpath.Observed{
		Snapshot: snapshot, Inventory: found, Params: c.Params(snapshot), Time: metav1.NewTime(now),
	}}
	var errs [4]error
	input.Policies, errs[0] = c.policies.all()
	input.Extensions, errs[1] = c.extensions.all()
	input.Reports, errs[2] = c.reports.all()
	input.Components, errs[3] = c.components.all()
	return input, errors.Join(errs[:]...)
}
