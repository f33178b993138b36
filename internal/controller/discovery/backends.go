package discovery

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/controller/apply"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	fields "github.com/extant-project/extant/pkg/generated/applyconfiguration/extant/v1alpha1"
)

// planBackends returns the writes that bring the Backends in line. A Backend
// that nothing calls any more is deleted.
func (c *Controller) planBackends(snapshot *cluster.Snapshot, found *inventory.Inventory) ([]func(context.Context) error, error) {
	var writes []func(context.Context) error
	names := sets.New[string]()
	for i := range found.Backends {
		wanted, err := served(&found.Backends[i], &v1alpha1.Backend{})
		if err != nil {
			return nil, err
		}
		names.Insert(wanted.Name)
		stored, err := c.backends.Get(wanted.Name)
		switch {
		case apierrors.IsNotFound(err):
			stored = &v1alpha1.Backend{}
		case err != nil:
			return nil, err
		case apply.LeftAlone(stored):
			continue
		}
		status := &v1alpha1.BackendStatus{Endpoints: wanted.Status.Endpoints, Workloads: wanted.Status.Workloads}
		own := &v1alpha1.BackendStatus{Endpoints: stored.Status.Endpoints, Workloads: stored.Status.Workloads}
		sameSpec := stored.Name != "" && equality.Semantic.DeepEqual(wanted.Spec, stored.Spec)
		sameStatus := equality.Semantic.DeepEqual(status, own)
		if applied(stored, FieldManager, available) {
			// Written by an Extant that did not probe. Given up once the prober has
			// its own: until then nobody's would be empty.
			sameStatus = !applied(stored, prober, available)
		}
		if !sameSpec || !sameStatus {
			writes = append(writes, func(ctx context.Context) error { return c.writeBackend(ctx, wanted, status, sameSpec, sameStatus) })
		}
	}
	all, err := c.backends.List(labels.SelectorFromSet(labels.Set{extant.LabelOrigin: extant.OriginDiscovered}))
	if err != nil {
		return nil, err
	}
	for _, stored := range all {
		if names.Has(stored.Name) || apply.LeftAlone(stored) || hidden(snapshot, stored.Spec.Callers) {
			continue
		}
		writes = append(writes, func(ctx context.Context) error { return c.deleteBackend(ctx, stored) })
	}
	return writes, nil
}

func (c *Controller) writeBackend(ctx context.Context, wanted *v1alpha1.Backend, status *v1alpha1.BackendStatus, sameSpec, sameStatus bool) error {
	if !sameSpec {
		spec, err := apply.ConfigurationOf[fields.BackendSpecApplyConfiguration](wanted.Spec)
		if err != nil {
			return err
		}
		configuration := fields.Backend(wanted.Name).
			WithLabels(map[string]string{extant.LabelOrigin: extant.OriginDiscovered}).WithSpec(spec)
		if _, err := c.client.Backends().Apply(ctx, configuration, applyOptions); err != nil {
			return err
		}
		countWrite("backends", "apply")
	}
	if sameStatus {
		return nil
	}
	configuration, err := apply.ConfigurationOf[fields.BackendStatusApplyConfiguration](status)
	if err != nil {
		return err
	}
	_, err = c.client.Backends().ApplyStatus(ctx, fields.Backend(wanted.Name).WithStatus(configuration), applyOptions)
	if apierrors.IsNotFound(err) {
		return nil // deleted meanwhile; the informer brings the news
	}
	countWrite("backends", "status")
	return err
}

func (c *Controller) deleteBackend(ctx context.Context, stored *v1alpha1.Backend) error {
	err := c.client.Backends().Delete(ctx, stored.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &stored.UID}})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	countWrite("backends", "delete")
	return err
}

// hidden tells whether a caller may still be there, where Extant may not look.
func hidden(snapshot *cluster.Snapshot, callers []v1alpha1.Caller) bool {
	for _, gap := range snapshot.Gaps() {
		resource, _, _ := strings.Cut(gap.Resource, ".")
		if gap.Reason.Decides() && slices.ContainsFunc(callers, func(c v1alpha1.Caller) bool { return c.Resource == resource }) {
			return true
		}
	}
	return false
}

// prober is the field manager of the prober, which writes all of a Backend's
// status but endpoints and workloads.
const prober = "extant-prober"

// available is how managed fields name status.available.
const available = `"f:available"`

// applied tells whether a manager applied a field of the status.
func applied(object metav1.Object, manager, field string) bool {
	return slices.ContainsFunc(object.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == manager && entry.Subresource == "status" && entry.FieldsV1 != nil && strings.Contains(entry.FieldsV1.GetRawString(), field)
	})
}
