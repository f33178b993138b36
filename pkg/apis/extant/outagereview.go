package extant

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// OutageReview asks what the API server refuses while something is lost, and
// whether the cluster gets it back without a human. It is answered and not
// kept.
type OutageReview struct {
	metav1.TypeMeta
	// Standard object metadata. Nothing of it is kept.
	metav1.ObjectMeta

	// What is lost, and what is assumed.
	Spec OutageReviewSpec
	// The answer. Written by Extant.
	Status OutageReviewStatus
}

// OutageReviewSpec is what is lost, and what is assumed.
type OutageReviewSpec struct {
	// What is lost, and how.
	Down Outage
	// Facts that the objects of the cluster do not show.
	Assume OutageAssumptions
	// Summary names at most ten namespaces of an operation, Full all of them.
	// Default: Summary.
	Detail OutageDetail
}

// Outage is what is lost, and how. At least one thing must be.
type Outage struct {
	// The names of Backends. At most 1024.
	Backends []string
	// Services: the pods behind them are lost. At most 1024.
	Services []ServiceName
	// Namespaces: every pod in them is lost. At most 1024.
	Namespaces []string
	// Nodes: every pod on them is lost. At most 1024.
	Nodes []string
	// The names of Extensions: the pods behind their backends, and those of their
	// workloads, are lost. At most 1024.
	Extensions []string
	// Every pod of the cluster at once: a cold start. Not with mode Unreachable.
	Everything bool
	// PodsLost (the pods are gone at once and must be created again), NodesDown
	// (the nodes die and nothing is deleted: their pods stay bound until they are
	// evicted), Restarted (processes stop and start in place: no pod is created)
	// or Unreachable (the backends run and do not answer, so that every call
	// waits out its timeout). Default: PodsLost.
	Mode OutageMode
	// Objects that are gone for good: a Service, a namespace with all that is in
	// it, the objects of an extension that was uninstalled. At most 1024.
	Deleted []ObjectReference
}

// ServiceName names a Service.
type ServiceName struct {
	// The namespace.
	Namespace string
	// The name.
	Name string
}

// OutageMode is how things are lost.
type OutageMode string

const (
	ModePodsLost    OutageMode = "PodsLost"
	ModeNodesDown   OutageMode = "NodesDown"
	ModeRestarted   OutageMode = "Restarted"
	ModeUnreachable OutageMode = "Unreachable"
)

// OutageDetail says how much of an answer is spelled out.
type OutageDetail string

const (
	DetailSummary OutageDetail = "Summary"
	DetailFull    OutageDetail = "Full"
)

// OutageAssumptions are facts that the objects of the cluster do not show.
type OutageAssumptions struct {
	// What others need and an extension or a workload provides, besides what
	// Extensions say themselves. At most 64.
	Provides []Provision
	// What workloads need before they are ready. At most 64.
	Needs []Need
	// Warm or Cold: whether reads in a converted version may be answered from
	// the API server's watch cache. Absent: what depends on it is Unknown.
	WatchCache WatchCacheState
	// How many seconds a lost pod takes until it is ready again. Absent: what
	// depends on it, a race against the leases of leaders and nodes, is Unknown.
	StartupSeconds *int32
}

// Provision is a capability, and who provides it: an extension or a workload.
type Provision struct {
	// The name of the Extension.
	Extension string
	// The workload.
	Workload *ObjectReference
	// PodNetwork, ServiceNetwork, ClusterDNS, Scheduling, Storage/<driver> or
	// Runtime/<handler>.
	Capability string
}

// OutageReviewStatus is what is refused while things are lost, and what comes
// back.
type OutageReviewStatus struct {
	// What the answer was read from, and what it could not see.
	Observed Observation
	// The operations that the API server refuses while they are lost.
	Blocked []InterceptedOperation
	// The operations that go through late, or without a hook that would have
	// run.
	Degraded []DegradedOperation
	// What the cluster's own controllers can then not do.
	Collateral []Collateral
	// The operations that keep a cluster alive, each with a verdict.
	Vital []VitalOperation
	// What comes back without a human.
	Recovery Recovery
}

// InterceptedOperation is a kind of request that hooks are registered for, as
// their rules are written. "*" in group, resource or subresource means all, as
// in the rules of webhooks.
type InterceptedOperation struct {
	// CREATE, UPDATE, DELETE, CONNECT, GET, LIST or WATCH.
	Operation RequestOperation
	// The API group; empty for the core group, "*" for all.
	Group string
	// The version; empty for all.
	Version string
	// The resource; "*" for all.
	Resource string
	// The subresource; empty for the resource itself, "*" for all.
	Subresource string
	// In which namespaces; for Namespaces which ones. Absent for other
	// cluster-scoped resources.
	Namespaces *NamespaceSet
	// Whether only some objects are concerned, by labels or conditions.
	Conditional bool
	// The hooks.
	By []HookReference
}

// NamespaceSet is some of the cluster's namespaces.
type NamespaceSet struct {
	// Whether it is all namespaces, also those that do not exist yet.
	All bool
	// How many of the existing namespaces.
	Count int32
	// Their names; at most ten where the review asks for a summary.
	Names []string
}

// DegradedOperation is an operation that goes through late, or without a hook
// that would have run.
type DegradedOperation struct {
	InterceptedOperation
	// Skipped or Delayed.
	Effect DegradedEffect
	// By how much the hooks delay it at worst. Absent for Skipped.
	Delay *metav1.Duration
}

// DegradedEffect is what happens to an operation that goes through.
type DegradedEffect string

const (
	EffectSkipped DegradedEffect = "Skipped"
	EffectDelayed DegradedEffect = "Delayed"
)

// Collateral is something that the cluster's own controllers cannot do.
type Collateral struct {
	// What stops: NamespaceDeletionStuck, GarbageCollectionStopped, QuotaStopped,
	// LeaderElectionLost, NodesNotReady, DiscoveryIncomplete,
	// CustomResourcesUnreadable, AutoscalingStopped or FinalizersStuck.
	Effect CollateralEffect
	// What it is limited to: an API group, a resource, a namespace. Empty: the
	// whole cluster.
	Scope string
	// Why, for people.
	Because string
	// Whether it only shows once the controller manager starts again.
	Latent bool
	// The hooks that cause it.
	By []HookReference
}

// CollateralEffect is what stops besides requests that are refused.
type CollateralEffect string

const (
	CollateralNamespaceDeletionStuck    CollateralEffect = "NamespaceDeletionStuck"
	CollateralGarbageCollectionStopped  CollateralEffect = "GarbageCollectionStopped"
	CollateralQuotaStopped              CollateralEffect = "QuotaStopped"
	CollateralLeaderElectionLost        CollateralEffect = "LeaderElectionLost"
	CollateralNodesNotReady             CollateralEffect = "NodesNotReady"
	CollateralDiscoveryIncomplete       CollateralEffect = "DiscoveryIncomplete"
	CollateralCustomResourcesUnreadable CollateralEffect = "CustomResourcesUnreadable"
	CollateralAutoscalingStopped        CollateralEffect = "AutoscalingStopped"
	CollateralFinalizersStuck           CollateralEffect = "FinalizersStuck"
)

// VitalOperation is an operation that keeps a cluster alive, done by the
// component that does it.
type VitalOperation struct {
	// The name, such as create-pods-kube-system.
	Name string
	// Allowed, Blocked, Delayed or Unknown.
	Verdict VitalVerdict
	// The hooks that block or delay it.
	By []HookReference
	// Why, for people.
	Message string
}

// VitalVerdict is what comes of a vital operation.
type VitalVerdict string

const (
	VitalAllowed VitalVerdict = "Allowed"
	VitalBlocked VitalVerdict = "Blocked"
	VitalDelayed VitalVerdict = "Delayed"
	VitalUnknown VitalVerdict = "Unknown"
)
