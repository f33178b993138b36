package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +genclient
// +genclient:nonNamespaced
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ExtensionPoint is a place where Kubernetes lets outside code or data take
// part. The built-in points (label extant.dev/origin: builtin) are kept equal
// to Extant's catalogue; a platform team can declare further points of its
// own, and discovery then follows what spec.registeredBy names.
type ExtensionPoint struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// What the point is, when to use it, and what it costs.
	Spec ExtensionPointSpec `json:"spec" protobuf:"bytes,2,opt,name=spec"`
	// What occupies the point in the observed cluster. Written by Extant.
	// +optional
	Status ExtensionPointStatus `json:"status,omitempty" protobuf:"bytes,3,opt,name=status"`
}

// ExtensionPointSpec describes an extension point.
type ExtensionPointSpec struct {
	// How an extension takes part at this point: Configuration (flags and
	// component configuration), PolicyAPI (built-in policy objects), API (new
	// kinds), Controller (a control loop), Webhook (a remote call in the path
	// of a request), or BinaryPlugin (a program or library on a machine).
	Pattern Pattern `json:"pattern" protobuf:"bytes,1,opt,name=pattern,casttype=Pattern"`
	// The region of the extension-point map that the point lies in: Client,
	// APIAccess, APIResources, Scheduling, Controllers, Network, or Node
	// (devices, volumes and container runtimes).
	Region Region `json:"region" protobuf:"bytes,2,opt,name=region,casttype=Region"`
	// The component that calls or reads the extension, such as kube-apiserver
	// or kubelet. At most 63 characters.
	Caller string `json:"caller" protobuf:"bytes,3,opt,name=caller"`
	// What the point is, in one sentence. At most 256 characters.
	// +optional
	Summary string `json:"summary,omitempty" protobuf:"bytes,4,opt,name=summary"`
	// The situations in which this point is the right choice, one sentence
	// each. At most 16.
	// +optional
	// +listType=atomic
	UseWhen []string `json:"useWhen,omitempty" protobuf:"bytes,5,rep,name=useWhen"`
	// What the point costs and what it cannot do, one sentence each. At most 16.
	// +optional
	// +listType=atomic
	TradeOffs []string `json:"tradeOffs,omitempty" protobuf:"bytes,6,rep,name=tradeOffs"`
	// Hard limits: timeouts, sizes, ordering, and what the point never sees,
	// one sentence each. At most 16.
	// +optional
	// +listType=atomic
	Limits []string `json:"limits,omitempty" protobuf:"bytes,7,rep,name=limits"`
	// The objects and settings with which an extension registers at this
	// point; discovery follows them. Empty for points where nothing is
	// registered in the cluster, such as kubectl plugins. At most 16. Creating
	// or changing a list that names resources needs the right to list each of
	// them.
	// +optional
	// +listType=atomic
	RegisteredBy []Registration `json:"registeredBy,omitempty" protobuf:"bytes,8,rep,name=registeredBy"`
	// What the caller does when the extension is absent: Blocks (the operation
	// fails), Skips (it goes on without the extension), Degrades (it goes on
	// with less), or Configurable (the registration decides).
	OnFailure OnFailure `json:"onFailure" protobuf:"bytes,9,opt,name=onFailure,casttype=OnFailure"`
	// The Kubernetes versions that have the point.
	// +optional
	Availability Availability `json:"availability,omitempty" protobuf:"bytes,10,opt,name=availability"`
	// The URL of the documentation of the point.
	// +optional
	Documentation string `json:"documentation,omitempty" protobuf:"bytes,11,opt,name=documentation"`
}

// Registration names one kind of object or setting with which an extension
// registers at a point. It has exactly one form: group and resource,
// component and flag, component and configField, namespaceLabel, or
// nodePlugin.
type Registration struct {
	// The API group of the registering objects; empty for the core group.
	// Used with resource.
	// +optional
	Group string `json:"group,omitempty" protobuf:"bytes,1,opt,name=group"`
	// The resource (plural, lower case) of the registering objects. Secrets,
	// events, "*" and subresources are refused.
	// +optional
	Resource string `json:"resource,omitempty" protobuf:"bytes,2,opt,name=resource"`
	// The component whose setting registers an extension. Used with flag or
	// configField.
	// +optional
	Component string `json:"component,omitempty" protobuf:"bytes,3,opt,name=component"`
	// The command line flag, with its leading dashes.
	// +optional
	Flag string `json:"flag,omitempty" protobuf:"bytes,4,opt,name=flag"`
	// The path of the field in the component's configuration file.
	// +optional
	ConfigField string `json:"configField,omitempty" protobuf:"bytes,5,opt,name=configField"`
	// The key of a label on namespaces.
	// +optional
	NamespaceLabel string `json:"namespaceLabel,omitempty" protobuf:"bytes,6,opt,name=namespaceLabel"`
	// The type of a plugin found on nodes: CNI, CSI, FlexVolume, Device,
	// DynamicResource, CredentialProvider, RuntimeHandler or Kubectl.
	// +optional
	NodePlugin string `json:"nodePlugin,omitempty" protobuf:"bytes,7,opt,name=nodePlugin"`
}

// Availability tells which Kubernetes versions have an extension point.
// Versions are minor versions such as "1.30"; empty means not (yet).
type Availability struct {
	// The first version with the point.
	// +optional
	Since string `json:"since,omitempty" protobuf:"bytes,1,opt,name=since"`
	// The version that deprecated it.
	// +optional
	DeprecatedIn string `json:"deprecatedIn,omitempty" protobuf:"bytes,2,opt,name=deprecatedIn"`
	// The first version without it.
	// +optional
	RemovedIn string `json:"removedIn,omitempty" protobuf:"bytes,3,opt,name=removedIn"`
	// The extension point or mechanism to use in its place.
	// +optional
	ReplacedBy string `json:"replacedBy,omitempty" protobuf:"bytes,4,opt,name=replacedBy"`
}

// ExtensionPointStatus is what occupies a point in the observed cluster.
type ExtensionPointStatus struct {
	// Whether the observed cluster's version has the point: True, False or
	// Unknown.
	// +optional
	Supported metav1.ConditionStatus `json:"supported,omitempty" protobuf:"bytes,1,opt,name=supported,casttype=k8s.io/apimachinery/pkg/apis/meta/v1.ConditionStatus"`
	// The number of extensions that occupy the point.
	// +optional
	Extensions int32 `json:"extensions" protobuf:"varint,2,opt,name=extensions"`
	// The number of hooks or objects registered at the point.
	// +optional
	Hooks int32 `json:"hooks" protobuf:"varint,3,opt,name=hooks"`
	// The names of the extensions that occupy the point, sorted; at most 20.
	// +optional
	// +listType=atomic
	ExtensionNames []string `json:"extensionNames,omitempty" protobuf:"bytes,4,rep,name=extensionNames"`
}

// Pattern is how an extension takes part.
// +enum
type Pattern string

const (
	// Flags and component configuration files.
	PatternConfiguration Pattern = "Configuration"
	// Objects of the built-in policy APIs.
	PatternPolicyAPI Pattern = "PolicyAPI"
	// New kinds, by definitions or aggregated servers.
	PatternAPI Pattern = "API"
	// A control loop.
	PatternController Pattern = "Controller"
	// A remote call in the path of a request.
	PatternWebhook Pattern = "Webhook"
	// A program or library on a machine.
	PatternBinaryPlugin Pattern = "BinaryPlugin"
)

// Region is one of the seven regions of the extension-point map.
// +enum
type Region string

const (
	// What runs with the user: kubectl and client libraries.
	RegionClient Region = "Client"
	// What stands between a request and the objects: authentication, authorization, admission, audit.
	RegionAPIAccess Region = "APIAccess"
	// New kinds of objects.
	RegionAPIResources Region = "APIResources"
	// The choice of a node for a pod.
	RegionScheduling Region = "Scheduling"
	// Control loops.
	RegionControllers Region = "Controllers"
	// Pod and service networking.
	RegionNetwork Region = "Network"
	// Devices, volumes and container runtimes.
	RegionNode Region = "Node"
)

// OnFailure is what a caller does when an extension is absent.
// +enum
type OnFailure string

const (
	// The operation fails.
	OnFailureBlocks OnFailure = "Blocks"
	// The operation goes on without the extension.
	OnFailureSkips OnFailure = "Skips"
	// The operation goes on with less.
	OnFailureDegrades OnFailure = "Degrades"
	// The registration decides.
	OnFailureConfigurable OnFailure = "Configurable"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ExtensionPointList is a list of ExtensionPoints.
type ExtensionPointList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// The extension points.
	Items []ExtensionPoint `json:"items" protobuf:"bytes,2,rep,name=items"`
}
