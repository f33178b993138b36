package observe

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"

	"github.com/extant-project/extant/internal/cluster"
)

// Run observes the cluster until the context ends, and returns when nothing of
// it runs any more. It is called once.
func (s *Source) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	s.mu.Lock()
	s.logger = klog.FromContext(ctx)
	for _, w := range s.watchers {
		running.Go(func() { w.run(ctx) })
	}
	s.mu.Unlock()
	running.Go(func() { s.settleAtLast(ctx) })
	running.Go(func() { s.discover(ctx) })

	named := namedWatchers{source: s, running: map[schema.GroupResource]namedWatcher{}}
	defer named.wait()
	for {
		s.mu.Lock()
		wanted := s.named
		s.mu.Unlock()
		named.reconcile(ctx, wanted)
		select {
		case <-ctx.Done():
			return
		case <-s.namedChanged:
		}
	}
}

// namedWatchers are the watchers of resources that users named. One goroutine
// owns them.
type namedWatchers struct {
	source  *Source
	running map[schema.GroupResource]namedWatcher
}

type namedWatcher struct {
	stop context.CancelFunc
	done chan struct{}
}

// reconcile starts and stops watchers so that these resources are observed.
func (n *namedWatchers) reconcile(ctx context.Context, wanted []schema.GroupResource) {
	beyond := wanted[min(len(wanted), maxNamed):]
	wanted = wanted[:len(wanted)-len(beyond)]
	for resource, w := range n.running {
		if !slices.Contains(wanted, resource) {
			w.stop()
			<-w.done
			delete(n.running, resource)
			n.source.forget(resource)
		}
	}
	n.source.leaveUnread(beyond)
	for _, resource := range wanted {
		if _, ok := n.running[resource]; !ok {
			n.running[resource] = n.source.start(ctx, resource)
		}
	}
}

// wait returns when every watcher has ended with the context.
func (n *namedWatchers) wait() {
	for _, w := range n.running {
		w.stop()
		<-w.done
	}
}

// start observes a named resource until it is stopped.
func (s *Source) start(ctx context.Context, resource schema.GroupResource) namedWatcher {
	s.mu.Lock()
	w := newWatcher(s, resource, nil)
	s.watchers[resource] = w
	s.notify()
	s.mu.Unlock()
	ctx, stop := context.WithCancel(ctx)
	running := namedWatcher{stop: stop, done: make(chan struct{})}
	go func() {
		defer close(running.done)
		w.run(ctx)
	}()
	return running
}

// forget removes a named resource whose watcher has ended.
func (s *Source) forget(resource schema.GroupResource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watchers, resource)
	s.builder.Forget(resource)
	s.builder.SetGaps(resource.String())
	s.notify()
}

// leaveUnread records the named resources that are too many to be read.
func (s *Source) leaveUnread(resources []schema.GroupResource) {
	gap := cluster.Gap{Reason: cluster.GapNotSynced, Message: fmt.Sprintf("of the resources that are named for observation, the first %d are read", maxNamed)}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, resource := range s.unread {
		s.builder.SetGaps(resource.String())
	}
	s.unread = resources
	for _, resource := range resources {
		s.builder.SetGaps(resource.String(), gap)
	}
	s.notify()
}
