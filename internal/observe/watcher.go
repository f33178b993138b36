package observe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/cluster"
)

const (
	notYetRead = "not read yet"
	// lostAfter is how long what was read is taken for the state of the
	// cluster when the API server does not answer any more.
	lostAfter = time.Minute
	lost      = "the API server has not answered for more than a minute: what was read may be out of date"
	// doubtFor is how long a refusal of what was read before is not believed: an
	// API server that starts refuses everything until it has read its RBAC.
	doubtFor = 5 * time.Second
	// maxMalformed bounds the gaps that name single objects.
	maxMalformed = 10
)

// retries is how a refused or failed resource is tried again: soon at first,
// and always often enough that a cure is noticed within about ten seconds.
func retries() *wait.Backoff {
	return &wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 10, Cap: 8 * time.Second}
}

// objectKey names an object within its resource.
type objectKey struct{ namespace, name string }

func (k objectKey) String() string {
	if k.namespace == "" {
		return k.name
	}
	return k.namespace + "/" + k.name
}

// watcher keeps one resource up to date, whatever becomes of it: read, refused
// or away.
type watcher struct {
	source   *Source
	resource schema.GroupResource
	// row is nil for resources that users named: discovery has theirs.
	row *cluster.Resource

	// Everything below is guarded by source.mu.

	// synced is true while the objects held are those of the cluster.
	synced bool
	// settled is true once the resource was read or refused.
	settled bool
	// gap is why the resource is not readable; without a reason, it is.
	gap cluster.Gap
	// malformed has the objects that could not be understood, and why.
	malformed map[objectKey]string
	// doubted is when a refusal was heard that is not believed yet.
	doubted time.Time
	// losing runs while what was read is not heard of any more.
	losing clock.Timer
	// logged is the reason of the gap that was last logged.
	logged cluster.GapReason
	logger klog.Logger
}

// newWatcher returns a watcher and records that its resource is not read yet.
// The caller holds the source's mu.
func newWatcher(source *Source, resource schema.GroupResource, row *cluster.Resource) *watcher {
	w := &watcher{source: source, resource: resource, row: row, gap: cluster.Gap{Reason: cluster.GapNotSynced, Message: notYetRead}}
	w.publish()
	return w
}

// refusal ends a reflection for the reason that its gap says.
type refusal struct{ gap cluster.Gap }

func (r refusal) Error() string { return r.gap.Message }

// errOtherVersion ends a reflection because another version is to be read.
var errOtherVersion = errors.New("the resource is read in another version")

// run keeps the resource up to date until the context ends.
func (w *watcher) run(ctx context.Context) {
	logger := klog.FromContext(ctx).WithValues("resource", w.resource.String())
	ctx = klog.NewContext(ctx, logger)
	w.source.mu.Lock()
	w.logger = logger
	w.source.mu.Unlock()
	backoff := retries()
	for {
		row, changed, gap := w.choose()
		// Without a row to read, only discovery can bring one.
		retry := time.Duration(0)
		if gap.Reason == "" {
			started := w.source.clock.Now()
			end := w.reflect(ctx, row)
			refused := refusal{}
			if !errors.As(end, &refused) {
				if ctx.Err() != nil {
					return
				}
				continue
			}
			if w.source.clock.Since(started) > lostAfter {
				backoff = retries()
			}
			gap, retry = refused.gap, backoff.Step()
			if gap.Reason == cluster.GapNotServed {
				wake(w.source.rediscover)
			}
		}
		w.refuse(gap)
		if !w.source.pause(ctx, retry, changed) {
			return
		}
	}
}

// choose returns the row in the version to read, or the gap because of which
// there is nothing to read, and a channel that closes when that may be another.
func (w *watcher) choose() (cluster.Resource, <-chan struct{}, cluster.Gap) {
	w.source.mu.Lock()
	defer w.source.mu.Unlock()
	d := w.source.discovery
	if !d.attempted {
		return cluster.Resource{}, d.changed, w.gap
	}
	if d.resources == nil {
		if w.row == nil {
			return cluster.Resource{}, d.changed, cluster.Gap{Reason: cluster.GapNotSynced, Message: "what the API server serves has not been read yet"}
		}
		return *w.row, d.changed, cluster.Gap{}
	}
	served := d.resources.Versions(w.resource)
	for _, candidate := range w.candidates(served) {
		i := slices.IndexFunc(served, func(r cluster.APIResource) bool { return r.Version == candidate.Version })
		if i >= 0 && slices.Contains(served[i].Verbs, "list") && slices.Contains(served[i].Verbs, "watch") && decodable(candidate) {
			return candidate, d.changed, cluster.Gap{}
		}
	}
	return w.unserved(served, d)
}

// candidates are the rows that could be read, the best first.
func (w *watcher) candidates(served []cluster.APIResource) []cluster.Resource {
	var rows []cluster.Resource
	if w.row == nil {
		for _, resource := range served {
			rows = append(rows, cluster.NamedResource(resource))
		}
		return rows
	}
	rows = append(rows, *w.row)
	for _, version := range w.row.OlderVersions {
		older := *w.row
		older.Version = version
		rows = append(rows, older)
	}
	return rows
}

// unserved says why nothing can be read of a resource.
func (w *watcher) unserved(served []cluster.APIResource, d discovered) (cluster.Resource, <-chan struct{}, cluster.Gap) {
	none := cluster.Resource{}
	if len(served) > 0 {
		var versions []string
		for _, resource := range served {
			versions = append(versions, resource.Version)
		}
		return none, d.changed, cluster.Gap{Reason: cluster.GapNotServed, Message: fmt.Sprintf("the cluster serves it only as %s, which cannot be listed and watched here", strings.Join(versions, ", "))}
	}
	if d.failed.Has(w.resource.Group) {
		if w.row != nil {
			return *w.row, d.changed, cluster.Gap{}
		}
		return none, d.changed, cluster.Gap{Reason: cluster.GapNotSynced, Message: "the API group does not answer"}
	}
	return none, d.changed, cluster.Gap{Reason: cluster.GapNotServed, Message: "the cluster does not serve it"}
}

// refuse records why the resource cannot be read. What was read under a
// permission or of a resource that is gone is not trusted any more, and goes.
func (w *watcher) refuse(gap cluster.Gap) {
	w.source.mu.Lock()
	defer w.source.mu.Unlock()
	if gap.Reason != cluster.GapNotSynced {
		w.source.builder.Forget(w.resource)
		w.synced, w.settled, w.malformed = false, true, nil
	}
	w.found()
	w.transition(gap)
}

// refused tells whether a refusal is to be believed.
func (w *watcher) refused() bool {
	w.source.mu.Lock()
	defer w.source.mu.Unlock()
	if !w.synced {
		return true
	}
	now := w.source.clock.Now()
	if w.doubted.IsZero() {
		w.doubted = now
	}
	return now.Sub(w.doubted) >= doubtFor
}

// heard records that the API server answers for this resource.
func (w *watcher) heard() {
	w.source.mu.Lock()
	defer w.source.mu.Unlock()
	w.found()
	if w.synced {
		w.transition(cluster.Gap{})
	}
}

// unheard records that a request failed. What was read stays, until it has not
// been heard of for some time.
func (w *watcher) unheard(err error) {
	w.source.mu.Lock()
	defer w.source.mu.Unlock()
	if !w.synced {
		w.transition(cluster.Gap{Reason: cluster.GapNotSynced, Message: messageOf(err)})
		return
	}
	if w.losing != nil || w.gap.Reason != "" {
		return
	}
	var timer clock.Timer
	timer = w.source.clock.AfterFunc(lostAfter, func() {
		w.source.mu.Lock()
		defer w.source.mu.Unlock()
		if w.losing == timer {
			w.losing = nil
			w.transition(cluster.Gap{Reason: cluster.GapNotSynced, Message: lost})
		}
	})
	w.losing = timer
}

// found ends the countdown of unheard and the doubt in a refusal. The caller
// holds mu.
func (w *watcher) found() {
	w.doubted = time.Time{}
	w.source.heard = w.source.clock.Now()
	if w.losing != nil {
		w.losing.Stop()
		w.losing = nil
	}
}

// transition makes the gap that of the resource and logs once what that
// changes. The caller holds mu.
func (w *watcher) transition(gap cluster.Gap) {
	w.gap = gap
	w.publish()
	switch {
	case gap.Reason == w.logged || gap.Message == notYetRead:
	case gap.Reason == "":
		w.logger.Info("An observed resource can be read now")
		w.logged = ""
	case gap.Reason == cluster.GapNotSynced && w.source.discovery.unreachable:
		// Said once for all resources.
	default:
		w.logger.Info("An observed resource cannot be read", "reason", gap.Reason, "message", gap.Message)
		w.logged = gap.Reason
	}
	w.source.settle()
}

// publish makes the gaps of the snapshot those of the resource and of its
// objects. The caller holds mu.
func (w *watcher) publish() {
	var gaps []cluster.Gap
	if w.gap.Reason != "" {
		gaps = append(gaps, w.gap)
	}
	keys := slices.SortedFunc(maps.Keys(w.malformed), func(x, y objectKey) int { return strings.Compare(x.String(), y.String()) })
	for i, key := range keys {
		message := fmt.Sprintf("%s: %s", key, w.malformed[key])
		if i == maxMalformed {
			message = fmt.Sprintf("%d more objects could not be understood", len(keys)-i)
		}
		gaps = append(gaps, cluster.Gap{Reason: cluster.GapMalformed, Message: message})
		if i == maxMalformed {
			break
		}
	}
	if w.source.builder.SetGaps(w.resource.String(), gaps...) {
		w.source.notify()
	}
}
