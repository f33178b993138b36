package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +genclient
// +genclient:nonNamespaced
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// Extension is a software component that occupies one or more extension
// points of the observed cluster. Discovery creates one for each group of
// objects that belong together (label extant.dev/origin: discovered), and
// people declare others. The spec is what people say, the status is what is
// observed.
type Extension struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. The annotation extant.dev/reconcile: "false"
	// makes Extant leave the object alone.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// What people say about the extension. Extant never writes it.
	// +optional
	Spec ExtensionSpec `json:"spec,omitempty" protobuf:"bytes,2,opt,name=spec"`
	// What is observed. Written by Extant.
	// +optional
	Status ExtensionStatus `json:"status,omitempty" protobuf:"bytes,3,opt,name=status"`
}

// ExtensionSpec is what people say about an extension.
type ExtensionSpec struct {
	// The name to show to people. At most 256 characters.
	// +optional
	DisplayName string `json:"displayName,omitempty" protobuf:"bytes,1,opt,name=displayName"`
	// What the extension does. At most 1024 characters.
	// +optional
	Description string `json:"description,omitempty" protobuf:"bytes,2,opt,name=description"`
	// Who to call when the extension fails; free text, at most 256 bytes.
	// +optional
	Owner string `json:"owner,omitempty" protobuf:"bytes,3,opt,name=owner"`
	// The URL of the extension's documentation or runbook.
	// +optional
	Documentation string `json:"documentation,omitempty" protobuf:"bytes,4,opt,name=documentation"`
	// The objects that belong to the extension, besides what discovery groups
	// by itself. At most 256.
	// +optional
	// +listType=map
	// +listMapKey=group
	// +listMapKey=resource
	// +listMapKey=namespace
	// +listMapKey=name
	Components []ObjectReference `json:"components,omitempty" protobuf:"bytes,5,rep,name=components"`
	// Objects whose labels match belong to the extension as well. An empty
	// selector, which would match every object of the cluster, is refused.
	// +optional
	ComponentSelector *metav1.LabelSelector `json:"componentSelector,omitempty" protobuf:"bytes,6,opt,name=componentSelector"`
	// What the extension's workloads need before they are ready, where no
	// object shows it. At most 64.
	// +optional
	// +listType=atomic
	Needs []Need `json:"needs,omitempty" protobuf:"bytes,7,rep,name=needs"`
	// Capabilities that others need and this extension provides: PodNetwork,
	// ServiceNetwork, ClusterDNS, Scheduling, Storage/<driver>, or
	// Runtime/<handler>. At most 64.
	// +optional
	// +listType=set
	Provides []string `json:"provides,omitempty" protobuf:"bytes,8,rep,name=provides"`
	// Findings that the owner accepts. At most 64.
	// +optional
	// +listType=map
	// +listMapKey=policy
	// +listMapKey=rule
	AcceptedRisks []AcceptedRisk `json:"acceptedRisks,omitempty" protobuf:"bytes,9,rep,name=acceptedRisks"`
	// How the extension's backends are probed. Absent means TLS every 30
	// seconds with a timeout of 5.
	// +optional
	Probe *Probe `json:"probe,omitempty" protobuf:"bytes,10,opt,name=probe"`
}

// ObjectReference names one object of the observed cluster.
type ObjectReference struct {
	// The API group; empty for the core group.
	// +optional
	// +default=""
	Group string `json:"group" protobuf:"bytes,1,opt,name=group"`
	// The resource, plural and lower case.
	Resource string `json:"resource" protobuf:"bytes,2,opt,name=resource"`
	// The namespace; empty for cluster-scoped objects.
	// +optional
	// +default=""
	Namespace string `json:"namespace" protobuf:"bytes,3,opt,name=namespace"`
	// The name.
	Name string `json:"name" protobuf:"bytes,4,opt,name=name"`
}

// Need is what a workload must be able to do before it is ready.
type Need struct {
	// The workload.
	Workload ObjectReference `json:"workload" protobuf:"bytes,1,opt,name=workload"`
	// The names of Backends that it calls. At most 64.
	// +optional
	// +listType=atomic
	Backends []string `json:"backends,omitempty" protobuf:"bytes,2,rep,name=backends"`
	// The requests to the API server that must succeed. At most 64.
	// +optional
	// +listType=atomic
	Operations []Operation `json:"operations,omitempty" protobuf:"bytes,3,rep,name=operations"`
}

// Operation is one kind of request to the API server.
type Operation struct {
	// CREATE, UPDATE, DELETE, CONNECT, GET, LIST or WATCH.
	Operation string `json:"operation" protobuf:"bytes,1,opt,name=operation"`
	// The API group; empty for the core group.
	// +optional
	Group string `json:"group,omitempty" protobuf:"bytes,2,opt,name=group"`
	// The version; empty for any.
	// +optional
	Version string `json:"version,omitempty" protobuf:"bytes,3,opt,name=version"`
	// The resource, plural and lower case.
	Resource string `json:"resource" protobuf:"bytes,4,opt,name=resource"`
	// The subresource, if one is asked for.
	// +optional
	Subresource string `json:"subresource,omitempty" protobuf:"bytes,5,opt,name=subresource"`
	// The namespace; empty for cluster-scoped resources.
	// +optional
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,6,opt,name=namespace"`
}

// AcceptedRisk is a finding that the owner of an extension accepts.
type AcceptedRisk struct {
	// The name of the ExtensionPolicy.
	Policy string `json:"policy" protobuf:"bytes,1,opt,name=policy"`
	// The name of the rule in it.
	Rule string `json:"rule" protobuf:"bytes,2,opt,name=rule"`
	// Why it is accepted. At most 1024 characters.
	Reason string `json:"reason" protobuf:"bytes,3,opt,name=reason"`
	// When the acceptance ends. Absent means never.
	// +optional
	Until *metav1.Time `json:"until,omitempty" protobuf:"bytes,4,opt,name=until"`
}

// Probe says how backends are probed.
type Probe struct {
	// TLS (connect and shake hands), TCP (connect), or None. Defaults to TLS.
	// +optional
	// +default="TLS"
	Mode ProbeMode `json:"mode,omitempty" protobuf:"bytes,1,opt,name=mode,casttype=ProbeMode"`
	// Seconds between two probes of a healthy backend, from 5 to 3600.
	// Defaults to 30.
	// +optional
	// +default=30
	IntervalSeconds int32 `json:"intervalSeconds,omitempty" protobuf:"varint,2,opt,name=intervalSeconds"`
	// Seconds after which a probe has failed, from 1 to 30. Defaults to 5.
	// +optional
	// +default=5
	TimeoutSeconds int32 `json:"timeoutSeconds,omitempty" protobuf:"varint,3,opt,name=timeoutSeconds"`
}

// ProbeMode is how far a probe goes.
// +enum
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
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty" protobuf:"varint,1,opt,name=observedGeneration"`
	// The extension points that the extension occupies.
	// +optional
	// +listType=map
	// +listMapKey=name
	Points []OccupiedPoint `json:"points,omitempty" protobuf:"bytes,2,rep,name=points"`
	// All objects that make up the extension, grouped by discovery or
	// declared.
	// +optional
	// +listType=map
	// +listMapKey=group
	// +listMapKey=resource
	// +listMapKey=namespace
	// +listMapKey=name
	Components []ComponentStatus `json:"components,omitempty" protobuf:"bytes,3,rep,name=components"`
	// Capabilities that the extension provides, declared or discovered.
	// +optional
	// +listType=set
	Provides []string `json:"provides,omitempty" protobuf:"bytes,4,rep,name=provides"`
	// The names of the Backends that the extension's hooks call.
	// +optional
	// +listType=set
	Backends []string `json:"backends,omitempty" protobuf:"bytes,5,rep,name=backends"`
	// The worst that happens when the extension's backends are lost, over all
	// its hooks: Blocks (requests fail), Skips (requests go on without the
	// hook), Degrades (a part of the API is missing), or None (nothing calls
	// it).
	// +optional
	FailureMode FailureMode `json:"failureMode,omitempty" protobuf:"bytes,6,opt,name=failureMode,casttype=FailureMode"`
	// Which operations the API server refuses when all backends are lost, in
	// one line for people.
	// +optional
	Blocks string `json:"blocks,omitempty" protobuf:"bytes,7,opt,name=blocks"`
	// Whether the cluster gets the extension back without a human when all its
	// backends are lost at once: True, False or Unknown.
	// +optional
	RecoversUnaided metav1.ConditionStatus `json:"recoversUnaided,omitempty" protobuf:"bytes,8,opt,name=recoversUnaided,casttype=k8s.io/apimachinery/pkg/apis/meta/v1.ConditionStatus"`
	// The number of findings about the extension.
	// +optional
	Findings *FindingCounts `json:"findings,omitempty" protobuf:"bytes,9,opt,name=findings"`
	// Discovered, Available, Recoverable and Compliant.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +patchStrategy=merge
	// +patchMergeKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type" protobuf:"bytes,10,rep,name=conditions"`
}

// FailureMode is what happens when the backends of an extension are lost.
// +enum
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
	Name string `json:"name" protobuf:"bytes,1,opt,name=name"`
	// The pattern of the point.
	Pattern Pattern `json:"pattern" protobuf:"bytes,2,opt,name=pattern,casttype=Pattern"`
	// The number of hooks or objects that the extension registers there.
	Hooks int32 `json:"hooks" protobuf:"varint,3,opt,name=hooks"`
}

// ComponentStatus is one object of an extension as it is observed.
type ComponentStatus struct {
	// The API group; empty for the core group.
	// +optional
	// +default=""
	Group string `json:"group" protobuf:"bytes,1,opt,name=group"`
	// The resource, plural and lower case.
	Resource string `json:"resource" protobuf:"bytes,2,opt,name=resource"`
	// The namespace; empty for cluster-scoped objects.
	// +optional
	// +default=""
	Namespace string `json:"namespace" protobuf:"bytes,3,opt,name=namespace"`
	// The name.
	Name string `json:"name" protobuf:"bytes,4,opt,name=name"`
	// Whether the observed cluster has the object.
	Found bool `json:"found" protobuf:"varint,5,opt,name=found"`
	// For workloads, the pods that are ready and the pods that are wanted,
	// such as "1/1".
	// +optional
	Ready string `json:"ready,omitempty" protobuf:"bytes,6,opt,name=ready"`
}

// FindingCounts is the number of findings, by severity. Accepted findings
// count only as accepted.
type FindingCounts struct {
	// Findings of severity Error.
	Error int32 `json:"error" protobuf:"varint,1,opt,name=error"`
	// Findings of severity Warning.
	Warning int32 `json:"warning" protobuf:"varint,2,opt,name=warning"`
	// Findings of severity Info.
	Info int32 `json:"info" protobuf:"varint,3,opt,name=info"`
	// Findings that the owner accepts.
	Accepted int32 `json:"accepted" protobuf:"varint,4,opt,name=accepted"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ExtensionList is a list of Extensions.
type ExtensionList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// The extensions.
	Items []Extension `json:"items" protobuf:"bytes,2,rep,name=items"`
}
