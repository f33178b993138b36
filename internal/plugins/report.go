package plugins

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// report says what is known of a node.
func (s source) report(classes []*nodev1.RuntimeClass) *Report {
	report := &Report{Node: s.node.Name, KubeletVersion: s.node.Status.NodeInfo.KubeletVersion}
	if len(report.KubeletVersion) > extant.MaxNodePluginName {
		report.KubeletVersion = "" // nobody checks what a kubelet calls itself
	}
	report.Plugins = slices.Concat(s.storageDrivers(), s.devicePlugins(), s.resourceDrivers(), s.handlers(classes))
	report.Plugins = slices.DeleteFunc(report.Plugins, func(p extant.NodePlugin) bool { return p.Name == "" || len(p.Name) > extant.MaxNodePluginName })
	slices.SortFunc(report.Plugins, func(x, y extant.NodePlugin) int {
		return cmp.Or(strings.Compare(string(x.Type), string(y.Type)), strings.Compare(x.Name, y.Name))
	})
	return report
}

func byNode(report *Report, name string) int { return strings.Compare(report.Node, name) }

// storageDrivers are the CSI drivers that the kubelet has registered: it keeps
// them in the CSINode. That there is a CSIDriver says nothing of any node.
func (s source) storageDrivers() []extant.NodePlugin {
	if s.csiNode == nil {
		return nil
	}
	names := make([]string, 0, len(s.csiNode.Spec.Drivers))
	for i := range s.csiNode.Spec.Drivers {
		names = append(names, s.csiNode.Spec.Drivers[i].Name)
	}
	return registered(extant.NodePluginCSI, names)
}

// resourceDrivers are the drivers of dynamic resource allocation that publish
// devices of this node. Devices that several nodes reach have no driver on any
// certain one.
func (s source) resourceDrivers() []extant.NodePlugin {
	return registered(extant.NodePluginDynamicResource, s.drivers)
}

func registered(kind extant.NodePluginType, names []string) []extant.NodePlugin {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	var plugins []extant.NodePlugin
	for _, name := range slices.Compact(sorted) {
		plugins = append(plugins, extant.NodePlugin{Type: kind, Name: name, State: extant.NodePluginRegistered})
	}
	return plugins
}

// devicePlugins are the extended resources of the node. The kubelet sets the
// capacity of a device plugin that is gone to zero, so that it is known to have
// been there; one whose devices are all unhealthy, or that does not answer, has
// capacity and nothing of it can be allocated. An extended resource that
// somebody wrote into the node's status by hand looks the same.
func (s source) devicePlugins() []extant.NodePlugin {
	var plugins []extant.NodePlugin
	for name, capacity := range s.node.Status.Capacity {
		if !extended(name) || capacity.IsZero() {
			continue
		}
		plugin := extant.NodePlugin{Type: extant.NodePluginDevice, Name: string(name), State: extant.NodePluginRegistered}
		if allocatable := s.node.Status.Allocatable[name]; allocatable.IsZero() {
			plugin.State = extant.NodePluginFailed
		}
		plugins = append(plugins, plugin)
	}
	return plugins
}

// extended tells whether a resource is an extended one, as Kubernetes does: it
// is named under a domain which is not Kubernetes' own.
func extended(name corev1.ResourceName) bool {
	text := string(name)
	return strings.Contains(text, "/") && !strings.Contains(text, corev1.ResourceDefaultNamespacePrefix) &&
		!strings.HasPrefix(text, corev1.DefaultResourceRequestsPrefix)
}

// handlers are those that the container runtime has, where it tells, and those
// that RuntimeClasses name for the node: Kubernetes takes every node that a
// class does not exclude to have its handler. One that the runtime does not have
// fails each pod of the class. The handler without a name is the default one.
func (s source) handlers(classes []*nodev1.RuntimeClass) []extant.NodePlugin {
	states := map[string]extant.NodePluginState{}
	named := extant.NodePluginConfigured
	if len(s.node.Status.RuntimeHandlers) > 0 {
		named = extant.NodePluginFailed
	}
	for _, class := range classes {
		if class.Scheduling == nil || labels.SelectorFromSet(class.Scheduling.NodeSelector).Matches(labels.Set(s.node.Labels)) {
			states[class.Handler] = named
		}
	}
	for i := range s.node.Status.RuntimeHandlers {
		states[s.node.Status.RuntimeHandlers[i].Name] = extant.NodePluginRegistered
	}
	var plugins []extant.NodePlugin
	for _, name := range slices.Sorted(maps.Keys(states)) {
		plugins = append(plugins, extant.NodePlugin{Type: extant.NodePluginRuntimeHandler, Name: name, State: states[name]})
	}
	return plugins
}

// classesOf returns the RuntimeClasses of a snapshot.
func classesOf(snapshot *cluster.Snapshot) []*nodev1.RuntimeClass {
	return slices.Collect(snapshot.RuntimeClasses().All())
}

// driversOf returns which drivers publish devices of each node, in order.
func driversOf(snapshot *cluster.Snapshot) map[string][]string {
	drivers := map[string][]string{}
	for slice := range snapshot.ResourceSlices().All() {
		if node := slice.Spec.NodeName; node != nil && !slices.Contains(drivers[*node], slice.Spec.Driver) {
			drivers[*node] = append(drivers[*node], slice.Spec.Driver)
		}
	}
	for _, names := range drivers {
		slices.Sort(names)
	}
	return drivers
}
