package cluster

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Source hands out snapshots of the observed cluster.
type Source interface {
	// Snapshot returns the newest state. It is brought up to date on demand,
	// at a cost in proportion to what changed since the last call, and never
	// waits: what has not been read yet is a Gap.
	Snapshot() *Snapshot
	// Subscribe returns a channel that receives, without ever blocking the
	// source, when Snapshot has something new, and a function that ends the
	// subscription. The first value is sent at once.
	Subscribe() (changed <-chan struct{}, stop func())
	// Observe sets the resources that users named for observation, besides
	// those of the table Resources. They are read metadata-only.
	Observe(named []schema.GroupResource)
	// Settled tells whether each observed resource has been read or is
	// recorded as a Gap. It never goes back to false.
	Settled() bool
	// Heard is when the observed cluster last said something, be it that nothing
	// changed; of a dump, when it was read. It is zero before that.
	Heard() time.Time
}
