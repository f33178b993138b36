package cluster

import "sync"

// declaring is a source with objects that the cluster has and does not show.
type declaring struct {
	Source
	declared []Edit

	mu         sync.Mutex
	of, edited *Snapshot
}

// Declaring returns a source whose snapshots also have some objects: what an
// operator says of the cluster that its API does not show. They never change,
// so that revisions go on to tell what is the same.
func Declaring(source Source, declared []Edit) Source {
	return &declaring{Source: source, declared: declared}
}

// Snapshot returns the newest state, with what is declared.
func (d *declaring) Snapshot() *Snapshot {
	newest := d.Source.Snapshot()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of != newest {
		d.of, d.edited = newest, newest.Edited(d.declared...)
	}
	return d.edited
}
