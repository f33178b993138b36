package discovery

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/extant-project/extant/internal/controller/apply"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	fields "github.com/extant-project/extant/pkg/generated/applyconfiguration/extant/v1alpha1"
)

// planPoints returns the writes that bring the status of the points in line.
func (c *Controller) planPoints(found *inventory.Inventory) ([]func(context.Context) error, error) {
	var writes []func(context.Context) error
	for name, status := range found.Points {
		stored, err := c.points.Get(name)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if apply.LeftAlone(stored) {
			continue
		}
		wanted, err := served(&extant.ExtensionPoint{Status: status}, &v1alpha1.ExtensionPoint{})
		if err != nil {
			return nil, err
		}
		if !equality.Semantic.DeepEqual(wanted.Status, stored.Status) {
			writes = append(writes, func(ctx context.Context) error { return c.applyPointStatus(ctx, name, &wanted.Status) })
		}
	}
	return writes, nil
}

func (c *Controller) applyPointStatus(ctx context.Context, name string, status *v1alpha1.ExtensionPointStatus) error {
	configuration, err := apply.ConfigurationOf[fields.ExtensionPointStatusApplyConfiguration](status)
	if err != nil {
		return err
	}
	_, err = c.client.ExtensionPoints().ApplyStatus(ctx, fields.ExtensionPoint(name).WithStatus(configuration), applyOptions)
	if apierrors.IsNotFound(err) {
		return nil // deleted meanwhile; the informer brings the news
	}
	countWrite("extensionpoints", "status")
	return err
}
