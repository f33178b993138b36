package extant

import (
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// RequestReview asks what a request to the observed cluster's API server
// passes through, and what comes of it. It is answered and not kept.
type RequestReview struct {
	metav1.TypeMeta
	// Standard object metadata. Nothing of it is kept.
	metav1.ObjectMeta

	// The request, who makes it, and what is assumed.
	Spec RequestReviewSpec
	// The answer. Written by Extant.
	Status RequestReviewStatus
}

// RequestReviewSpec is a request, who makes it, and what is assumed.
type RequestReviewSpec struct {
	// The request to the API server.
	Request ReviewedRequest
	// Who makes it. Absent: the caller's own user. Naming another user needs the
	// right to impersonate it.
	User *authenticationv1.UserInfo
	// What is taken for granted, whatever is observed.
	Assume RequestAssumptions
	// Also list the hooks that do not match, with the reason.
	IncludeUnmatched bool
}

// ReviewedRequest is a request to an API server.
type ReviewedRequest struct {
	// CREATE, UPDATE, DELETE or CONNECT, which pass admission, or GET, LIST or
	// WATCH, which do not.
	Operation RequestOperation
	// The API group; empty for the core group.
	Group string
	// The version of the API group.
	Version string
	// The resource, in the plural.
	Resource string
	// The subresource, such as status or scale. Empty for the resource itself.
	Subresource string
	// The namespace. Empty for cluster-scoped resources and Namespaces.
	Namespace string
	// The name of the object. Empty where the API server generates it, and for
	// collections.
	Name string
	// The whole object as it is sent; for CONNECT the options. Absent: conditions
	// and selectors that need it are Unknown.
	Object runtime.RawExtension
	// The whole object as it is stored, for UPDATE and DELETE.
	OldObject runtime.RawExtension
	// The options of the request, such as CreateOptions.
	Options runtime.RawExtension
	// Whether the request is a dry run.
	DryRun bool
}

// RequestOperation is what a request does.
type RequestOperation string

const (
	OperationCreate  RequestOperation = "CREATE"
	OperationUpdate  RequestOperation = "UPDATE"
	OperationDelete  RequestOperation = "DELETE"
	OperationConnect RequestOperation = "CONNECT"
	OperationGet     RequestOperation = "GET"
	OperationList    RequestOperation = "LIST"
	OperationWatch   RequestOperation = "WATCH"
)

// Admitted tells whether requests of the operation pass admission.
func (o RequestOperation) Admitted() bool {
	switch o {
	case OperationCreate, OperationUpdate, OperationDelete, OperationConnect:
		return true
	default:
		return false
	}
}

// RequestAssumptions are taken for granted, whatever is observed.
type RequestAssumptions struct {
	// Observed, AllAvailable or AllUnavailable. Default: Observed.
	Backends AssumedBackends
	// The names of Backends that are taken to be down, besides.
	Unavailable []string
	// Warm or Cold: whether reads in a converted version may be answered from
	// the API server's watch cache. Absent: what depends on it is Unknown.
	WatchCache WatchCacheState
}

// AssumedBackends says what is taken to be the state of backends.
type AssumedBackends string

const (
	BackendsObserved       AssumedBackends = "Observed"
	BackendsAllAvailable   AssumedBackends = "AllAvailable"
	BackendsAllUnavailable AssumedBackends = "AllUnavailable"
)

// WatchCacheState says whether the API server's watch cache is filled.
type WatchCacheState string

const (
	WatchCacheWarm WatchCacheState = "Warm"
	WatchCacheCold WatchCacheState = "Cold"
)

// RequestReviewStatus is what comes of a request, and what it passes through.
type RequestReviewStatus struct {
	// What the answer was read from, and what it could not see.
	Observed Observation
	// Allowed, Denied, Blocked or Unknown. It presumes that each hook that is
	// called allows the request and changes nothing.
	Verdict Verdict
	// Why, for people.
	Message string
	// The fail-closed hooks whose backend is down.
	BlockedBy []HookReference
	// The hooks that are presumed to allow.
	Presumes []HookReference
	// How long the hooks can take together until the API server gives up on
	// them: the sum of the timeouts of what runs in sequence, the largest of what
	// runs in parallel.
	WorstCaseLatency metav1.Duration
	// What the request passes, in the order in which the API server takes it.
	Hops []Hop
}

// Verdict is what comes of a request.
type Verdict string

const (
	VerdictAllowed Verdict = "Allowed"
	VerdictDenied  Verdict = "Denied"
	VerdictBlocked Verdict = "Blocked"
	VerdictUnknown Verdict = "Unknown"
)

// Observation is what an answer was read from.
type Observation struct {
	// When the observed cluster was read.
	Time metav1.Time
	// Where the observed cluster was read: live or dump.
	Source string
	// What could not be seen.
	Gaps []Gap
}

// Gap is something that an answer could not see.
type Gap struct {
	// The resource as <resource>.<group>, or another word for what was not seen,
	// such as version.
	Resource string
	// Forbidden, NotServed, NotSynced and Malformed make what depends on the
	// resource Unknown; NotInDump and Assumed inform.
	Reason string
	// What is missing, or was assumed, for people.
	Message string
}

// HookReference names a hook and the backend that it calls.
type HookReference struct {
	// The object that registers the hook.
	Configuration string
	// The name of the hook in it.
	Hook string
	// The name of the Backend.
	Backend string
}

// Hop is one extension point that a request passes, or one hook at it.
type Hop struct {
	// The stage of the request's handling.
	Stage Stage
	// The name of the ExtensionPoint.
	Point string
	// The name of the Extension that the hook belongs to.
	Extension string
	// The object that registers the hook; for a policy the name of the policy.
	Configuration string
	// The name of the hook in it; for a policy the name of the binding.
	Hook string
	// Whether the request is one that the hook is registered for: Matched,
	// NotMatched or Unknown.
	Match MatchResult
	// Why.
	Reason HopReason
	// Why, for people.
	Message string
	// What the hook receives. Another version than the request's where
	// matchPolicy is Equivalent.
	SentAs *SentResource
	// Fail or Ignore. Empty where the stage leaves no choice.
	FailurePolicy string
	// How long the API server waits for the hook.
	Timeout *metav1.Duration
	// Never or IfNeeded, for mutating hooks.
	ReinvocationPolicy string
	// The name of the Backend that is called.
	Backend string
	// Whether it can be called: True, False or Unknown. Empty without a backend.
	BackendAvailable metav1.ConditionStatus
	// What comes of the hop.
	Outcome Outcome
	// What a mutating policy changes, as a JSON patch.
	Patch string
}

// SentResource is a resource as a hook receives it.
type SentResource struct {
	// The API group.
	Group string
	// The version.
	Version string
	// The resource.
	Resource string
}

// Stage is a part of how an API server handles a request, in that order.
type Stage string

const (
	StageAuthentication    Stage = "Authentication"
	StageAuthorization     Stage = "Authorization"
	StageAggregation       Stage = "Aggregation"
	StageMutatingPolicy    Stage = "MutatingPolicy"
	StageMutatingWebhook   Stage = "MutatingWebhook"
	StagePodSecurity       Stage = "PodSecurity"
	StageValidatingPolicy  Stage = "ValidatingPolicy"
	StageValidatingWebhook Stage = "ValidatingWebhook"
	StageConversion        Stage = "Conversion"
)

// MatchResult tells whether a hook is registered for a request.
type MatchResult string

const (
	Matched      MatchResult = "Matched"
	NotMatched   MatchResult = "NotMatched"
	MatchUnknown MatchResult = "Unknown"
)

// HopReason is why a hook matches a request or not.
type HopReason string

const (
	ReasonRuleMatched       HopReason = "RuleMatched"
	ReasonNoRuleMatched     HopReason = "NoRuleMatched"
	ReasonNamespaceSelector HopReason = "NamespaceSelector"
	ReasonObjectSelector    HopReason = "ObjectSelector"
	ReasonMatchCondition    HopReason = "MatchCondition"
	ReasonNoBinding         HopReason = "NoBinding"
	ReasonParamNotFound     HopReason = "ParamNotFound"
	ReasonExemptResource    HopReason = "ExemptResource"
	ReasonStageApplies      HopReason = "StageApplies"
	ReasonAuthorizer        HopReason = "Authorizer"
	ReasonUndetermined      HopReason = "Undetermined"
	ReasonError             HopReason = "Error"
)

// Outcome is what comes of a hop.
type Outcome string

const (
	OutcomeCalled     Outcome = "Called"
	OutcomeSkipped    Outcome = "Skipped"
	OutcomeBlocks     Outcome = "Blocks"
	OutcomeAllows     Outcome = "Allows"
	OutcomeMutates    Outcome = "Mutates"
	OutcomeDenies     Outcome = "Denies"
	OutcomeWarns      Outcome = "Warns"
	OutcomeAudits     Outcome = "Audits"
	OutcomeErrors     Outcome = "Errors"
	OutcomeNotReached Outcome = "NotReached"
	OutcomeUnknown    Outcome = "Unknown"
)
