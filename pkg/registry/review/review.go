// Package review serves the kinds that are answered and not kept, one file a
// kind over one generic REST: what is sent is brought into one form, validated,
// answered by an engine from a snapshot of the observed cluster, and forgotten.
// It decides who may ask on whose behalf, and what is shown to whom. The server
// and the offline plugin serve the same storages. It stands on validation,
// printers and the engines, keeps nothing, and logs nothing of what it is asked.
package review

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
)

// Config is what reviews are answered from.
type Config struct {
	// Source hands out snapshots of the observed cluster.
	Source cluster.Source
	// Inventory returns the inventory of a snapshot.
	Inventory func(*cluster.Snapshot) (*inventory.Inventory, error)
	// Cluster answers what snapshots do not show. Nil: nobody does, and the RBAC
	// objects and the params that a snapshot has decide.
	Cluster Cluster
	// Now is the time that answers carry.
	Now func() time.Time

	// Authorizer says which callers may name which users, and read which params.
	// Nil: everybody may, as it is for somebody who has the files of a dump.
	Authorizer authorizer.UnconditionalAuthorizer
	// CallersAreKnown tells whether callers are users of the observed cluster:
	// not so for the one that a standalone server makes up.
	CallersAreKnown bool
}

// Cluster is the observed cluster where it can be asked. An error means that
// it cannot be told.
type Cluster interface {
	Authorize(ctx context.Context, a authorizer.Attributes) (authorizer.Decision, string, error)
	Get(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error)
	List(ctx context.Context, resource schema.GroupVersionResource, namespace string, selector labels.Selector) ([]*unstructured.Unstructured, error)
}

// maxRunning bounds the reviews that are answered at a time.
const maxRunning = 64

// Storage returns the storage of every review kind.
func Storage(config Config) map[string]rest.Storage {
	running := make(chan struct{}, maxRunning)
	authorizers := rbac.NewAuthorizers(rbac.Options{})
	requests := &requestReviews{Config: config, engine: requestpath.NewEngine(), authorizers: authorizers}
	outages := &outageReviews{Config: config, engine: outage.NewEngine(requests.engine, authorizers)}
	return map[string]rest.Storage{
		"outagereviews":  newREST(outages.kind(), running),
		"requestreviews": newREST(requests.kind(), running),
	}
}
