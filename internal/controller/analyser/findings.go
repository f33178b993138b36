package analyser

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/extant-project/extant/internal/controller/apply"
	"github.com/extant-project/extant/internal/finding"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// planFindings returns the writes that bring the findings in line, and the
// findings that will stand: those that were found, and those that stay because
// nobody can tell that they are gone.
func (c *Controller) planFindings(result *finding.Result, stored []*v1alpha1.Finding, now metav1.Time) ([]func(context.Context) error, []extant.FindingSpec) {
	var writes []func(context.Context) error
	var standing []extant.FindingSpec
	before := make(map[string]*v1alpha1.Finding, len(stored))
	for _, one := range stored {
		before[one.Name] = one
	}
	for i := range result.Findings {
		found := &result.Findings[i]
		standing = append(standing, found.Spec)
		wanted := &v1alpha1.Finding{}
		if err := install.Scheme.Convert(found, wanted, nil); err != nil {
			writes = append(writes, func(context.Context) error { return err })
			continue
		}
		known, ok := before[found.Name]
		delete(before, found.Name)
		switch {
		case !ok:
			wanted.Spec.FirstSeen = now
			writes = append(writes, func(ctx context.Context) error { return c.create(ctx, wanted) })
			continue
		case apply.LeftAlone(known):
			continue
		}
		wanted.Spec.FirstSeen = known.Spec.FirstSeen
		if !equality.Semantic.DeepEqual(wanted.Spec, known.Spec) {
			writes = append(writes, func(ctx context.Context) error { return c.update(ctx, known, wanted.Spec) })
		}
	}
	for name, gone := range before {
		hub := &extant.Finding{}
		err := install.Scheme.Convert(gone, hub, nil)
		switch {
		case err != nil:
			writes = append(writes, func(context.Context) error { return err })
		case result.Keeps(&hub.Spec, name):
			standing = append(standing, hub.Spec)
		case !apply.LeftAlone(gone):
			writes = append(writes, func(ctx context.Context) error { return c.delete(ctx, gone) })
		}
	}
	return writes, standing
}

func (c *Controller) create(ctx context.Context, wanted *v1alpha1.Finding) error {
	_, err := c.Client.Findings().Create(ctx, wanted, metav1.CreateOptions{FieldManager: FieldManager})
	if apierrors.IsAlreadyExists(err) {
		return nil // the informer is behind, and brings it soon
	}
	if err != nil {
		return err
	}
	countWrite("create")
	klog.FromContext(ctx).Info("Found a breach", "finding", klog.KRef("", wanted.Name), "severity", wanted.Spec.Severity, "extension", wanted.Spec.Extension)
	return nil
}

func (c *Controller) update(ctx context.Context, known *v1alpha1.Finding, spec v1alpha1.FindingSpec) error {
	changed := known.DeepCopy()
	changed.Spec = spec
	_, err := c.Client.Findings().Update(ctx, changed, metav1.UpdateOptions{FieldManager: FieldManager})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // changed or deleted meanwhile; the informer brings the news
	}
	if err == nil {
		countWrite("update")
	}
	return err
}

func (c *Controller) delete(ctx context.Context, gone *v1alpha1.Finding) error {
	err := c.Client.Findings().Delete(ctx, gone.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &gone.UID}})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil {
		countWrite("delete")
		klog.FromContext(ctx).Info("A breach is mended", "finding", klog.KRef("", gone.Name))
	}
	return err
}
