package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +genclient
// +genclient:nonNamespaced
// +genclient:onlyVerbs=create
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// OutageReview asks what the API server refuses while something is lost, and
// whether the cluster gets it back without a human. It is answered and not
// kept: the only verb is create, and nothing in the observed cluster is
// touched.
type OutageReview struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. Nothing of it is kept, and no name is needed.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// What is lost, and what is assumed.
	Spec OutageReviewSpec `json:"spec" protobuf:"bytes,2,opt,name=spec"`
	// The answer. Written by Extant; what is sent is ignored.
	// +optional
	Status OutageReviewStatus `json:"status,omitzero" protobuf:"bytes,3,opt,name=status"`
}

// OutageReviewSpec is what is lost, and what is assumed.
type OutageReviewSpec struct {
	// What is lost, and how. At least one thing must be.
	Down Outage `json:"down" protobuf:"bytes,1,opt,name=down"`
	// Facts that the objects of the cluster do not show, besides what Extensions
	// say of themselves in spec.provides and spec.needs.
	// +optional
	Assume OutageAssumptions `json:"assume,omitzero" protobuf:"bytes,2,opt,name=assume"`
	// Summary names at most ten namespaces of an operation, Full all of them.
	// Defaults to Summary.
	// +optional
	// +default="Summary"
	Detail OutageDetail `json:"detail,omitempty" protobuf:"bytes,3,opt,name=detail,casttype=OutageDetail"`
}

// Outage is what is lost, and how. Things that are named and that the observed
// cluster lacks are listed in status.observed.gaps: nothing of them can be
// lost.
type Outage struct {
	// The names of Backends: the pods behind them are lost. At most 1024.
	// +optional
	// +listType=atomic
	Backends []string `json:"backends,omitempty" protobuf:"bytes,1,rep,name=backends"`
	// Services: the pods behind them are lost. At most 1024.
	// +optional
	// +listType=atomic
	Services []ServiceName `json:"services,omitempty" protobuf:"bytes,2,rep,name=services"`
	// Namespaces: every pod in them is lost. At most 1024.
	// +optional
	// +listType=atomic
	Namespaces []string `json:"namespaces,omitempty" protobuf:"bytes,3,rep,name=namespaces"`
	// Nodes: every pod on them is lost. At most 1024.
	// +optional
	// +listType=atomic
	Nodes []string `json:"nodes,omitempty" protobuf:"bytes,4,rep,name=nodes"`
	// The names of Extensions: the pods behind their backends, and those of their
	// workloads, are lost. At most 1024.
	// +optional
	// +listType=atomic
	Extensions []string `json:"extensions,omitempty" protobuf:"bytes,5,rep,name=extensions"`
	// Every pod of the cluster at once: a cold start. Not with mode Unreachable.
	// +optional
	Everything bool `json:"everything,omitempty" protobuf:"varint,6,opt,name=everything"`
	// PodsLost, NodesDown, Restarted or Unreachable. PodsLost: the pods are gone
	// at once and must be created again. NodesDown: the nodes die and nothing is
	// deleted, so that their pods stay bound until they are evicted, which needs
	// requests of its own. Restarted: processes stop and start in place, as in a
	// reboot, and no pod is created. Unreachable: the backends run and do not
	// answer, so that every call waits out its timeout. Defaults to PodsLost.
	// +optional
	// +default="PodsLost"
	Mode OutageMode `json:"mode,omitempty" protobuf:"bytes,7,opt,name=mode,casttype=OutageMode"`
	// Objects that are gone for good: a Service, a namespace with all that is in
	// it, the objects of an extension that was uninstalled. At most 1024.
	// +optional
	// +listType=atomic
	Deleted []ObjectReference `json:"deleted,omitempty" protobuf:"bytes,8,rep,name=deleted"`
}

// ServiceName names a Service.
type ServiceName struct {
	// The namespace.
	Namespace string `json:"namespace" protobuf:"bytes,1,opt,name=namespace"`
	// The name.
	Name string `json:"name" protobuf:"bytes,2,opt,name=name"`
}

// OutageMode is how things are lost.
// +enum
type OutageMode string

const (
	// The pods are gone at once and must be created again.
	ModePodsLost OutageMode = "PodsLost"
	// The nodes die and nothing is deleted: their pods stay bound until they are
	// evicted.
	ModeNodesDown OutageMode = "NodesDown"
	// Processes stop and start in place; no pod is created.
	ModeRestarted OutageMode = "Restarted"
	// The backends run and do not answer; every call waits out its timeout.
	ModeUnreachable OutageMode = "Unreachable"
)

// OutageDetail says how much of an answer is spelled out.
// +enum
type OutageDetail string

const (
	// At most ten namespaces of an operation are named.
	DetailSummary OutageDetail = "Summary"
	// All namespaces of an operation are named.
	DetailFull OutageDetail = "Full"
)

// OutageAssumptions are facts that the objects of the cluster do not show.
type OutageAssumptions struct {
	// What an extension or a workload provides and others need, besides what
	// Extensions say of themselves. At most 64.
	// +optional
	// +listType=atomic
	Provides []Provision `json:"provides,omitempty" protobuf:"bytes,1,rep,name=provides"`
	// What workloads need before they are ready, besides what Extensions say of
	// themselves: a controller that lists a custom resource first, say. At most
	// 64.
	// +optional
	// +listType=atomic
	Needs []Need `json:"needs,omitempty" protobuf:"bytes,2,rep,name=needs"`
	// Warm or Cold: whether reads in a converted version may be answered from the
	// API server's watch cache. Absent: what depends on it is Unknown.
	// +optional
	WatchCache WatchCacheState `json:"watchCache,omitempty" protobuf:"bytes,3,opt,name=watchCache,casttype=WatchCacheState"`
	// How many seconds a lost pod takes until it is ready again, counted from
	// when it is started. Absent: what depends on it, a race against the leases
	// of leaders and nodes, is Unknown.
	// +optional
	StartupSeconds *int32 `json:"startupSeconds,omitempty" protobuf:"varint,4,opt,name=startupSeconds"`
}

// Provision is a capability, and who provides it: exactly one of an extension
// and a workload.
type Provision struct {
	// The name of the Extension.
	// +optional
	Extension string `json:"extension,omitempty" protobuf:"bytes,1,opt,name=extension"`
	// The workload.
	// +optional
	Workload *ObjectReference `json:"workload,omitempty" protobuf:"bytes,2,opt,name=workload"`
	// PodNetwork, ServiceNetwork, ClusterDNS, Scheduling, Storage/<driver> or
	// Runtime/<handler>.
	Capability string `json:"capability" protobuf:"bytes,3,opt,name=capability"`
}

// OutageReviewStatus is what is refused while things are lost, and what comes
// back.
type OutageReviewStatus struct {
	// What the answer was read from, and what it could not see.
	// +optional
	Observed Observation `json:"observed,omitzero" protobuf:"bytes,1,opt,name=observed"`
	// The operations that the API server refuses while things are lost.
	// +optional
	// +listType=atomic
	Blocked []InterceptedOperation `json:"blocked,omitempty" protobuf:"bytes,2,rep,name=blocked"`
	// The operations that go through late, or without a hook that would have run.
	// +optional
	// +listType=atomic
	Degraded []DegradedOperation `json:"degraded,omitempty" protobuf:"bytes,3,rep,name=degraded"`
	// What the cluster's own controllers can then not do.
	// +optional
	// +listType=atomic
	Collateral []Collateral `json:"collateral,omitempty" protobuf:"bytes,4,rep,name=collateral"`
	// The operations that keep a cluster alive, each with a verdict.
	// +optional
	// +listType=atomic
	Vital []VitalOperation `json:"vital,omitempty" protobuf:"bytes,5,rep,name=vital"`
	// What comes back without a human.
	Recovery Recovery `json:"recovery" protobuf:"bytes,6,opt,name=recovery"`
}

// InterceptedOperation is a kind of request that hooks are registered for, as
// their rules are written. "*" in group, resource or subresource means all, as
// in the rules of webhooks. Resources that the API server never sends to hooks
// are excluded by meaning.
type InterceptedOperation struct {
	// CREATE, UPDATE, DELETE, CONNECT, GET, LIST or WATCH.
	Operation RequestOperation `json:"operation" protobuf:"bytes,1,opt,name=operation,casttype=RequestOperation"`
	// The API group; empty for the core group, "*" for all.
	// +optional
	// +default=""
	Group string `json:"group" protobuf:"bytes,2,opt,name=group"`
	// The version; empty for all.
	// +optional
	// +default=""
	Version string `json:"version" protobuf:"bytes,3,opt,name=version"`
	// The resource, plural and lower case; "*" for all.
	Resource string `json:"resource" protobuf:"bytes,4,opt,name=resource"`
	// The subresource; empty for the resource itself, "*" for all.
	// +optional
	// +default=""
	Subresource string `json:"subresource" protobuf:"bytes,5,opt,name=subresource"`
	// In which namespaces; for Namespaces which ones. Absent for other
	// cluster-scoped resources.
	// +optional
	Namespaces *NamespaceSet `json:"namespaces,omitempty" protobuf:"bytes,6,opt,name=namespaces"`
	// Whether only some objects are concerned, by their labels or by conditions.
	// +optional
	// +default=false
	Conditional bool `json:"conditional" protobuf:"varint,7,opt,name=conditional"`
	// The hooks. The conversion of a custom resource is the name of its
	// definition with the hook conversion, an aggregated API the name of its
	// APIService with the hook aggregation.
	// +optional
	// +listType=atomic
	By []HookReference `json:"by,omitempty" protobuf:"bytes,8,rep,name=by"`
}

// NamespaceSet is some of the cluster's namespaces.
type NamespaceSet struct {
	// Whether it is all namespaces, also those that do not exist yet.
	All bool `json:"all" protobuf:"varint,1,opt,name=all"`
	// How many of the existing namespaces.
	Count int32 `json:"count" protobuf:"varint,2,opt,name=count"`
	// Their names, sorted; at most ten where the review asks for a summary.
	// +optional
	// +listType=atomic
	Names []string `json:"names,omitempty" protobuf:"bytes,3,rep,name=names"`
}

// DegradedOperation is an operation that goes through late, or without a hook
// that would have run.
type DegradedOperation struct {
	InterceptedOperation `json:",inline" protobuf:"bytes,1,opt,name=interceptedOperation"`
	// Skipped or Delayed.
	Effect DegradedEffect `json:"effect" protobuf:"bytes,2,opt,name=effect,casttype=DegradedEffect"`
	// By how much the hooks delay it at worst. Absent for Skipped.
	// +optional
	Delay *metav1.Duration `json:"delay,omitempty" protobuf:"bytes,3,opt,name=delay"`
}

// DegradedEffect is what happens to an operation that goes through.
// +enum
type DegradedEffect string

const (
	// It goes through at once, without the hook.
	EffectSkipped DegradedEffect = "Skipped"
	// It goes through after the timeout of the hook.
	EffectDelayed DegradedEffect = "Delayed"
)

// Collateral is something that the cluster's own controllers cannot do.
type Collateral struct {
	// What stops: NamespaceDeletionStuck, GarbageCollectionStopped, QuotaStopped,
	// LeaderElectionLost, NodesNotReady, DiscoveryIncomplete,
	// CustomResourcesUnreadable, AutoscalingStopped or FinalizersStuck.
	Effect CollateralEffect `json:"effect" protobuf:"bytes,1,opt,name=effect,casttype=CollateralEffect"`
	// What it is limited to: an API group, a resource, a namespace. Empty: the
	// whole cluster.
	// +optional
	Scope string `json:"scope,omitempty" protobuf:"bytes,2,opt,name=scope"`
	// Why, for people.
	// +optional
	Because string `json:"because,omitempty" protobuf:"bytes,3,opt,name=because"`
	// Whether it only shows once the controller manager starts again.
	// +optional
	Latent bool `json:"latent,omitempty" protobuf:"varint,4,opt,name=latent"`
	// The hooks that cause it.
	// +optional
	// +listType=atomic
	By []HookReference `json:"by,omitempty" protobuf:"bytes,5,rep,name=by"`
}

// CollateralEffect is what stops besides requests that are refused.
// +enum
type CollateralEffect string

const (
	// Namespaces that are deleted stay Terminating.
	CollateralNamespaceDeletionStuck CollateralEffect = "NamespaceDeletionStuck"
	// Objects whose owners are gone stay.
	CollateralGarbageCollectionStopped CollateralEffect = "GarbageCollectionStopped"
	// The use of quotas is counted no more.
	CollateralQuotaStopped CollateralEffect = "QuotaStopped"
	// Leaders lose their leases and exit.
	CollateralLeaderElectionLost CollateralEffect = "LeaderElectionLost"
	// Nodes lose their leases and are taken to be dead.
	CollateralNodesNotReady CollateralEffect = "NodesNotReady"
	// Clients that read the whole of discovery fail, or see a part of the API.
	CollateralDiscoveryIncomplete CollateralEffect = "DiscoveryIncomplete"
	// Objects of a custom resource cannot be read.
	CollateralCustomResourcesUnreadable CollateralEffect = "CustomResourcesUnreadable"
	// Autoscalers have no metrics.
	CollateralAutoscalingStopped CollateralEffect = "AutoscalingStopped"
	// Objects that are deleted stay, because nobody can take their finalizers
	// away.
	CollateralFinalizersStuck CollateralEffect = "FinalizersStuck"
)

// VitalOperation is an operation that keeps a cluster alive, done by the
// component that does it.
type VitalOperation struct {
	// The name, such as create-pods-kube-system.
	Name string `json:"name" protobuf:"bytes,1,opt,name=name"`
	// Allowed, Blocked, Delayed or Unknown.
	Verdict VitalVerdict `json:"verdict" protobuf:"bytes,2,opt,name=verdict,casttype=VitalVerdict"`
	// The hooks that block or delay it.
	// +optional
	// +listType=atomic
	By []HookReference `json:"by,omitempty" protobuf:"bytes,3,rep,name=by"`
	// Why, for people.
	// +optional
	Message string `json:"message,omitempty" protobuf:"bytes,4,opt,name=message"`
}

// VitalVerdict is what comes of a vital operation.
// +enum
type VitalVerdict string

const (
	// It goes through.
	VitalAllowed VitalVerdict = "Allowed"
	// It is refused.
	VitalBlocked VitalVerdict = "Blocked"
	// It goes through late.
	VitalDelayed VitalVerdict = "Delayed"
	// It cannot be told; the message says why.
	VitalUnknown VitalVerdict = "Unknown"
)
