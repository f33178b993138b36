package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +genclient
// +genclient:nonNamespaced
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// NodePluginReport lists the binary plugins of one node: what is installed
// there, and what is registered with its kubelet. The node's agent writes it,
// and may write that of no other node; what the API knows of a node's plugins
// Extant adds, where the agent does not report the plugin.
type NodePluginReport struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. The name is that of the node.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// The plugins.
	Spec NodePluginReportSpec `json:"spec" protobuf:"bytes,2,opt,name=spec"`
}

// NodePluginReportSpec is the binary plugins of one node.
type NodePluginReportSpec struct {
	// The name of the node; it equals the report's own.
	NodeName string `json:"nodeName" protobuf:"bytes,1,opt,name=nodeName"`
	// The version of the node's kubelet, such as v1.37.2.
	// +optional
	KubeletVersion string `json:"kubeletVersion,omitempty" protobuf:"bytes,2,opt,name=kubeletVersion"`
	// The plugins, ordered by type, name and path, which tell them apart. At
	// most 512.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +listMapKey=name
	// +listMapKey=path
	Plugins []NodePlugin `json:"plugins,omitempty" protobuf:"bytes,3,rep,name=plugins"`
	// When the node was last looked at. Absent where no agent did, and the plugins
	// are those that the API knows.
	// +optional
	ReportTime *metav1.Time `json:"reportTime,omitempty" protobuf:"bytes,4,opt,name=reportTime"`
}

// NodePlugin is one binary plugin on a node.
type NodePlugin struct {
	// CNI, CSI, FlexVolume, Device, DynamicResource, CredentialProvider,
	// RuntimeHandler or Kubectl.
	Type NodePluginType `json:"type" protobuf:"bytes,1,opt,name=type,casttype=NodePluginType"`
	// The name: of the driver, of the resource that a device plugin provides,
	// of the handler, or of the program.
	Name string `json:"name" protobuf:"bytes,2,opt,name=name"`
	// The version, where the plugin tells one.
	// +optional
	Version string `json:"version,omitempty" protobuf:"bytes,3,opt,name=version"`
	// The path of the program or socket on the node.
	// +optional
	Path string `json:"path,omitempty" protobuf:"bytes,4,opt,name=path"`
	// The SHA-256 of the program, in hexadecimal.
	// +optional
	SHA256 string `json:"sha256,omitempty" protobuf:"bytes,5,opt,name=sha256"`
	// Configured (a configuration names it), Registered (its caller knows it),
	// Present (its program is there), or Failed (it should work and does not).
	State NodePluginState `json:"state" protobuf:"bytes,6,opt,name=state,casttype=NodePluginState"`
}

// NodePluginType is the kind of a binary plugin.
// +enum
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
// +enum
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
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// The reports.
	Items []NodePluginReport `json:"items" protobuf:"bytes,2,rep,name=items"`
}
