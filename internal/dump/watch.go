package dump

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/klog/v2"
)

// mounted is the link that changes when Kubernetes updates the files of a
// mounted ConfigMap; the files themselves are links that stay.
const mounted = "..data"

// watcher tells when the files at a path may have changed. It watches the
// folder above, too: editors replace a file rather than write to it, and whole
// folders are replaced in the same way.
type watcher struct {
	events *fsnotify.Watcher
	path   string
	settle time.Duration
}

// newWatcher starts to watch. It returns nil where that is impossible: a dump
// that does not follow its files is better than none.
func newWatcher(ctx context.Context, path string, settle time.Duration) *watcher {
	absolute, err := filepath.Abs(path)
	if err == nil {
		var events *fsnotify.Watcher
		if events, err = fsnotify.NewWatcher(); err == nil {
			w := &watcher{events: events, path: absolute, settle: settle}
			w.add(ctx)
			return w
		}
	}
	klog.FromContext(ctx).Error(err, "Could not watch files: changes will not be seen", "path", path)
	return nil
}

// add watches each folder that is there now.
func (w *watcher) add(ctx context.Context) {
	folders := []string{filepath.Dir(w.path)}
	_ = filepath.WalkDir(w.path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil // reading will tell what is wrong with it
		}
		if name != w.path && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		folders = append(folders, name)
		return nil
	})
	for _, folder := range folders {
		if err := w.events.Add(folder); err != nil {
			klog.FromContext(ctx).Error(err, "Could not watch a folder: changes will not be seen", "path", folder)
		}
	}
}

// run calls changed whenever the files were changed and then left alone, until
// the context ends.
func (w *watcher) run(ctx context.Context, changed func()) {
	defer w.close()
	settled := time.NewTimer(w.settle)
	settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-w.events.Events:
			if w.concerns(event) {
				settled.Reset(w.settle)
			}
		case err := <-w.events.Errors:
			// Events were lost.
			klog.FromContext(ctx).V(2).Info("Reading files again, as their watch failed", "err", err)
			settled.Reset(w.settle)
		case <-settled.C:
			w.add(ctx)
			changed()
		}
	}
}

// concerns tells whether an event may change what the dump says.
func (w *watcher) concerns(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod {
		return false
	}
	if event.Name == w.path || event.Name == filepath.Join(filepath.Dir(w.path), mounted) {
		return true
	}
	relative, err := filepath.Rel(w.path, event.Name)
	if err != nil {
		return false
	}
	relative = filepath.ToSlash(relative)
	switch {
	case relative == mounted:
		return true
	case isHidden(relative): // and what is beside the dump: ../…
		return false
	default:
		// A folder may come or go with its documents; it is never written to.
		return isDocumentFile(relative) || !event.Has(fsnotify.Write)
	}
}

func (w *watcher) close() {
	if w != nil {
		_ = w.events.Close()
	}
}
