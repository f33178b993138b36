package outage

import (
	"context"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/controller/apply"
	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	fields "github.com/extant-project/extant/pkg/generated/applyconfiguration/extant/v1alpha1"
)

// applyOptions make a write take over what others wrote into its fields.
var applyOptions = metav1.ApplyOptions{FieldManager: FieldManager, Force: true}

// nobody may be shown what policies say of their params: more people may read
// Extensions.
func nobody(context.Context, schema.GroupVersionResource, string, string) bool { return false }

// plan returns the writes that bring the Extensions in line. An Extension that
// is not there yet, or not any more, is left to discovery.
func (c *Controller) plan(losses map[string]outage.Loss) ([]func(context.Context) error, error) {
	var writes []func(context.Context) error
	for _, name := range slices.Sorted(maps.Keys(losses)) {
		stored, err := c.extensions.Get(name)
		switch {
		case apierrors.IsNotFound(err):
			continue
		case err != nil:
			return nil, err
		case apply.LeftAlone(stored):
			continue
		}
		status := statusOf(losses[name], stored, metav1.NewTime(c.clock.Now()))
		if !equality.Semantic.DeepEqual(status, ownStatus(stored, status)) {
			writes = append(writes, func(ctx context.Context) error { return c.write(ctx, name, status) })
		}
	}
	return writes, nil
}

func (c *Controller) write(ctx context.Context, name string, status *v1alpha1.ExtensionStatus) error {
	configuration, err := apply.ConfigurationOf[fields.ExtensionStatusApplyConfiguration](status)
	if err != nil {
		return err
	}
	_, err = c.Client.Extensions().ApplyStatus(ctx, fields.Extension(name).WithStatus(configuration), applyOptions)
	if apierrors.IsNotFound(err) {
		return nil // deleted meanwhile; the informer brings the news
	}
	if err == nil {
		countWrite()
	}
	return err
}

// statusOf is the part of the status that this controller writes.
func statusOf(loss outage.Loss, stored *v1alpha1.Extension, now metav1.Time) *v1alpha1.ExtensionStatus {
	wanted := []metav1.Condition{{Type: extant.ConditionRecoverable, Status: loss.RecoversUnaided, Reason: loss.Reason, Message: loss.Message}}
	return &v1alpha1.ExtensionStatus{
		Blocks:          loss.Blocks,
		RecoversUnaided: loss.RecoversUnaided,
		Conditions:      apply.Transition(wanted, stored.Status.Conditions, stored.Generation, now),
	}
}

// ownStatus is the part of what is stored that this controller wrote.
func ownStatus(stored *v1alpha1.Extension, wanted *v1alpha1.ExtensionStatus) *v1alpha1.ExtensionStatus {
	return &v1alpha1.ExtensionStatus{
		Blocks:          stored.Status.Blocks,
		RecoversUnaided: stored.Status.RecoversUnaided,
		Conditions:      apply.Own(stored.Status.Conditions, wanted.Conditions),
	}
}
