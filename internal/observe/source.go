package observe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/cluster"
)

const (
	// settleWithin is when the source counts as settled at the latest: a
	// resource that never answers must not keep a server from getting ready.
	settleWithin = 30 * time.Second
	// maxNamed bounds the resources that users name for observation.
	maxNamed = 64
)

// Source is the live cluster. It is safe for concurrent use.
type Source struct {
	clients *clients
	clock   clock.WithDelayedExecution
	logger  klog.Logger
	sharer  *cluster.Sharer

	// mu guards everything below; unread are the named resources beyond the
	// bound. It is never held while something is sent,
	// decoded or compared in bulk, so that Snapshot does not wait.
	mu          sync.Mutex
	builder     *cluster.Builder
	discovery   discovered
	watchers    map[schema.GroupResource]*watcher
	named       []schema.GroupResource
	unread      []schema.GroupResource
	settled     bool
	heard       time.Time
	subscribers map[chan struct{}]struct{}

	// namedChanged and rediscover have a value when Observe was called and when
	// the cluster may serve something else than it did.
	namedChanged chan struct{}
	rediscover   chan struct{}
}

var _ cluster.Source = (*Source)(nil)

// New returns a source for the cluster of that config, which it leaves as it
// is. Nothing is read before Run.
func New(config *rest.Config) (*Source, error) {
	clients, err := newClients(config)
	if err != nil {
		return nil, fmt.Errorf("could not set up clients: %w", err)
	}
	s := &Source{
		clients:      clients,
		clock:        clock.RealClock{},
		logger:       klog.Background(),
		sharer:       cluster.NewSharer(),
		builder:      cluster.NewBuilder("live"),
		discovery:    discovered{changed: make(chan struct{})},
		watchers:     map[schema.GroupResource]*watcher{},
		subscribers:  map[chan struct{}]struct{}{},
		namedChanged: make(chan struct{}, 1),
		rediscover:   make(chan struct{}, 1),
	}
	for i := range cluster.Resources {
		row := &cluster.Resources[i]
		s.watchers[row.GroupResource()] = newWatcher(s, row.GroupResource(), row)
	}
	s.builder.SetGaps(discoveryResource, cluster.Gap{Reason: cluster.GapNotSynced, Message: notYetRead})
	s.builder.SetGaps(versionResource, cluster.Gap{Reason: cluster.GapAssumed, Message: cluster.NewestVersion + ", until the API server has said its version"})
	return s, nil
}

// Snapshot returns the newest state.
func (s *Source) Snapshot() *cluster.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.builder.Snapshot()
}

// Subscribe returns a channel that receives when Snapshot has something new.
func (s *Source) Subscribe() (<-chan struct{}, func()) {
	changed := make(chan struct{}, 1)
	changed <- struct{}{}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers[changed] = struct{}{}
	return changed, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subscribers, changed)
	}
}

// Observe sets the resources that users named for observation. What Extant
// reads by itself needs no naming; what nobody may have it read is left out.
func (s *Source) Observe(named []schema.GroupResource) {
	wanted := slices.DeleteFunc(slices.Clone(named), func(resource schema.GroupResource) bool {
		_, table := cluster.Lookup(resource)
		return table || !observable(resource)
	})
	slices.SortFunc(wanted, func(x, y schema.GroupResource) int { return strings.Compare(x.String(), y.String()) })
	wanted = slices.Compact(wanted)
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Equal(s.named, wanted) {
		return
	}
	s.named = wanted
	wake(s.namedChanged)
}

// observable refuses what validation refuses too: this is the last place
// before the objects would be read.
func observable(resource schema.GroupResource) bool {
	switch {
	case resource.Resource == "" || strings.ContainsAny(resource.String(), "*/"):
		return false
	case resource.Group == "" && resource.Resource == "secrets":
		return false
	case resource.Resource == "events" && (resource.Group == "" || resource.Group == "events.k8s.io"):
		return false
	default:
		return true
	}
}

// Settled tells whether each observed resource has been read or is recorded as
// a Gap.
func (s *Source) Settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settled
}

// Heard is when the API server last answered, sent an event or said that there
// is none.
func (s *Source) Heard() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard
}

// settle notices that everything has settled. The caller holds mu.
func (s *Source) settle() {
	if s.settled || !s.discovery.attempted {
		return
	}
	for _, w := range s.watchers {
		if !w.settled {
			return
		}
	}
	s.settled = true
	s.logger.Info("The observed cluster has been read", "gaps", len(s.builder.Snapshot().Gaps()))
	s.notify()
}

// settleAtLast ends the wait for what does not answer.
func (s *Source) settleAtLast(ctx context.Context) {
	timer := s.clock.NewTimer(settleWithin)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return
	case <-timer.C():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settled {
		return
	}
	s.settled = true
	var missing []string
	for resource, w := range s.watchers {
		if !w.settled {
			missing = append(missing, resource.String())
		}
	}
	slices.Sort(missing)
	s.logger.Info("Going on though not all of the observed cluster has been read", "missing", missing)
	s.notify()
}

// notify tells subscribers that there is something new. The caller holds mu.
func (s *Source) notify() {
	for changed := range s.subscribers {
		wake(changed)
	}
}

// pause waits until the time is over, where there is one, or the channel
// closes, and tells whether the context goes on.
func (s *Source) pause(ctx context.Context, wait time.Duration, channel <-chan struct{}) bool {
	var over <-chan time.Time
	if wait > 0 {
		timer := s.clock.NewTimer(wait)
		defer timer.Stop()
		over = timer.C()
	}
	select {
	case <-ctx.Done():
		return false
	case <-over:
	case <-channel:
	}
	return true
}

// wake leaves a value in a channel of capacity one.
func wake(channel chan<- struct{}) {
	select {
	case channel <- struct{}{}:
	default:
	}
}
