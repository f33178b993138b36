package prober

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"

	"github.com/extant-project/extant/internal/controller/apply"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	fields "github.com/extant-project/extant/pkg/generated/applyconfiguration/extant/v1alpha1"
)

// applyOptions make a write take over what others wrote into its fields.
var applyOptions = metav1.ApplyOptions{FieldManager: FieldManager, Force: true}

// write writes what differs until the queue ends. A failed write is said once,
// and tried again.
func (c *Controller) write(ctx context.Context, queue workqueue.TypedRateLimitingInterface[string]) {
	failed := map[string]string{}
	for {
		name, end := queue.Get()
		if end {
			return
		}
		err := c.sync(ctx, name)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			if failed[name] != err.Error() {
				klog.FromContext(ctx).Error(err, "Could not write what a probe found", "backend", klog.KRef("", name))
			}
			failed[name] = err.Error()
			queue.AddRateLimited(name)
		default:
			delete(failed, name)
			queue.Forget(name)
		}
		queue.Done(name)
	}
}

// sync writes the status of one backend if it differs from what is stored.
func (c *Controller) sync(ctx context.Context, name string) error {
	stored, err := c.backends.Get(name)
	if apierrors.IsNotFound(err) {
		return nil // discovery has not made it yet, or deleted it
	}
	if err != nil {
		return err
	}
	status, ok := c.wanted(name, &stored)
	if !ok {
		return nil
	}
	if apply.LeftAlone(stored) || equality.Semantic.DeepEqual(status, own(stored)) {
		c.done(name, nil)
		return nil
	}
	configuration, err := apply.ConfigurationOf[fields.BackendStatusApplyConfiguration](status)
	if err != nil {
		return err
	}
	applied, err := c.Client.Backends().ApplyStatus(ctx, fields.Backend(name).WithStatus(configuration), applyOptions)
	if apierrors.IsNotFound(err) {
		return nil // deleted meanwhile; the informer brings the news
	}
	if err != nil {
		return err
	}
	countWrite(stored, status)
	c.done(name, applied)
	c.tell(ctx, stored, status)
	return nil
}

// wanted returns what is to be written, compared with the newest of what is
// stored and what was written: informers are behind.
func (c *Controller) wanted(name string, stored **v1alpha1.Backend) (*v1alpha1.BackendStatus, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.states[name]
	if !ok || s.target == nil {
		return nil, false
	}
	if a := s.applied; a != nil && a.UID == (*stored).UID {
		if order, err := resourceversion.CompareResourceVersion(a.ResourceVersion, (*stored).ResourceVersion); err == nil && order > 0 {
			*stored = a
		} else {
			s.applied = nil
		}
	}
	now := c.Clock.Now()
	return s.status(*stored, c.Off, recent(*stored, s.target.probe, now), now)
}

// done notes that what is wanted is stored.
func (c *Controller) done(name string, applied *v1alpha1.Backend) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.states[name]; ok && applied != nil {
		s.applied = applied
		s.wrote(applied)
	}
	if c.unwritten != nil {
		delete(c.unwritten, name)
		c.settle()
	}
}
