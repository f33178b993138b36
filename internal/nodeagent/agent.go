package nodeagent

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/nodeagent/inspect"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

const (
	// settled is how long nothing must have changed before a look, and
	// impatience how long a look waits for that at most.
	settled    = 2 * time.Second
	impatience = 30 * time.Second
	// firstRetry is how long after a write that failed there is the next, and
	// lastRetry how long it is at last.
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
	// spread is the share by which times are lengthened at random, so that the
	// agents of a cluster don't act at once.
	spread = 0.1
)

// Agent keeps the report of one node.
type Agent struct {
	// NodeName is the name of the node, and of the report.
	NodeName string
	// Look finds the node's plugins.
	Look func(context.Context) (inspect.Found, error)
	// Apply writes the report.
	Apply func(context.Context, *v1alpha1.NodePluginReport) error
	// LookEvery is how long after a look there is the next, if nothing changes.
	LookEvery time.Duration
	// WriteEvery is how long after a write there is the next, if nothing changes.
	WriteEvery time.Duration
	Clock      clock.Clock

	watcher *fsnotify.Watcher
	found   inspect.Found
	// looked is when, written is what the API has.
	looked  time.Time
	written *[]v1alpha1.NodePlugin
	// failing is while the API does not take what is written.
	failing bool
	backoff wait.Backoff
	// lookAt and writeAt are when to do so next; changing is since when a look is
	// put off.
	lookAt, writeAt, changing time.Time
}

// Run looks and writes until the context ends.
func (a *Agent) Run(ctx context.Context) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("could not ask the kernel for changes of files: %w", err)
	}
	defer watcher.Close()
	a.watcher = watcher
	timer := a.Clock.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.Events:
			a.changed()
		case err := <-watcher.Errors:
			klog.FromContext(ctx).Error(err, "Changes of files may have been missed")
			a.changed()
		case <-timer.C():
		}
		if err := a.step(ctx); err != nil {
			return nil
		}
		next := a.lookAt
		if a.writeAt.Before(next) {
			next = a.writeAt
		}
		timer.Stop()
		timer.Reset(max(next.Sub(a.Clock.Now()), 0))
	}
}

// step does what is due. Its error is that of the context.
func (a *Agent) step(ctx context.Context) error {
	if !a.Clock.Now().Before(a.lookAt) {
		if err := a.look(ctx); err != nil {
			return err
		}
	}
	if !a.Clock.Now().Before(a.writeAt) {
		a.write(ctx)
	}
	return ctx.Err()
}

// changed puts the next look to when changes have settled.
func (a *Agent) changed() {
	now := a.Clock.Now()
	if a.changing.IsZero() {
		a.changing = now
	}
	at := now.Add(settled)
	if latest := a.changing.Add(impatience); at.After(latest) {
		at = latest
	}
	if a.lookAt.After(now) {
		a.lookAt = at
	}
}

func (a *Agent) look(ctx context.Context) error {
	a.changing = time.Time{}
	found, err := a.Look(ctx)
	if err != nil {
		return err
	}
	logChanges(ctx, a.found.Problems, found.Problems)
	a.found, a.looked = found, a.Clock.Now()
	a.lookAt = a.looked.Add(wait.Jitter(a.LookEvery, spread))
	if a.watch(ctx) {
		// What happened in a directory before it was watched was not told.
		a.changed()
	}
	// While the API does not answer, a change is no reason to ask sooner.
	if !a.failing && (a.written == nil || !slices.Equal(*a.written, a.found.Plugins)) {
		a.writeAt = a.looked
	}
	return nil
}

// watch watches what the last look asked for and nothing else, and tells
// whether that is more than before.
func (a *Agent) watch(ctx context.Context) (more bool) {
	watched := a.watcher.WatchList()
	for _, dir := range watched {
		if !slices.Contains(a.found.Watch, dir) {
			_ = a.watcher.Remove(dir)
		}
	}
	for _, dir := range a.found.Watch {
		if slices.Contains(watched, dir) {
			continue
		}
		if err := a.watcher.Add(dir); err != nil {
			klog.FromContext(ctx).Info("Changes of a directory are not told and are seen later", "directory", dir, "reason", err.Error())
			continue
		}
		more = true
	}
	return more
}

// write writes what was found last.
func (a *Agent) write(ctx context.Context) {
	logger := klog.FromContext(ctx)
	now := metav1.NewTime(a.looked)
	report := &v1alpha1.NodePluginReport{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "NodePluginReport"},
		ObjectMeta: metav1.ObjectMeta{Name: a.NodeName},
		Spec:       v1alpha1.NodePluginReportSpec{NodeName: a.NodeName, Plugins: a.found.Plugins, ReportTime: &now},
	}
	err := a.Apply(ctx, report)
	if err != nil {
		if !a.failing {
			a.failing = true
			a.backoff = wait.Backoff{Duration: firstRetry, Cap: lastRetry, Factor: 2, Steps: math.MaxInt32, Jitter: 1}
			logger.Error(err, "Could not report, and go on trying", "node", klog.KRef("", a.NodeName))
		}
		a.writeAt = a.Clock.Now().Add(a.backoff.Step())
		return
	}
	if a.failing || a.written == nil {
		logger.Info("The report is written", "node", klog.KRef("", a.NodeName), "plugins", len(a.found.Plugins))
	}
	a.failing, a.written = false, &report.Spec.Plugins
	a.writeAt = a.Clock.Now().Add(wait.Jitter(a.WriteEvery, spread))
}

// logChanges tells of problems once, and again when they are gone.
func logChanges(ctx context.Context, before, after []string) {
	logger := klog.FromContext(ctx)
	for _, problem := range after {
		if !slices.Contains(before, problem) {
			logger.Info("Could not see all of the node", "problem", problem)
		}
	}
	for _, problem := range before {
		if !slices.Contains(after, problem) {
			logger.Info("A problem is gone", "problem", problem)
		}
	}
}
