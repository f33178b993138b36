package extant

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ExtensionPoint is a place where Kubernetes lets outside code or data take
// part. The built-in points (label extant.dev/origin: builtin) are kept equal
// to Extant's catalogue; a platform team can declare further points of its
// own, and discovery then follows what spec.registeredBy names.
type ExtensionPoint struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// What the point is, when to use it, and what it costs.
	Spec ExtensionPointSpec
	// What occupies the point in the observed cluster. Written by Extant.
	Status ExtensionPointStatus
}

// ExtensionPointSpec describes an extension point.
type ExtensionPointSpec struct {
	// How an extension takes part at this point: Configuration (flags and
	// component configuration), PolicyAPI (built-in policy objects), API (new
	// kinds), Controller (a control loop), Webhook (a remote call in the path
	// of a request), or BinaryPlugin (a program or library on a machine).
	Pattern Pattern
	// The region of the extension-point map that the point lies in: Client,
	// APIAccess, APIResources, Scheduling, Controllers, Network, or Node
	// (devices, volumes and container runtimes).
	Region Region
	// The component that calls or reads the extension, such as kube-apiserver
	// or kubelet. At most 63 characters.
	Caller string
	// What the point is, in one sentence. At most 256 characters.
	Summary string
	// The situations in which this point is the right choice, one sentence
	// each. At most 16.
	UseWhen []string
	// What the point costs and what it cannot do, one sentence each. At most 16.
	TradeOffs []string
	// Hard limits: timeouts, sizes, ordering, and what the point never sees,
	// one sentence each. At most 16.
	Limits []string
	// The objects and settings with which an extension registers at this
	// point; discovery follows them. Empty for points where nothing is
	// registered in the cluster, such as kubectl plugins. At most 16. Creating
	// or changing a list that names resources needs the right to list each of
	// them.
	RegisteredBy []Registration
	// What the caller does when the extension is absent: Blocks (the operation
	// fails), Skips (it goes on without the extension), Degrades (it goes on
	// with less), or Configurable (the registration decides).
	OnFailure OnFailure
	// The Kubernetes versions that have the point.
	Availability Availability
	// The URL of the documentation of the point.
	Documentation string
}

// Registration names one kind of object or setting with which an extension
// registers at a point. It has exactly one form: group and resource,
// component and flag, component and configField, namespaceLabel, or
// nodePlugin.
type Registration struct {
	// The API group of the registering objects; empty for the core group.
	// Used with resource.
	Group string
	// The resource (plural, lower case) of the registering objects. Secrets,
	// events, "*" and subresources are refused.
	Resource string
	// The component whose setting registers an extension. Used with flag or
	// configField.
	Component string
	// The command line flag, with its leading dashes.
	Flag string
	// The path of the field in the component's configuration file.
	ConfigField string
	// The key of a label on namespaces.
	NamespaceLabel string
	// The type of a plugin found on nodes: CNI, CSI, FlexVolume, Device,
	// DynamicResource, CredentialProvider, RuntimeHandler or Kubectl.
	NodePlugin string
}

// Availability tells which Kubernetes versions have an extension point.
// Versions are minor versions such as "1.30"; empty means not (yet).
type Availability struct {
	// The first version with the point.
	Since string
	// The version that deprecated it.
	DeprecatedIn string
	// The first version without it.
	RemovedIn string
	// The extension point or mechanism to use in its place.
	ReplacedBy string
}

// ExtensionPointStatus is what occupies a point in the observed cluster.
type ExtensionPointStatus struct {
	// Whether the observed cluster's version has the point: True, False or
	// Unknown.
	Supported metav1.ConditionStatus
	// The number of extensions that occupy the point.
	Extensions int32
	// The number of hooks or objects registered at the point.
	Hooks int32
	// The names of the extensions that occupy the point, sorted; at most 20.
	ExtensionNames []string
}

// Pattern is how an extension takes part.
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
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// The extension points.
	Items []ExtensionPoint
}
