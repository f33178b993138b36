package review

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
)

// snapshotParams are the params of policies that a snapshot has: those of a
// dump, which is taken for the whole cluster.
type snapshotParams struct{ snapshot *cluster.Snapshot }

// Get returns a param, or nil where there is none.
func (p snapshotParams) Get(_ context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	if err := p.visible(resource); err != nil {
		return nil, err
	}
	found, ok := p.snapshot.Params(resource.GroupResource()).Get(namespace, name)
	if !ok {
		return nil, nil
	}
	return found, inVersion(found, resource)
}

// List returns the params in a namespace that a selector selects.
func (p snapshotParams) List(_ context.Context, resource schema.GroupVersionResource, namespace string, selector labels.Selector) ([]*unstructured.Unstructured, error) {
	if err := p.visible(resource); err != nil {
		return nil, err
	}
	var selected []*unstructured.Unstructured
	for found := range p.snapshot.Params(resource.GroupResource()).InNamespace(namespace) {
		if !selector.Matches(labels.Set(found.GetLabels())) {
			continue
		}
		if err := inVersion(found, resource); err != nil {
			return nil, err
		}
		selected = append(selected, found)
	}
	return selected, nil
}

// visible refuses resources of which a snapshot has no whole objects.
func (p snapshotParams) visible(resource schema.GroupVersionResource) error {
	if resource.Group == "" && resource.Resource == "secrets" {
		return errSecrets
	}
	if _, observed := cluster.Lookup(resource.GroupResource()); observed {
		return fmt.Errorf("of %s only a part is kept", resource.GroupResource())
	}
	if gap, ok := p.snapshot.DecidingGap(resource.GroupResource()); ok {
		return fmt.Errorf("%s: %s", gap.Reason, gap.Message)
	}
	return nil
}

var errSecrets = fmt.Errorf("secrets are never read")

// inVersion refuses an object of another version: what a conversion makes of
// it is not known.
func inVersion(object *unstructured.Unstructured, resource schema.GroupVersionResource) error {
	if version := object.GroupVersionKind().Version; version != resource.Version {
		return fmt.Errorf("%s %s is there in version %s only, not in %s", resource.Resource, object.GetName(), version, resource.Version)
	}
	return nil
}
