package dump

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"k8s.io/klog/v2"

	"github.com/extant-project/extant/internal/cluster"
)

// declared is a source with the static registrations that files declare, as the
// API servers have them: read again when they change, and left as they were
// where they cannot be read.
type declared struct {
	cluster.Source

	mu          sync.Mutex // guards what follows
	generation  uint64     // counts the changes
	edits       []cluster.Edit
	gaps        []cluster.Gap
	of, edited  *cluster.Snapshot
	subscribers map[chan struct{}]struct{}
}

// Declare returns a source whose snapshots also have the webhooks and policies
// of manifests beside the API servers (see StaticAdmission), which no API shows.
// The files are read again whenever they change, until the context ends.
func Declare(ctx context.Context, source cluster.Source, path string, options Options) (cluster.Source, error) {
	if options.Settle == 0 {
		options.Settle = defaultSettle
	}
	w := newWatcher(ctx, path, options.Settle)
	edits, err := StaticAdmission(path)
	if err == nil && len(edits) == 0 {
		err = errors.New("there are no manifests in it")
	}
	if err != nil {
		w.close()
		return nil, err
	}
	d := &declared{Source: source, generation: 1, edits: edits, subscribers: map[chan struct{}]struct{}{}}
	if w != nil {
		go w.run(ctx, func() { d.reread(ctx, path) })
	}
	return d, nil
}

// Snapshot returns the newest state, with what is declared.
func (d *declared) Snapshot() *cluster.Snapshot {
	newest := d.Source.Snapshot()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of != newest {
		d.of, d.edited = newest, newest.Declared(d.generation, d.edits, d.gaps...)
	}
	return d.edited
}

// reread reads the files again. Where an API server would not load them, it
// goes on with what it loaded before, and so does this.
func (d *declared) reread(ctx context.Context, path string) {
	edits, err := StaticAdmission(path)
	var gaps []cluster.Gap
	if err != nil {
		gaps = []cluster.Gap{{Resource: cluster.StaticManifests, Reason: cluster.GapAssumed,
			Message: fmt.Sprintf("the declared manifests could not be read again: %s; what was read before stands", err)}}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		edits = d.edits
	} else if sameEdits(d.edits, edits) {
		edits = d.edits // and whatever was compiled of it goes on
	}
	if slices.Equal(d.gaps, gaps) && slices.Equal(d.edits, edits) {
		return
	}
	if err != nil {
		klog.FromContext(ctx).Error(err, "Could not read the declared static manifests again", "path", path)
	} else {
		klog.FromContext(ctx).Info("Read the declared static manifests again", "path", path, "objects", len(edits))
	}
	d.generation, d.edits, d.gaps, d.of = d.generation+1, edits, gaps, nil
	for subscriber := range d.subscribers {
		notify(subscriber)
	}
}

// Subscribe returns a channel that receives when the source or the files have
// something new.
func (d *declared) Subscribe() (changed <-chan struct{}, stop func()) {
	ofSource, stopSource := d.Source.Subscribe()
	subscriber, ended := make(chan struct{}, 1), make(chan struct{})
	d.mu.Lock()
	d.subscribers[subscriber] = struct{}{}
	d.mu.Unlock()
	go func() {
		for {
			select {
			case <-ended:
				return
			case <-ofSource:
				notify(subscriber)
			}
		}
	}()
	return subscriber, sync.OnceFunc(func() {
		stopSource()
		close(ended)
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.subscribers, subscriber)
	})
}

// notify tells a subscriber, who may not have looked since the last time.
func notify(subscriber chan<- struct{}) {
	select {
	case subscriber <- struct{}{}:
	default:
	}
}
