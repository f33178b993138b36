package discovery

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/klog/v2"

	"github.com/extant-project/extant/internal/controller/apply"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	fields "github.com/extant-project/extant/pkg/generated/applyconfiguration/extant/v1alpha1"
)

// planExtensions returns the writes that bring the Extensions in line. Before
// are those that there were when the inventory was taken: one that is missing
// now was deleted by somebody meanwhile, and must not come back. The next pass
// sees what is left of it.
func (c *Controller) planExtensions(found *inventory.Inventory, before []*v1alpha1.Extension) ([]func(context.Context) error, error) {
	var writes []func(context.Context) error
	stood := make(sets.Set[string], len(before))
	for _, extension := range before {
		stood.Insert(extension.Name)
	}
	for i := range found.Extensions {
		wanted, err := served(&found.Extensions[i], &v1alpha1.Extension{})
		if err != nil {
			return nil, err
		}
		stored, err := c.extensions.Get(wanted.Name)
		switch {
		case apierrors.IsNotFound(err) && stood.Has(wanted.Name):
			continue
		case apierrors.IsNotFound(err):
			writes = append(writes, func(ctx context.Context) error { return c.createExtension(ctx, wanted) })
			continue
		case err != nil:
			return nil, err
		case apply.LeftAlone(stored):
			continue
		}
		status := extensionStatus(wanted, stored, metav1.NewTime(c.clock.Now()))
		if !equality.Semantic.DeepEqual(status, ownExtensionStatus(stored, status)) {
			writes = append(writes, func(ctx context.Context) error { return c.applyExtensionStatus(ctx, wanted.Name, status) })
		}
	}
	for _, name := range found.Gone {
		stored, err := c.extensions.Get(name)
		if err != nil || apply.LeftAlone(stored) || !discovered(stored) {
			continue
		}
		writes = append(writes, func(ctx context.Context) error { return c.deleteExtension(ctx, stored) })
	}
	return writes, nil
}

func (c *Controller) createExtension(ctx context.Context, wanted *v1alpha1.Extension) error {
	created, err := c.client.Extensions().Create(ctx, &v1alpha1.Extension{ObjectMeta: metav1.ObjectMeta{
		Name:   wanted.Name,
		Labels: map[string]string{extant.LabelOrigin: extant.OriginDiscovered},
	}}, metav1.CreateOptions{FieldManager: FieldManager})
	if apierrors.IsAlreadyExists(err) {
		return nil // the informer is behind, and brings it soon
	}
	if err != nil {
		return err
	}
	countWrite("extensions", "create")
	klog.FromContext(ctx).Info("Discovered an extension", "extension", klog.KRef("", wanted.Name))
	return c.applyExtensionStatus(ctx, wanted.Name, extensionStatus(wanted, created, metav1.NewTime(c.clock.Now())))
}

func (c *Controller) applyExtensionStatus(ctx context.Context, name string, status *v1alpha1.ExtensionStatus) error {
	configuration, err := apply.ConfigurationOf[fields.ExtensionStatusApplyConfiguration](status)
	if err != nil {
		return err
	}
	_, err = c.client.Extensions().ApplyStatus(ctx, fields.Extension(name).WithStatus(configuration), applyOptions)
	if apierrors.IsNotFound(err) {
		return nil // deleted meanwhile; the informer brings the news
	}
	countWrite("extensions", "status")
	return err
}

// deleteExtension deletes what nobody wrote into since it was looked at.
func (c *Controller) deleteExtension(ctx context.Context, stored *v1alpha1.Extension) error {
	err := c.client.Extensions().Delete(ctx, stored.Name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &stored.UID, ResourceVersion: &stored.ResourceVersion},
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	if err == nil {
		countWrite("extensions", "delete")
		klog.FromContext(ctx).Info("Nothing is left of an extension", "extension", klog.KRef("", stored.Name))
	}
	return err
}

// extensionStatus is the part of the status that discovery writes.
func extensionStatus(wanted, stored *v1alpha1.Extension, now metav1.Time) *v1alpha1.ExtensionStatus {
	return &v1alpha1.ExtensionStatus{
		ObservedGeneration: stored.Generation,
		Points:             wanted.Status.Points,
		Components:         wanted.Status.Components,
		Provides:           wanted.Status.Provides,
		Backends:           wanted.Status.Backends,
		FailureMode:        wanted.Status.FailureMode,
		Conditions:         apply.Transition(wanted.Status.Conditions, stored.Status.Conditions, stored.Generation, now),
	}
}

// ownExtensionStatus is the part of what is stored that discovery wrote.
func ownExtensionStatus(stored *v1alpha1.Extension, wanted *v1alpha1.ExtensionStatus) *v1alpha1.ExtensionStatus {
	return &v1alpha1.ExtensionStatus{
		ObservedGeneration: stored.Status.ObservedGeneration,
		Points:             stored.Status.Points,
		Components:         stored.Status.Components,
		Provides:           stored.Status.Provides,
		Backends:           stored.Status.Backends,
		FailureMode:        stored.Status.FailureMode,
		Conditions:         apply.Own(stored.Status.Conditions, wanted.Conditions),
	}
}
