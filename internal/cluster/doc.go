// Package cluster holds what Extant knows of the observed cluster: the
// immutable Snapshot that engines read, the Source that hands snapshots out,
// the Gaps that say what could not be seen, and the table of observed
// resources. It provides no way to read a cluster (internal/observe and
// internal/dump do) and draws no conclusions; it stands on the upstream API
// types alone.
package cluster
