// Package plugins says what the API knows of the binary plugins of each node:
// what registered with its kubelet, which the kubelet and the drivers publish.
// It does not know what lies on a node's disk, such as network plugins; only
// the node's agent does. It writes nothing and keeps no state: the same
// snapshot gives the same reports, whatever came before. It stands on
// internal/cluster and the hub types.
package plugins

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	nodes          = schema.GroupResource{Resource: "nodes"}
	csiNodes       = schema.GroupResource{Group: storagev1.GroupName, Resource: "csinodes"}
	runtimeClasses = schema.GroupResource{Group: nodev1.GroupName, Resource: "runtimeclasses"}
	resourceSlices = schema.GroupResource{Group: "resource.k8s.io", Resource: "resourceslices"}
)

// Report is what the API knows of the plugins of one node. It is never changed.
type Report struct {
	// Node is the name of the node.
	Node string
	// KubeletVersion is the version of the node's kubelet, or empty.
	KubeletVersion string
	// Plugins are in order of type and name.
	Plugins []extant.NodePlugin
}

// Reports is what the API knows of the plugins of all nodes.
type Reports struct {
	// All is one Report for each node, in order of their names.
	All []*Report
	// Hidden is the types of plugins of which nothing is known, because the
	// resource that tells of them cannot be seen: that one is not in a Report
	// does not mean that it is gone.
	Hidden []extant.NodePluginType
	// NodesHidden tells that there may be more nodes than can be seen.
	NodesHidden bool

	// revision is that of what was read.
	revision uint64
	// drivers is the drivers that publish devices of each node.
	drivers map[string][]string
	// slicesRevision is that of the slices that drivers was read from.
	slicesRevision uint64
	// sources is what each Report was made of, in the same order.
	sources []source
}

// source is what one Report is made of. Snapshots share objects that did not
// change.
type source struct {
	node    *corev1.Node
	csiNode *storagev1.CSINode
	drivers []string
	// classes is the revision of the RuntimeClasses.
	classes uint64
}

func (s source) same(other source) bool {
	return s.node == other.node && s.csiNode == other.csiNode && s.classes == other.classes && slices.Equal(s.drivers, other.drivers)
}

// Take returns the reports of a snapshot. What did not change since the last
// Reports, which may be nil, is shared with them: the same node's Report is the
// same pointer, and the same Reports come back where nothing changed at all.
func Take(snapshot *cluster.Snapshot, last *Reports) *Reports {
	if last == nil {
		last = &Reports{}
	}
	revision := snapshot.Revision(nodes, csiNodes, runtimeClasses, resourceSlices)
	if last.drivers != nil && last.revision == revision {
		return last
	}
	r := &Reports{revision: revision, slicesRevision: snapshot.Revision(resourceSlices), drivers: last.drivers}
	if r.drivers == nil || r.slicesRevision != last.slicesRevision {
		r.drivers = driversOf(snapshot)
	}
	r.hide(snapshot)
	classes := classesOf(snapshot)
	classesRevision := snapshot.Revision(runtimeClasses)
	count := snapshot.Nodes().Len()
	r.All, r.sources = make([]*Report, 0, count), make([]source, 0, count)
	for node := range snapshot.Nodes().All() {
		of := source{node: node, drivers: r.drivers[node.Name], classes: classesRevision}
		of.csiNode, _ = snapshot.CSINodes().Get("", node.Name)
		report := last.find(node.Name, of, len(r.All))
		if report == nil {
			report = of.report(classes)
		}
		r.All, r.sources = append(r.All, report), append(r.sources, of)
	}
	return r
}

// find returns the Report that was made of the same, or nil. The hint is where
// it is unless nodes came or went.
func (r *Reports) find(node string, of source, hint int) *Report {
	at := hint
	if at >= len(r.All) || r.All[at].Node != node {
		var ok bool
		if at, ok = slices.BinarySearchFunc(r.All, node, byNode); !ok {
			return nil
		}
	}
	if !r.sources[at].same(of) {
		return nil
	}
	return r.All[at]
}

// hide notes what cannot be seen. A cluster that does not serve a resource has
// nothing to tell of it.
func (r *Reports) hide(snapshot *cluster.Snapshot) {
	hidden := func(resource schema.GroupResource) bool {
		gap, ok := snapshot.DecidingGap(resource)
		return ok && gap.Reason != cluster.GapNotServed
	}
	r.NodesHidden = hidden(nodes)
	if hidden(csiNodes) {
		r.Hidden = append(r.Hidden, extant.NodePluginCSI)
	}
	if hidden(resourceSlices) {
		r.Hidden = append(r.Hidden, extant.NodePluginDynamicResource)
	}
	if hidden(runtimeClasses) {
		r.Hidden = append(r.Hidden, extant.NodePluginRuntimeHandler)
	}
}
