package apiserver

import (
	"context"
	"errors"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	grpccodes "google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/storage/storagebackend/factory"
	"k8s.io/client-go/tools/cache"
)

// etcdDeadline is how long a request waits for etcd. An election takes two
// seconds; whoever waits for longer waits for a human.
const etcdDeadline = 8 * time.Second

// deadlineGetter makes every storage answer in a bounded time when etcd does
// not: the library waits for as long as the request may, and then answers 500
// or 504 with whatever the transport said.
type deadlineGetter struct {
	generic.RESTOptionsGetter
	// space refuses writes for want of space; nil: etcd is elsewhere.
	space *diskSpace
}

// GetRESTOptions wraps the storage of the resource.
func (g deadlineGetter) GetRESTOptions(resource schema.GroupResource, example runtime.Object) (generic.RESTOptions, error) {
	options, err := g.RESTOptionsGetter.GetRESTOptions(resource, example)
	if err != nil {
		return options, err
	}
	decorate := options.Decorator
	options.Decorator = func(config *storagebackend.ConfigForResource, prefix string,
		keyFunc func(runtime.Object) (string, error), newFunc, newListFunc func() runtime.Object,
		attributes storage.AttrFunc, triggers storage.IndexerFuncs, indexers *cache.Indexers,
	) (storage.Interface, factory.DestroyFunc, error) {
		inner, destroy, err := decorate(config, prefix, keyFunc, newFunc, newListFunc, attributes, triggers, indexers)
		if err != nil {
			return inner, destroy, err
		}
		return deadlineStorage{inner, g.space}, destroy, nil
	}
	return options, nil
}

// deadlineStorage bounds what waits for etcd. A watch is served from memory
// and passes through.
type deadlineStorage struct {
	storage.Interface
	space *diskSpace
}

func (s deadlineStorage) Create(ctx context.Context, key string, object, out runtime.Object, ttl uint64) error {
	if err := s.space.check(ctx); err != nil {
		return err
	}
	return bounded(ctx, func(ctx context.Context) error {
		return s.Interface.Create(ctx, key, object, out, ttl)
	})
}

func (s deadlineStorage) Delete(ctx context.Context, key string, out runtime.Object, preconditions *storage.Preconditions,
	validate storage.ValidateObjectFunc, cached runtime.Object, options storage.DeleteOptions) error {
	return bounded(ctx, func(ctx context.Context) error {
		return s.Interface.Delete(ctx, key, out, preconditions, validate, cached, options)
	})
}

func (s deadlineStorage) Get(ctx context.Context, key string, options storage.GetOptions, object runtime.Object) error {
	return bounded(ctx, func(ctx context.Context) error {
		return s.Interface.Get(ctx, key, options, object)
	})
}

func (s deadlineStorage) GetList(ctx context.Context, key string, options storage.ListOptions, list runtime.Object) error {
	return bounded(ctx, func(ctx context.Context) error {
		return s.Interface.GetList(ctx, key, options, list)
	})
}

func (s deadlineStorage) GuaranteedUpdate(ctx context.Context, key string, destination runtime.Object, ignoreNotFound bool,
	preconditions *storage.Preconditions, update storage.UpdateFunc, cached runtime.Object) error {
	if err := s.space.check(ctx); err != nil {
		return err
	}
	return bounded(ctx, func(ctx context.Context) error {
		return s.Interface.GuaranteedUpdate(ctx, key, destination, ignoreNotFound, preconditions, update, cached)
	})
}

// bounded runs a call of etcd under the deadline and says clearly when etcd is
// the one that did not answer.
func bounded(ctx context.Context, call func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, etcdDeadline)
	defer cancel()
	err := call(limited)
	if err == nil || ctx.Err() != nil {
		return err
	}
	switch {
	case limited.Err() != nil || isUnavailable(err):
		return etcdAway()
	case errors.Is(err, rpctypes.ErrNoSpace):
		return etcdFull()
	case errors.Is(err, rpctypes.ErrRequestTooLarge) || grpcstatus.Code(err) == grpccodes.ResourceExhausted:
		return tooLarge()
	}
	return err
}

func isUnavailable(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	switch grpcstatus.Code(err) {
	case grpccodes.Unavailable, grpccodes.DeadlineExceeded:
		return true
	}
	return false
}

// etcdAway has no Retry-After: client-go would try again ten times, waiting for
// the deadline each time, before it shows the message to anybody.
func etcdAway() error {
	return apierrors.NewServiceUnavailable("Extant's etcd does not answer; whether a write was carried out is not known. Reads with resourceVersion=0, watches and reviews go on. Check the etcd of Extant, then try again")
}

// etcdFull says who is at work, so that nobody disarms an alarm that comes back.
func etcdFull() error {
	return apierrors.NewServiceUnavailable("Extant's etcd has used up its quota and refuses writes; reads and deletions go on. Extant compacts and defragments it within about a minute, if that is enough: see docs/etcd.md")
}

// tooLarge is what etcd answers to more than --max-request-bytes, or the client
// by itself to more than it would ever send.
func tooLarge() error {
	return apierrors.NewRequestEntityTooLargeError("etcd takes objects of up to about 1.5 MiB, as they are stored")
}
