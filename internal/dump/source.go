package dump

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"

	"github.com/extant-project/extant/internal/cluster"
)

// Stdin is the path that stands for the standard input.
const Stdin = "-"

// Options are what Open needs besides a path.
type Options struct {
	// Stdin is read for the path "-"; it is the standard input where it is nil.
	Stdin io.Reader
	// Settle is how long the files must be left alone before they are read
	// again: editors and git write in many steps. The default is 200 ms.
	Settle time.Duration
}

const defaultSettle = 200 * time.Millisecond

// Source is the observed cluster in a dump.
type Source struct {
	// last is the newest snapshot. It is asked for often, and never waits for
	// one that is being made.
	last atomic.Pointer[cluster.Snapshot]

	mu          sync.Mutex // guards what follows
	builder     *cluster.Builder
	contents    *Contents
	named       []schema.GroupResource
	read        time.Time     // when the files were read
	stale       []cluster.Gap // that the files could not be read again
	subscribers map[chan struct{}]struct{}

	done chan struct{} // closed once nothing reads files any more
}

var _ cluster.Source = (*Source)(nil)

// Open reads the dump at a path: a file of YAML or JSON documents, an archive
// (.tar, .tar.gz, .tgz), a folder, or "-" for the standard input. Files and
// folders are read again whenever they change, until the context ends.
func Open(ctx context.Context, path string, options Options) (*Source, error) {
	if options.Settle == 0 {
		options.Settle = defaultSettle
	}
	if path == Stdin {
		stdin := options.Stdin
		if stdin == nil {
			stdin = os.Stdin
		}
		contents, err := ReadStream("standard input", stdin)
		if err != nil {
			return nil, fmt.Errorf("could not read dump %q: %w", path, reasonOf(err))
		}
		return newSource(contents), nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("could not read dump %q: %w", path, reasonOf(err))
	}
	// What is written while it is read for the first time is read again.
	var w *watcher
	if info.IsDir() || info.Mode().IsRegular() {
		w = newWatcher(ctx, path, options.Settle)
	}
	contents, err := readPath(path)
	if err != nil {
		w.close()
		return nil, fmt.Errorf("could not read dump %q: %w", path, reasonOf(err))
	}
	s := newSource(contents)
	if w != nil {
		s.done = make(chan struct{})
		go func() {
			defer close(s.done)
			w.run(ctx, func() { s.reread(ctx, path) })
		}()
	}
	return s, nil
}

// FromFS returns the Source of a tree that does not change, such as Example.
func FromFS(tree fs.FS) (*Source, error) {
	contents, err := Read(tree)
	if err != nil {
		return nil, fmt.Errorf("could not read dump: %w", err)
	}
	return newSource(contents), nil
}

func newSource(contents *Contents) *Source {
	s := &Source{builder: cluster.NewBuilder(origin), contents: contents, read: time.Now(), subscribers: map[chan struct{}]struct{}{}}
	s.fill()
	return s
}

// readPath reads a folder or a file.
func readPath(path string) (*Contents, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return Read(os.DirFS(path))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return ReadStream(filepath.Base(path), file)
}

// Snapshot returns what was read last.
func (s *Source) Snapshot() *cluster.Snapshot { return s.last.Load() }

// Settled is true: a dump is read before there is a Source.
func (s *Source) Settled() bool { return true }

// Heard is when the files were read last.
func (s *Source) Heard() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read
}

// Subscribe returns a channel that receives when the dump was read again and
// said something new.
func (s *Source) Subscribe() (changed <-chan struct{}, stop func()) {
	subscriber := make(chan struct{}, 1)
	subscriber <- struct{}{}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers[subscriber] = struct{}{}
	return subscriber, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subscribers, subscriber)
	}
}

// Observe sets the resources that users named for observation.
func (s *Source) Observe(named []schema.GroupResource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	named = slices.Clone(named)
	for _, resource := range s.named {
		if _, observed := cluster.Lookup(resource); !observed && !slices.Contains(named, resource) {
			s.builder.Forget(resource)
			s.builder.SetGaps(resource.String())
		}
	}
	s.named = named
	s.fill()
}

// reread reads the files again. Where that is impossible, what was read before
// stands, and a gap says so.
func (s *Source) reread(ctx context.Context, path string) {
	contents, err := readPath(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	wasStale := len(s.stale) > 0
	if err != nil {
		message := fmt.Sprintf("could not read dump %q again: %s; what was read before stands", path, reasonOf(err))
		s.stale = []cluster.Gap{{Resource: dumpItself, Reason: cluster.GapNotSynced, Message: message}}
		if !wasStale {
			klog.FromContext(ctx).Error(err, "Could not read the dump again", "path", path)
		}
	} else {
		s.contents, s.read, s.stale = contents, time.Now(), nil
	}
	if s.fill() && err == nil {
		klog.FromContext(ctx).Info("Read the dump again", "path", path, "gaps", len(s.last.Load().Gaps()))
	}
}

// fill makes the newest snapshot and tells the subscribers if it is another.
// The lock is held.
func (s *Source) fill() (changed bool) {
	s.contents.fill(s.builder, s.named, s.stale)
	snapshot := s.builder.Snapshot()
	if s.last.Swap(snapshot) == snapshot {
		return false
	}
	for subscriber := range s.subscribers {
		notify(subscriber)
	}
	return true
}
