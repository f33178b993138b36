// Package dump reads an observed cluster from files: a tree or an archive of
// YAML and JSON documents, as kubectl and Helm write them, becomes a
// cluster.Source that is read again when the files change. Read and ReadStream
// are the core of it and touch nothing but what they are given.
//
// A dump is taken as the whole cluster. What it lacks is assumed, and each
// assumption is a Gap that informs; what could not be understood is a Gap that
// decides, with the file and the line, and the rest is read all the same. For
// each observed resource without an object there is a Gap NotInDump. Those of
// pods and endpoint slices carry a rule: where the dump has both gaps, workloads
// are taken to run as their specifications say; where it lacks one of them,
// there are pods or endpoint slices, and a workload without any is not ready.
//
// Secrets and events are never kept. Of objects that Extant does not know,
// metadata is kept, in case that users name their resource for observation.
package dump
