// Package observe watches a live cluster: it is the cluster.Source of a running
// server. One reflector for each observed resource keeps objects, reduced on
// receipt to what engines read, in one shared Builder; a snapshot is made when
// somebody asks for one. What cannot be read is a Gap with the reason, and is
// tried again for as long as the source runs, so that a granted permission or
// an installed CRD is picked up without a restart.
//
// It never writes to the cluster, holds each object once, and draws no
// conclusions. It stands on client-go's reflectors and on internal/cluster.
package observe
