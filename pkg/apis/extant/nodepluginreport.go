package extant

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// NodePluginReport lists the binary plugins of one node: what is installed
// there, and what is registered with its kubelet. The node's agent writes it,
// and may write that of no other node; what the API knows of a node's plugins
// Extant adds, where the agent does not report the plugin.
type NodePluginReport struct {
	metav1.TypeMeta
	// Standard object metadata. The name is that of the node.
	metav1.ObjectMeta

	// The plugins.
	Spec NodePluginReportSpec
}

const (
	// MaxNodePlugins is how many plugins a report may list.
	MaxNodePlugins = 512
	// MaxNodePluginName is how long the name of a plugin and the version of a
	// kubelet may be, in bytes: the longest name is that of an extended resource.
	MaxNodePluginName = 317
)

// NodePluginReportSpec is the binary plugins of one node.
type NodePluginReportSpec struct {
	// The name of the node; it equals the report's own.
	NodeName string
	// The version of the node's kubelet, such as v1.37.2.
	KubeletVersion string
	// The plugins, ordered by type, name and path, which tell them apart. At
	// most 512.
	Plugins []NodePlugin
	// When the node was last looked at. Absent where no agent did, and the plugins
	// are those that the API knows.
	ReportTime *metav1.Time
}

// NodePlugin is one binary plugin on a node.
type NodePlugin struct {
	// CNI, CSI, FlexVolume, Device, DynamicResource, CredentialProvider,
	// RuntimeHandler or Kubectl.
	Type NodePluginType
	// The name: of the driver, of the resource that a device plugin provides,
	// of the handler, or of the program.
	Name string
	// The version, where the plugin tells one.
	Version string
	// The path of the program or socket on the node.
	Path string
	// The SHA-256 of the program, in hexadecimal.
	SHA256 string
	// Configured (a configuration names it), Registered (its caller knows it),
	// Present (its program is there), or Failed (it should work and does not).
	State NodePluginState
}

// NodePluginType is the kind of a binary plugin.
type NodePluginType string

const (
	// A plugin of the Container Network Interface.
	NodePluginCNI NodePluginType = "CNI"
	// A driver of the Container Storage Interface.
	NodePluginCSI NodePluginType = "CSI"
	// A FlexVolume driver.
	NodePluginFlexVolume NodePluginType = "FlexVolume"
	// A device plugin.
	NodePluginDevice NodePluginType = "Device"
	// A driver of dynamic resource allocation.
	NodePluginDynamicResource NodePluginType = "DynamicResource"
	// A credential provider of the kubelet.
	NodePluginCredentialProvider NodePluginType = "CredentialProvider"
	// A handler of the container runtime, or a plugin of it.
	NodePluginRuntimeHandler NodePluginType = "RuntimeHandler"
	// A plugin of kubectl.
	NodePluginKubectl NodePluginType = "Kubectl"
)

// NodePluginState is how far a binary plugin takes part.
type NodePluginState string

const (
	// A configuration names it.
	NodePluginConfigured NodePluginState = "Configured"
	// Its caller knows it.
	NodePluginRegistered NodePluginState = "Registered"
	// Its program is there.
	NodePluginPresent NodePluginState = "Present"
	// It should work and does not.
	NodePluginFailed NodePluginState = "Failed"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// NodePluginReportList is a list of NodePluginReports.
type NodePluginReportList struct {
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// The reports.
	Items []NodePluginReport
}
