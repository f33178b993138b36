// Package loop runs a controller's passes: when something changed, no more
// often than anybody needs, and again after a failure, which is logged once. It
// counts them. It knows neither what changed nor what a pass does.
package loop

import (
	"context"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// Loop is how often passes run, and what is said of them.
type Loop struct {
	// Name is the controller in metrics.
	Name  string
	Clock clock.Clock
	// Interval is the least time between two passes: a burst of changes is seen
	// as a few.
	Interval time.Duration
	// Retry is how long a failed pass waits.
	Retry time.Duration
	// Again is after which time a pass is due though nothing is known to have
	// changed; zero: never.
	Again time.Duration
	// Failed and Succeeded are logged when a pass fails for another reason than
	// the one before, and when one succeeds again.
	Failed, Succeeded string
}

// Run runs passes until the context ends: one for each time that the observed
// cluster or the API changed.
func (l *Loop) Run(ctx context.Context, clusterChanged, changed <-chan struct{}, pass func(context.Context) error) {
	logger := klog.FromContext(ctx)
	defer Queue(l.Name, func() int { return len(clusterChanged) + len(changed) })()
	var failed string
	var due <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-clusterChanged:
		case <-changed:
		case <-due:
		}
		due = nil
		if l.Again > 0 {
			due = l.Clock.After(l.Again)
		}
		start := l.Clock.Now()
		err := pass(ctx)
		if ctx.Err() != nil {
			return
		}
		CountPass(l.Name, l.Clock.Since(start), err)
		switch {
		case err != nil:
			if failed != err.Error() { // said once, not at each retry
				logger.Error(err, l.Failed)
			}
			failed, due = err.Error(), l.Clock.After(l.Retry)
		case failed != "":
			logger.Info(l.Succeeded)
			failed = ""
		}
		select {
		case <-ctx.Done():
			return
		case <-l.Clock.After(l.Interval):
		}
	}
}
