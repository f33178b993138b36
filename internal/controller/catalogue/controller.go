// Package catalogue keeps the built-in extension points in the API equal to
// the catalogue: it creates what is missing and puts right what was changed,
// unless the object says that it is to be left alone. It ships the policies of
// the catalogue, once. It never deletes, and does not touch points and policies
// that people declared.
package catalogue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/controller/loop"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	client "github.com/extant-project/extant/pkg/generated/clientset/versioned/typed/extant/v1alpha1"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions/extant/v1alpha1"
	listers "github.com/extant-project/extant/pkg/generated/listers/extant/v1alpha1"
)

// FieldManager is the name under which the points are written.
const FieldManager = "extant-catalogue"

// Controller keeps the built-in points.
type Controller struct {
	points   map[string]*v1alpha1.ExtensionPoint
	policies *policies
	client   client.ExtensionPointInterface
	lister   listers.ExtensionPointLister
	changes  *loop.Changes
}

const (
	// interval is the least time between two passes.
	interval = time.Second
	// retryInterval is how long a failed write waits.
	retryInterval = 5 * time.Second
)

// New returns a controller that keeps these points and ships these policies.
func New(points []*extant.ExtensionPoint, shipped []*extant.ExtensionPolicy, client client.ExtantV1alpha1Interface, informer informers.ExtensionPointInformer) (*Controller, error) {
	policies, err := newPolicies(shipped, client)
	if err != nil {
		return nil, err
	}
	changes, err := loop.Watch(informer.Informer())
	if err != nil {
		return nil, err
	}
	c := &Controller{
		policies: policies,
		points:   map[string]*v1alpha1.ExtensionPoint{},
		client:   client.ExtensionPoints(),
		lister:   informer.Lister(),
		changes:  changes,
	}
	for _, point := range points {
		served := &v1alpha1.ExtensionPoint{}
		if err := install.Scheme.Convert(point, served, nil); err != nil {
			return nil, fmt.Errorf("could not convert point %s: %w", point.Name, err)
		}
		c.points[point.Name] = served
	}
	return c, nil
}

// Run keeps the points until the context ends.
func (c *Controller) Run(ctx context.Context) {
	if !cache.WaitForCacheSync(ctx.Done(), c.changes.Synced...) {
		return
	}
	first, err := c.isFirst(ctx)
	if err != nil {
		return // the context has ended
	}
	// The policies come first, so that a start that is cut off is still the first.
	c.policies.ship(ctx, first)
	passes := loop.Loop{
		Name: "catalogue", Clock: clock.RealClock{}, Interval: interval, Retry: retryInterval,
		Failed: "Could not keep the built-in extension points", Succeeded: "The built-in extension points are kept again",
	}
	c.changes.Notify() // the first pass, in an API without points
	passes.Run(ctx, nil, c.changes.C, c.pass)
}

// isFirst tells whether the API has no built-in point yet, and waits until it
// answers. The API is asked, since the informer can be behind who led before.
func (c *Controller) isFirst(ctx context.Context) (first bool, err error) {
	builtin := metav1.ListOptions{LabelSelector: labels.SelectorFromSet(labels.Set{extant.LabelOrigin: extant.OriginBuiltin}).String(), Limit: 1}
	logged := false
	err = wait.PollUntilContextCancel(ctx, retryInterval, true, func(ctx context.Context) (bool, error) {
		found, err := c.client.List(ctx, builtin)
		if err != nil {
			if !logged && ctx.Err() == nil {
				klog.FromContext(ctx).Error(err, "Could not list the built-in extension points")
			}
			logged = true
			return false, nil
		}
		first = len(found.Items) == 0
		return true, nil
	})
	return first, err
}

// pass puts right what differs. One point that cannot be is no reason to leave
// the others.
func (c *Controller) pass(ctx context.Context) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.points)) {
		if err := c.keep(ctx, c.points[name]); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func (c *Controller) keep(ctx context.Context, wanted *v1alpha1.ExtensionPoint) error {
	found, err := c.lister.Get(wanted.Name)
	if apierrors.IsNotFound(err) {
		_, err = c.client.Create(ctx, wanted, metav1.CreateOptions{FieldManager: FieldManager})
		if apierrors.IsAlreadyExists(err) {
			return nil // the informer is behind, and brings it soon
		}
		return err
	}
	if err != nil || found.Annotations[extant.AnnotationReconcile] == "false" {
		return err
	}
	if equality.Semantic.DeepEqual(found.Spec, wanted.Spec) && found.Labels[extant.LabelOrigin] == extant.OriginBuiltin {
		return nil
	}
	updated := found.DeepCopy()
	updated.Spec = wanted.Spec
	metav1.SetMetaDataLabel(&updated.ObjectMeta, extant.LabelOrigin, extant.OriginBuiltin)
	_, err = c.client.Update(ctx, updated, metav1.UpdateOptions{FieldManager: FieldManager})
	return err
}
