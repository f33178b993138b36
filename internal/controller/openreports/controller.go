// Package openreports exports the findings to the observed cluster as one
// ClusterReport of OpenReports, for tools that read those of several engines.
// It writes where that API is served, by server-side apply as its own field
// manager, the one object that carries its label, and nothing else. What is
// found is decided by the analyser.
package openreports

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/controller/apply"
	"github.com/extant-project/extant/internal/controller/loop"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions/extant/v1alpha1"
	listers "github.com/extant-project/extant/pkg/generated/listers/extant/v1alpha1"
)

const (
	// FieldManager is the name under which the report is written.
	FieldManager = "extant-openreports"
	// Name is that of the report.
	Name = "extant"

	// interval is the least time between two passes: a report is written whole.
	interval = 5 * time.Second
	// retryInterval is how long a failed write waits.
	retryInterval = 30 * time.Second
	// againAfter is when the report is looked at though no finding changed:
	// somebody may have changed or deleted it.
	againAfter = 10 * time.Minute
)

var resource = schema.GroupVersionResource{Group: "openreports.io", Version: "v1alpha1", Resource: "clusterreports"}

// Controller exports findings.
type Controller struct {
	source   cluster.Source
	reports  dynamic.ResourceInterface
	findings listers.FindingLister
	clock    clock.Clock
	changes  *loop.Changes
	// served tells whether the API was served in the last pass.
	served bool
}

// New returns a controller that exports the findings of an API into the cluster
// of the source, through that client.
func New(source cluster.Source, client dynamic.Interface, informer informers.FindingInformer, clock clock.Clock) (*Controller, error) {
	changes, err := loop.Watch(informer.Informer())
	if err != nil {
		return nil, err
	}
	return &Controller{source: source, reports: client.Resource(resource), findings: informer.Lister(), clock: clock, changes: changes}, nil
}

// Run exports until the context ends. The report stays then: another replica
// goes on with it.
func (c *Controller) Run(ctx context.Context) {
	if !cache.WaitForCacheSync(ctx.Done(), c.changes.Synced...) {
		return
	}
	// The API may be served later, which the source's discovery shows.
	clusterChanged, stop := c.source.Subscribe()
	defer stop()
	passes := loop.Loop{
		Name: "openreports", Clock: c.clock, Interval: interval, Retry: retryInterval, Again: againAfter,
		Failed: "Could not export findings", Succeeded: "Findings are exported again",
	}
	changed := make(chan struct{}, 1)
	go func() {
		var discovery *cluster.Discovery
		for {
			select {
			case <-ctx.Done():
				return
			case <-clusterChanged:
				// Whatever else changes in the cluster is no matter here.
				if now := c.source.Snapshot().Discovery; now != discovery {
					discovery = now
					select {
					case changed <- struct{}{}:
					default:
					}
				}
			}
		}
	}()
	passes.Run(ctx, changed, c.changes.C, c.pass)
}

// pass brings the report in line with the findings.
func (c *Controller) pass(ctx context.Context) error {
	if !c.source.Settled() {
		return loop.ErrNotSettled
	}
	discovery := c.source.Snapshot().Discovery
	if served := serves(discovery); served != c.served {
		c.served = served
		klog.FromContext(ctx).Info("Whether findings can be exported changed", "resource", resource.GroupResource().String(), "served", served)
	}
	if !c.served {
		return nil
	}
	found, err := c.findings.List(labels.Everything())
	if err != nil {
		return err
	}
	wanted, err := toObject(reportOf(found, discovery))
	if err != nil {
		return err
	}
	stored, err := c.reports.Get(ctx, Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		stored = nil
	case err != nil:
		return err
	case stored.GetLabels()[managedBy] != manager:
		return fmt.Errorf("the ClusterReport %s belongs to somebody else, as it lacks the label %s=%s: delete or rename it", Name, managedBy, manager)
	case apply.LeftAlone(stored), same(wanted, stored):
		return nil
	}
	_, err = c.reports.Apply(ctx, Name, wanted, metav1.ApplyOptions{FieldManager: FieldManager, Force: true})
	return err
}

func serves(discovery *cluster.Discovery) bool {
	for _, served := range discovery.Versions(resource.GroupResource()) {
		if served.Version == resource.Version {
			return true
		}
	}
	return false
}

// toObject turns a report into what a dynamic client sends.
func toObject(r *report) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	return object, object.UnmarshalJSON(data)
}

// same tells whether what is stored says what is wanted.
func same(wanted, stored *unstructured.Unstructured) bool {
	for _, field := range []string{"source", "summary", "results"} {
		if !equality.Semantic.DeepEqual(wanted.Object[field], stored.Object[field]) {
			return false
		}
	}
	return wanted.GetAnnotations()[omitted] == stored.GetAnnotations()[omitted]
}
