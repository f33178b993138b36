package observe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/extant-project/extant/internal/cluster"
)

const (
	// pageSize bounds what a list holds in memory at once, where the API
	// server does not stream lists.
	pageSize = 250
	// pageTimeout is how long a page may take.
	pageTimeout = time.Minute
)

// reflection is one client-go reflector at work: one resource in one version,
// until the context ends or the resource is refused.
type reflection struct {
	*watcher
	row    cluster.Resource
	access access
	// end ends the reflection for a reason.
	end context.CancelCauseFunc
}

// reflect keeps the resource up to date in that version and returns why it
// ended.
func (w *watcher) reflect(ctx context.Context, row cluster.Resource) error {
	access, err := w.source.clients.access(row)
	if err != nil {
		return refusal{cluster.Gap{Reason: cluster.GapNotServed, Message: err.Error()}}
	}
	ctx, end := context.WithCancelCause(ctx)
	r := &reflection{watcher: w, row: row, access: access, end: end}
	var running sync.WaitGroup
	defer running.Wait()
	defer end(nil)
	running.Go(func() { r.endForOtherVersion(ctx) })

	// The reflector's own lines are ticks; what changes is logged by published.
	logger := klog.FromContext(ctx)
	quiet := logger.V(3)
	reflector := cache.NewReflectorWithOptions(r.listerWatcher(ctx), nil, r, cache.ReflectorOptions{
		Logger: &quiet, Name: "extant-observer", TypeDescription: w.resource.String(), Backoff: retries(),
	})
	reflector.WatchListPageSize = pageSize
	backoff := retries()
	for {
		started := w.source.clock.Now()
		// Errors of the requests have been heard of; what remains are lists
		// that cannot be understood.
		if err := reflector.ListAndWatchWithContext(klog.NewContext(ctx, quiet)); err != nil && ctx.Err() == nil && !isExpired(err) {
			w.unheard(err)
		}
		if w.source.clock.Since(started) > lostAfter {
			backoff = retries()
		}
		if !w.source.pause(ctx, backoff.Step(), nil) {
			return context.Cause(ctx)
		}
	}
}

// endForOtherVersion ends the reflection when the cluster serves a version that
// is read rather than this one. A resource that discovery lacks ends with its
// watch instead: discovery is incomplete while an API server starts.
func (r *reflection) endForOtherVersion(ctx context.Context) {
	for {
		row, changed, gap := r.choose()
		if gap.Reason == "" && row.Version != r.row.Version {
			r.end(errOtherVersion)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// withoutWatchList makes a reflector list first. A server that accepts a
// streaming list and never ends it makes a reflector wait for ever; what users
// name may be served by anything.
type withoutWatchList struct{ *cache.ListWatch }

func (withoutWatchList) IsWatchListSemanticsUnSupported() bool { return true }

// listerWatcher reads the resource. The context is the reflection's own.
func (r *reflection) listerWatcher(reflection context.Context) cache.ListerWatcher {
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return r.list(ctx, reflection, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			stream, err := r.access.watch(ctx, options)
			r.answered(reflection, err)
			if err != nil && options.SendInitialEvents == nil && apierrors.IsForbidden(err) && reflection.Err() == nil {
				// Not believed yet. The reflector would list again; told to
				// wait, it goes on from where it is.
				return nil, apierrors.NewTooManyRequestsError(err.Error())
			}
			if err != nil && options.SendInitialEvents != nil && (utilnet.IsConnectionRefused(err) || apierrors.IsTooManyRequests(err)) {
				// The reflector would wait without looking at the context.
				return nil, errors.New(err.Error())
			}
			return stream, err
		},
	}
	if r.watcher.row == nil {
		return withoutWatchList{lw}
	}
	return lw
}

// list reads a page and keeps of it what engines read, before the next page is
// asked for. A list "at any version" is one page of everything, however large,
// so that the newest is asked for instead.
func (r *reflection) list(ctx, reflection context.Context, options metav1.ListOptions) (runtime.Object, error) {
	if options.ResourceVersion == "0" {
		options.ResourceVersion = ""
	}
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	page, err := r.access.list(ctx, options)
	r.answered(reflection, err)
	if err != nil {
		return nil, err
	}
	listMeta, err := meta.ListAccessor(page)
	if err != nil {
		return nil, fmt.Errorf("the answer is no list: %w", err)
	}
	kept := &metainternalversion.List{ListMeta: metav1.ListMeta{
		ResourceVersion: listMeta.GetResourceVersion(), Continue: listMeta.GetContinue(), RemainingItemCount: listMeta.GetRemainingItemCount(),
	}}
	err = meta.EachListItemWithAlloc(page, func(object runtime.Object) error {
		kept.Items = append(kept.Items, r.keep(object))
		return nil
	})
	return kept, err
}

// answered classifies how a request ended.
func (r *reflection) answered(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err == nil:
		r.heard()
	case apierrors.IsForbidden(err):
		if !r.refused() {
			return
		}
		r.end(refusal{cluster.Gap{Reason: cluster.GapForbidden, Message: messageOf(err)}})
	case apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err):
		r.end(refusal{cluster.Gap{Reason: cluster.GapNotServed, Message: messageOf(err)}})
	case isExpired(err):
	default:
		r.unheard(err)
	}
}

// isExpired tells whether the resource version of the request is too old, which
// a list without one cures.
func isExpired(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) }
