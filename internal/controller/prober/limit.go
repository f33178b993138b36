package prober

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

const (
	// parallelCalls bounds the sockets that are open at a time.
	parallelCalls = 64
	// parallelCallsPerHost bounds those to one host.
	parallelCallsPerHost = 2
)

// limiter bounds connections, to one host and altogether. The slot of a host is
// taken first, so that a host which does not answer holds few of the others'.
type limiter struct {
	all *semaphore.Weighted

	mu    sync.Mutex
	hosts map[string]*hostSlots
}

type hostSlots struct {
	slots *semaphore.Weighted
	// users is how many hold or wait for a slot.
	users int
}

func newLimiter() *limiter {
	return &limiter{all: semaphore.NewWeighted(parallelCalls), hosts: map[string]*hostSlots{}}
}

// acquire waits for a connection to a host, and returns what gives it back.
func (l *limiter) acquire(ctx context.Context, host string) (release func(), err error) {
	l.mu.Lock()
	of, ok := l.hosts[host]
	if !ok {
		of = &hostSlots{slots: semaphore.NewWeighted(parallelCallsPerHost)}
		l.hosts[host] = of
	}
	of.users++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if of.users--; of.users == 0 {
			delete(l.hosts, host)
		}
	}
	if err := of.slots.Acquire(ctx, 1); err != nil {
		leave()
		return nil, err
	}
	if err := l.all.Acquire(ctx, 1); err != nil {
		of.slots.Release(1)
		leave()
		return nil, err
	}
	return func() {
		l.all.Release(1)
		of.slots.Release(1)
		leave()
	}, nil
}
