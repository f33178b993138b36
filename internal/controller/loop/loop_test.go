package loop_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/controller/loop"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// passes runs a loop in a bubble in which time passes at once, until the test
// ends it, and notes when passes run.
type passes struct {
	start            time.Time
	logged           []string
	cluster, changed chan struct{}
	// mu guards what follows: time that passes orders nothing.
	mu sync.Mutex
	at []time.Duration
	// fails is the error of the next passes.
	fails error
	stop  func()
}

func run(t *testing.T, l loop.Loop) *passes {
	p := &passes{start: time.Now(), cluster: make(chan struct{}, 1), changed: make(chan struct{}, 1)}
	l.Clock, l.Failed, l.Succeeded = clock.RealClock{}, "it failed", "it works again"
	logger := funcr.New(func(_, line string) { p.logged = append(p.logged, line) }, funcr.Options{})
	ctx, cancel := context.WithCancel(klog.NewContext(t.Context(), logger))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.Run(ctx, p.cluster, p.changed, func(context.Context) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.at = append(p.at, time.Since(p.start))
			return p.fails
		})
	}()
	p.stop = func() { cancel(); <-ended }
	synctest.Wait()
	return p
}

// after lets time pass.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// fail makes the next passes fail, or succeed again.
func (p *passes) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fails = err
}

func (p *passes) want(t *testing.T, at ...time.Duration) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.at, at) {
		t.Errorf("passes ran at %v, and should at %v", p.at, at)
	}
}

func TestNothingRunsUntilSomethingChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := run(t, loop.Loop{Interval: time.Second, Retry: 5 * time.Second})
		defer p.stop()
		after(time.Hour)
		p.want(t)
		p.cluster <- struct{}{}
		after(time.Hour)
		p.changed <- struct{}{}
		after(time.Hour)
		p.want(t, time.Hour, 2*time.Hour)
	})
}

func TestChangesDuringTheIntervalAreOnePass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := run(t, loop.Loop{Interval: time.Second, Retry: 5 * time.Second})
		defer p.stop()
		for range 8 {
			select {
			case p.changed <- struct{}{}:
			default:
			}
			after(100 * time.Millisecond)
		}
		after(time.Hour)
		p.want(t, 0, time.Second)
	})
}

func TestAFailedPassIsRunAgainUntilItSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := run(t, loop.Loop{Interval: time.Second, Retry: 5 * time.Second})
		defer p.stop()
		p.fail(errors.New("refused"))
		p.changed <- struct{}{}
		after(11 * time.Second)
		p.want(t, 0, 5*time.Second, 10*time.Second)
		p.fail(nil)
		after(time.Hour)
		p.want(t, 0, 5*time.Second, 10*time.Second, 15*time.Second)
	})
}

func TestAChangeIsSeenBeforeAFailedPassIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := run(t, loop.Loop{Interval: time.Second, Retry: time.Minute})
		defer p.stop()
		p.fail(errors.New("refused"))
		p.changed <- struct{}{}
		after(2 * time.Second)
		p.fail(nil)
		p.changed <- struct{}{}
		after(time.Hour)
		p.want(t, 0, 2*time.Second)
	})
}

func TestAFailureIsLoggedOnceAndSoIsItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := run(t, loop.Loop{Interval: time.Second, Retry: 5 * time.Second})
		defer p.stop()
		for _, fails := range []error{errors.New("refused"), errors.New("away"), nil} {
			p.fail(fails)
			p.changed <- struct{}{}
			after(12 * time.Second)
		}
		p.changed <- struct{}{}
		after(time.Hour)
		if len(p.logged) != 3 || !strings.Contains(p.logged[0], "refused") || !strings.Contains(p.logged[1], "away") || !strings.Contains(p.logged[2], "it works again") {
			t.Errorf("got %q", p.logged)
		}
	})
}

func TestAPassIsDueAgainThoughNothingChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := run(t, loop.Loop{Interval: time.Second, Retry: 5 * time.Second, Again: time.Minute})
		defer p.stop()
		p.changed <- struct{}{}
		after(150 * time.Second)
		p.want(t, 0, time.Minute, 2*time.Minute)
	})
}

// TestASecondTermIsTold watches an informer for two terms, one after the other:
// a change is told in whichever term runs, and one between them in the second.
func TestASecondTermIsTold(t *testing.T) {
	informer := cache.NewSharedIndexInformer(&cache.ListWatch{}, &v1alpha1.Extension{}, 0, nil)
	changes, err := loop.Watch(informer)
	if err != nil {
		t.Fatal(err)
	}
	if len(changes.Synced) != 1 {
		t.Fatalf("it waits for %d informers", len(changes.Synced))
	}
	for term := range 2 {
		changes.Notify()
		changes.Notify() // does not wait until somebody listens
		ctx, cancel := context.WithCancel(t.Context())
		l := loop.Loop{Clock: clock.RealClock{}, Interval: time.Millisecond, Retry: time.Millisecond}
		ran := 0
		l.Run(ctx, nil, changes.C, func(context.Context) error { ran++; cancel(); return nil })
		if ran != 1 {
			t.Errorf("term %d ran %d passes", term, ran)
		}
		cancel()
	}
}
