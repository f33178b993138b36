// Package stored serves the kinds that are kept in etcd, one file a kind over
// the generic registry of k8s.io/apiserver: what differs between kinds is a
// value of type kind, everything else is written once here. It stands on
// validation and printers, and knows neither the observed cluster nor how the
// server is run.
package stored

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/printers"
)

// category is the word with which kubectl gets all stored kinds.
const category = "extant"

// object is an API object of a stored kind.
type object interface {
	runtime.Object
	metav1.Object
}

// kind is what differs between the stored kinds.
type kind[T object] struct {
	resource, singular string
	shortNames         []string
	newObject          func() T
	newList            func() runtime.Object
	columns            printers.Columns[T]

	// selectable returns the fields that field selectors may name, besides
	// metadata.name.
	selectable func(T) fields.Set
	// prepare sets what the server decides at creation. Optional.
	prepare func(T)
	// normalise brings what is written into the form that is stored. Optional.
	normalise func(T)
	// sameSpec tells whether an update leaves the generation alone.
	sameSpec       func(updated, old T) bool
	validate       func(T) field.ErrorList
	validateUpdate func(updated, old T) field.ErrorList
	// status is nil for kinds that have none.
	status *statusOf[T]
	// warnings names what is accepted but unwise. Optional.
	warnings func(T) []string
	// admit refuses what depends on who asks or on what else is stored. The
	// object before is the zero T for a creation. Optional.
	admit func(ctx context.Context, store *registry.Store, object, old T) error
}

// statusOf is what differs between kinds that have a status.
type statusOf[T object] struct {
	// copySpec and copyStatus copy that part of an object.
	copySpec, copyStatus func(to, from T)
	validateUpdate       func(updated, old T) field.ErrorList
}

// Config is what decides on writes besides the objects themselves.
type Config struct {
	// Authorizer decides what callers may do.
	Authorizer authorizer.Authorizer
	// CallersAreKnown tells whether a cluster authenticates the callers: then
	// only a node's own agent writes the report of a node.
	CallersAreKnown bool
}

// Storage returns the storage of every stored resource and subresource.
func Storage(getter generic.RESTOptionsGetter, config Config) (map[string]rest.Storage, error) {
	storage := map[string]rest.Storage{}
	for _, add := range []func() error{
		func() error { return addTo(storage, extensions, getter) },
		func() error { return addTo(storage, extensionPoints(config.Authorizer), getter) },
		func() error { return addTo(storage, backends, getter) },
		func() error { return addTo(storage, extensionPolicies, getter) },
		func() error { return addTo(storage, findings, getter) },
		func() error { return addTo(storage, nodePluginReports(config.CallersAreKnown), getter) },
		func() error { return addTo(storage, componentConfigurations, getter) },
	} {
		if err := add(); err != nil {
			return nil, err
		}
	}
	return storage, nil
}

// Resources are the names of the stored resources.
func Resources() []string {
	return []string{
		extensions.resource, extensionPoints(nil).resource, backends.resource, extensionPolicies.resource, findings.resource,
		nodePluginReports(false).resource, componentConfigurations.resource,
	}
}

func addTo[T object](storage map[string]rest.Storage, k kind[T], getter generic.RESTOptionsGetter) error {
	store := &registry.Store{
		NewFunc:                   func() runtime.Object { return k.newObject() },
		NewListFunc:               k.newList,
		PredicateFunc:             k.match,
		DefaultQualifiedResource:  extant.Resource(k.resource),
		SingularQualifiedResource: extant.Resource(k.singular),
		TableConvertor:            k.columns,
	}
	spec := specStrategy[T]{k}
	store.CreateStrategy, store.UpdateStrategy, store.DeleteStrategy, store.ResetFieldsStrategy = spec, spec, spec, spec
	if k.admit != nil {
		store.BeginCreate = func(ctx context.Context, o runtime.Object, _ *metav1.CreateOptions) (registry.FinishFunc, error) {
			var none T
			return func(context.Context, bool) {}, k.admit(ctx, store, o.(T), none)
		}
		store.BeginUpdate = func(ctx context.Context, o, old runtime.Object, _ *metav1.UpdateOptions) (registry.FinishFunc, error) {
			return func(context.Context, bool) {}, k.admit(ctx, store, o.(T), old.(T))
		}
	}
	if err := store.CompleteWithOptions(&generic.StoreOptions{RESTOptions: getter, AttrFunc: k.attributes}); err != nil {
		return fmt.Errorf("could not set up the storage of %s: %w", k.resource, err)
	}

	storage[k.resource] = &REST{Store: store, shortNames: k.shortNames}
	if k.status == nil {
		return nil
	}
	statusStore := *store
	status := statusStrategy[T]{spec}
	statusStore.UpdateStrategy, statusStore.ResetFieldsStrategy = status, status
	statusStore.BeginCreate, statusStore.BeginUpdate = nil, nil

	storage[k.resource+"/status"] = &StatusREST{store: &statusStore}
	return nil
}

// attributes returns the labels and fields that selectors see.
func (k kind[T]) attributes(o runtime.Object) (labels.Set, fields.Set, error) {
	typed, ok := o.(T)
	if !ok {
		return nil, nil, fmt.Errorf("expected an object of %s, got %T", k.resource, o)
	}
	set := k.selectable(typed)
	set["metadata.name"] = typed.GetName()
	return typed.GetLabels(), set, nil
}

// apiVersion is the version whose field paths the reset fields are written in.
var apiVersion = fieldpath.APIVersion(v1alpha1.SchemeGroupVersion.String())

func resetFields(path string) map[fieldpath.APIVersion]*fieldpath.Set {
	return map[fieldpath.APIVersion]*fieldpath.Set{apiVersion: fieldpath.NewSet(fieldpath.MakePathOrDie(path))}
}
