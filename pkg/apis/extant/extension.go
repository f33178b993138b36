package extant

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// Extension is a software component that occupies one or more extension
// points of the observed cluster. Discovery creates one for each group of
// objects that belong together (label extant.dev/origin: discovered), and
// people declare others. The spec is what people say, the status is what is
// observed.
type Extension struct {
	metav1.TypeMeta
	// Standard object metadata. The annotation extant.dev/reconcile: "false"
	// makes Extant leave the object alone.
	metav1.ObjectMeta

	// What people say about the extension. Extant never writes it.
	Spec ExtensionSpec
	// What is observed. Written by Extant.
	Status ExtensionStatus
}

// ExtensionSpec is what people say about an extension.
type ExtensionSpec struct {
	// The name to show to people. At most 256 characters.
	DisplayName string
	// What the extension does. At most 1024 characters.
	Description string
	// Who to call when the extension fails; free text, at most 256 bytes.
	Owner string
	// The URL of the extension's documentation or runbook.
	Documentation string
	// The objects that belong to the extension, besides what discovery groups
	// by itself. At most 256.
	Components []ObjectReference
	// Objects whose labels match belong to the extension as well. An empty
	// selector, which would match every object of the cluster, is refused.
	ComponentSelector *metav1.LabelSelector
	// What the extension's workloads need before they are ready, where no
	// object shows it. At most 64.
	Needs []Need
	// Capabilities that others need and this extension provides: PodNetwork,
	// ServiceNetwork, ClusterDNS, Scheduling, Storage/<driver>, or
	// Runtime/<handler>. At most 64.
	Provides []string
	// Findings that the owner accepts. At most 64.
	AcceptedRisks []AcceptedRisk
	// How the extension's backends are probed. Absent means TLS every 30
	// seconds with a timeout of 5.
	Probe *Probe
}

// ObjectReference names one object of the observed cluster.
type ObjectReference struct {
	// The API group; empty for the core group.
	Group string
	// The resource, plural and lower case.
	Resource string
	// The namespace; empty for cluster-scoped objects.
	Namespace string
	// The name.
	Name string
}

// Need is what a workload must be able to do before it is ready.
type Need struct {
	// The workload.
	Workload ObjectReference
	// The names of Backends that it calls. At most 64.
	Backends []string
	// The requests to the API server that must succeed. At most 64.
	Operations []Operation
}

// Operation is one kind of request to the API server.
type Operation struct {
	// CREATE, UPDATE, DELETE, CONNECT, GET, LIST or WATCH.
	Operation string
	// The API group; empty for the core group.
	Group string
	// The version; empty for any.
	Version string
	// The resource, plural and lower case.
	Resource string
	// The subresource, if one is asked for.
	Subresource string
	// The namespace; empty for cluster-scoped resources.
	Namespace string
}

// AcceptedRisk is a finding that the owner of an extension accepts.
type AcceptedRisk struct {
	// The name of the ExtensionPolicy.
	Policy string
	// The name of the rule in it.
	Rule string
	// Why it is accepted. At most 1024 characters.
	Reason string
	// When the acceptance ends. Absent means never.
	Until *metav1.Time
}

// Probe says how backends are probed.
type Probe struct {
	// TLS (connect and shake hands), TCP (connect), or None. Defaults to TLS.
	Mode ProbeMode
	// Seconds between two probes of a healthy backend, from 5 to 3600.
	// Defaults to 30.
	IntervalSeconds int32
	// Seconds after which a probe has failed, from 1 to 30. Defaults to 5.
	TimeoutSeconds int32
}

// ProbeMode is how far a probe goes.
type ProbeMode string

const (
	// Connect and shake hands.
	ProbeModeTLS ProbeMode = "TLS"
	// Connect.
	ProbeModeTCP ProbeMode = "TCP"
	// Do not probe.
	ProbeModeNone ProbeMode = "None"
)

// ExtensionStatus is what is observed of an extension.
type ExtensionStatus struct {
	// The generation of the spec that the status was computed from.
	ObservedGeneration int64
	// The extension points that the extension occupies.
	Points []OccupiedPoint
	// All objects that make up the extension, grouped by discovery or
	// declared.
	Components []ComponentStatus
	// Capabilities that the extension provides, declared or discovered.
	Provides []string
	// The names of the Backends that the extension's hooks call.
	Backends []string
	// The worst that happens when the extension's backends are lost, over all
	// its hooks: Blocks (requests fail), Skips (requests go on without the
	// hook), Degrades (a part of the API is missing), or None (nothing calls
	// it).
	FailureMode FailureMode
	// Which operations the API server refuses when all backends are lost, in
	// one line for people.
	Blocks string
	// Whether the cluster gets the extension back without a human when all its
	// backends are lost at once: True, False or Unknown.
	RecoversUnaided metav1.ConditionStatus
	// The number of findings about the extension.
	Findings *FindingCounts
	// Discovered, Available, Recoverable and Compliant.
	Conditions []metav1.Condition
}

// FailureMode is what happens when the backends of an extension are lost.
type FailureMode string

const (
	// Requests fail.
	FailureModeBlocks FailureMode = "Blocks"
	// Requests go on without the hook.
	FailureModeSkips FailureMode = "Skips"
	// A part of the API or of the service is missing.
	FailureModeDegrades FailureMode = "Degrades"
	// Nothing calls the extension.
	FailureModeNone FailureMode = "None"
)

// OccupiedPoint is an extension point that an extension occupies.
type OccupiedPoint struct {
	// The name of the ExtensionPoint.
	Name string
	// The pattern of the point.
	Pattern Pattern
	// The number of hooks or objects that the extension registers there.
	Hooks int32
}

// ComponentStatus is one object of an extension as it is observed.
type ComponentStatus struct {
	// The API group; empty for the core group.
	Group string
	// The resource, plural and lower case.
	Resource string
	// The namespace; empty for cluster-scoped objects.
	Namespace string
	// The name.
	Name string
	// Whether the observed cluster has the object.
	Found bool
	// For workloads, the pods that are ready and the pods that are wanted,
	// such as "1/1".
	Ready string
}

// FindingCounts is the number of findings, by severity. Accepted findings
// count only as accepted.
type FindingCounts struct {
	// Findings of severity Error.
	Error int32
	// Findings of severity Warning.
	Warning int32
	// Findings of severity Info.
	Info int32
	// Findings that the owner accepts.
	Accepted int32
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ExtensionList is a list of Extensions.
type ExtensionList struct {
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// The extensions.
	Items []Extension
}
