package v1alpha1

import (
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// +genclient
// +genclient:nonNamespaced
// +genclient:onlyVerbs=create
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// RequestReview asks what a request to the observed cluster's API server
// passes through, and what comes of it. It is answered and not kept: the only
// verb is create, and nothing in the observed cluster is touched.
type RequestReview struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. Nothing of it is kept, and no name is needed.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// The request, who makes it, and what is assumed.
	Spec RequestReviewSpec `json:"spec" protobuf:"bytes,2,opt,name=spec"`
	// The answer. Written by Extant; what is sent is ignored.
	// +optional
	Status RequestReviewStatus `json:"status,omitzero" protobuf:"bytes,3,opt,name=status"`
}

// RequestReviewSpec is a request, who makes it, and what is assumed.
type RequestReviewSpec struct {
	// The request to the API server.
	Request ReviewedRequest `json:"request" protobuf:"bytes,1,opt,name=request"`
	// Who makes the request. Absent means the caller's own user. Naming another
	// user needs the right to impersonate it: the verb impersonate on users or
	// serviceaccounts, on each of groups, and in authentication.k8s.io on uids
	// and on userextras/<key> for each value.
	// +optional
	User *authenticationv1.UserInfo `json:"user,omitempty" protobuf:"bytes,2,opt,name=user"`
	// What is taken for granted, whatever is observed.
	// +optional
	Assume RequestAssumptions `json:"assume,omitzero" protobuf:"bytes,3,opt,name=assume"`
	// Also list the hooks that do not match the request, with the reason.
	// +optional
	IncludeUnmatched bool `json:"includeUnmatched,omitempty" protobuf:"varint,4,opt,name=includeUnmatched"`
}

// ReviewedRequest is a request to an API server.
type ReviewedRequest struct {
	// CREATE, UPDATE, DELETE or CONNECT, which pass admission, or GET, LIST or
	// WATCH, which do not.
	Operation RequestOperation `json:"operation" protobuf:"bytes,1,opt,name=operation,casttype=RequestOperation"`
	// The API group; empty for the core group.
	// +optional
	Group string `json:"group,omitempty" protobuf:"bytes,2,opt,name=group"`
	// The version of the API group, such as v1.
	Version string `json:"version" protobuf:"bytes,3,opt,name=version"`
	// The resource, plural and lower case.
	Resource string `json:"resource" protobuf:"bytes,4,opt,name=resource"`
	// The subresource, such as status or scale. Empty for the resource itself.
	// +optional
	Subresource string `json:"subresource,omitempty" protobuf:"bytes,5,opt,name=subresource"`
	// The namespace. Empty for cluster-scoped resources.
	// +optional
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,6,opt,name=namespace"`
	// The name of the object. Empty where the API server generates it
	// (generateName), and for collections. Absent in a CREATE with an object, it
	// is the object's.
	// +optional
	Name string `json:"name,omitempty" protobuf:"bytes,7,opt,name=name"`
	// The whole object as it is sent, at most 1.5 MiB; for CONNECT the options of
	// the subresource, such as PodExecOptions. Absent: selectors and conditions
	// that need it are Unknown.
	// +optional
	Object runtime.RawExtension `json:"object,omitzero" protobuf:"bytes,8,opt,name=object"`
	// The whole object as it is stored, for UPDATE and DELETE, at most 1.5 MiB.
	// Absent: selectors and conditions that need it are Unknown.
	// +optional
	OldObject runtime.RawExtension `json:"oldObject,omitzero" protobuf:"bytes,9,opt,name=oldObject"`
	// The options of the request, such as CreateOptions or DeleteOptions.
	// +optional
	Options runtime.RawExtension `json:"options,omitzero" protobuf:"bytes,10,opt,name=options"`
	// Whether the request is a dry run. The API server then refuses it where a
	// webhook that has side effects would be called.
	// +optional
	DryRun bool `json:"dryRun,omitempty" protobuf:"varint,11,opt,name=dryRun"`
}

// RequestOperation is what a request does.
// +enum
type RequestOperation string

const (
	// A new object. A PUT or a server-side apply of a missing object is one too.
	OperationCreate RequestOperation = "CREATE"
	// A change of an object, by PUT or PATCH.
	OperationUpdate RequestOperation = "UPDATE"
	// The deletion of an object or, without a name, of each one of a collection.
	OperationDelete RequestOperation = "DELETE"
	// A connection to a subresource: exec, attach, portforward or proxy.
	OperationConnect RequestOperation = "CONNECT"
	// The read of one object.
	OperationGet RequestOperation = "GET"
	// The read of a collection.
	OperationList RequestOperation = "LIST"
	// The watch of a collection.
	OperationWatch RequestOperation = "WATCH"
)

// RequestAssumptions are taken for granted, whatever is observed.
type RequestAssumptions struct {
	// Observed, AllAvailable or AllUnavailable: what is taken to be the state of
	// the backends. Defaults to Observed.
	// +optional
	// +default="Observed"
	Backends AssumedBackends `json:"backends,omitempty" protobuf:"bytes,1,opt,name=backends,casttype=AssumedBackends"`
	// The names of Backends that are taken to be down, besides. At most 1000.
	// +optional
	// +listType=atomic
	Unavailable []string `json:"unavailable,omitempty" protobuf:"bytes,2,rep,name=unavailable"`
	// Warm or Cold: whether reads in a converted version may be answered from the
	// API server's watch cache. Absent: what depends on it is Unknown.
	// +optional
	WatchCache WatchCacheState `json:"watchCache,omitempty" protobuf:"bytes,3,opt,name=watchCache,casttype=WatchCacheState"`
}

// AssumedBackends says what is taken to be the state of the backends.
// +enum
type AssumedBackends string

const (
	// As they are observed.
	BackendsObserved AssumedBackends = "Observed"
	// Each answers.
	BackendsAllAvailable AssumedBackends = "AllAvailable"
	// None answers.
	BackendsAllUnavailable AssumedBackends = "AllUnavailable"
)

// WatchCacheState says whether the API server's watch cache is filled.
// +enum
type WatchCacheState string

const (
	// It is filled, so that lists and watches need no conversion.
	WatchCacheWarm WatchCacheState = "Warm"
	// It is being filled, as after a restart.
	WatchCacheCold WatchCacheState = "Cold"
)

// RequestReviewStatus is what comes of a request, and what it passes through.
type RequestReviewStatus struct {
	// What the answer was read from, and what it could not see.
	// +optional
	Observed Observation `json:"observed,omitzero" protobuf:"bytes,1,opt,name=observed"`
	// Allowed, Denied, Blocked or Unknown. What a live webhook would answer cannot
	// be known: each hook that is called is presumed to allow the request and to
	// change nothing.
	Verdict Verdict `json:"verdict" protobuf:"bytes,2,opt,name=verdict,casttype=Verdict"`
	// Why, for people.
	// +optional
	Message string `json:"message,omitempty" protobuf:"bytes,3,opt,name=message"`
	// The fail-closed hooks whose backend is down.
	// +optional
	// +listType=atomic
	BlockedBy []HookReference `json:"blockedBy,omitempty" protobuf:"bytes,4,rep,name=blockedBy"`
	// The hooks that are presumed to allow the request.
	// +optional
	// +listType=atomic
	Presumes []HookReference `json:"presumes,omitempty" protobuf:"bytes,5,rep,name=presumes"`
	// How long the hooks can take together until the API server gives up on them:
	// the sum of the timeouts of what runs in sequence, the largest of what runs
	// in parallel.
	// +optional
	WorstCaseLatency metav1.Duration `json:"worstCaseLatency,omitempty" protobuf:"bytes,6,opt,name=worstCaseLatency"`
	// What the request passes, in the order in which the API server takes it.
	// +optional
	// +listType=atomic
	Hops []Hop `json:"hops,omitempty" protobuf:"bytes,7,rep,name=hops"`
}

// Verdict is what comes of a request.
// +enum
type Verdict string

const (
	// It goes through, as far as each hook that is called allows it.
	VerdictAllowed Verdict = "Allowed"
	// It is refused by the rules of the cluster.
	VerdictDenied Verdict = "Denied"
	// It is refused because a backend that must be asked is down.
	VerdictBlocked Verdict = "Blocked"
	// It cannot be told; the message says why.
	VerdictUnknown Verdict = "Unknown"
)

// Observation is what an answer was read from.
type Observation struct {
	// When the observed cluster was read.
	// +optional
	Time metav1.Time `json:"time,omitzero" protobuf:"bytes,1,opt,name=time"`
	// Where the observed cluster was read: live or dump.
	// +optional
	Source string `json:"source,omitempty" protobuf:"bytes,2,opt,name=source"`
	// What could not be seen.
	// +optional
	// +listType=atomic
	Gaps []Gap `json:"gaps,omitempty" protobuf:"bytes,3,rep,name=gaps"`
}

// Gap is something that an answer could not see.
type Gap struct {
	// The resource as <resource>.<group>, or another word for what was not seen,
	// such as version.
	Resource string `json:"resource" protobuf:"bytes,1,opt,name=resource"`
	// Forbidden, NotServed, NotSynced and Malformed make what depends on the
	// resource Unknown; NotInDump and Assumed inform.
	Reason string `json:"reason" protobuf:"bytes,2,opt,name=reason"`
	// What is missing, or was assumed, for people.
	// +optional
	Message string `json:"message,omitempty" protobuf:"bytes,3,opt,name=message"`
}

// HookReference names a hook and the backend that it calls.
type HookReference struct {
	// The object that registers the hook.
	Configuration string `json:"configuration" protobuf:"bytes,1,opt,name=configuration"`
	// The name of the hook in it.
	// +optional
	Hook string `json:"hook,omitempty" protobuf:"bytes,2,opt,name=hook"`
	// The name of the Backend.
	// +optional
	Backend string `json:"backend,omitempty" protobuf:"bytes,3,opt,name=backend"`
}

// Hop is one extension point that a request passes, or one hook at it.
type Hop struct {
	// The stage of the request's handling: Authentication, Authorization,
	// Aggregation, MutatingPolicy, MutatingWebhook, PodSecurity, ValidatingPolicy,
	// ValidatingWebhook or Conversion.
	Stage Stage `json:"stage" protobuf:"bytes,1,opt,name=stage,casttype=Stage"`
	// The name of the ExtensionPoint.
	// +optional
	Point string `json:"point,omitempty" protobuf:"bytes,2,opt,name=point"`
	// The name of the Extension that the hook belongs to.
	// +optional
	Extension string `json:"extension,omitempty" protobuf:"bytes,3,opt,name=extension"`
	// The object that registers the hook; for a policy the name of the policy.
	// +optional
	Configuration string `json:"configuration,omitempty" protobuf:"bytes,4,opt,name=configuration"`
	// The name of the hook in it; for a policy the name of the binding.
	// +optional
	Hook string `json:"hook,omitempty" protobuf:"bytes,5,opt,name=hook"`
	// Matched, NotMatched or Unknown: whether the request is one that the hook is
	// registered for.
	Match MatchResult `json:"match" protobuf:"bytes,6,opt,name=match,casttype=MatchResult"`
	// Why: the first predicate that decided.
	// +optional
	Reason HopReason `json:"reason,omitempty" protobuf:"bytes,7,opt,name=reason,casttype=HopReason"`
	// Why, for people.
	// +optional
	Message string `json:"message,omitempty" protobuf:"bytes,8,opt,name=message"`
	// What the hook receives: another version than the request's where the
	// hook's matchPolicy is Equivalent.
	// +optional
	SentAs *SentResource `json:"sentAs,omitempty" protobuf:"bytes,9,opt,name=sentAs"`
	// Fail or Ignore. Empty where the stage leaves no choice.
	// +optional
	FailurePolicy string `json:"failurePolicy,omitempty" protobuf:"bytes,10,opt,name=failurePolicy"`
	// How long the API server waits for the hook.
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty" protobuf:"bytes,11,opt,name=timeout"`
	// Never or IfNeeded, for mutating hooks and policies.
	// +optional
	ReinvocationPolicy string `json:"reinvocationPolicy,omitempty" protobuf:"bytes,12,opt,name=reinvocationPolicy"`
	// The name of the Backend that is called.
	// +optional
	Backend string `json:"backend,omitempty" protobuf:"bytes,13,opt,name=backend"`
	// True, False or Unknown: whether the backend can be called. Empty without a
	// backend.
	// +optional
	BackendAvailable metav1.ConditionStatus `json:"backendAvailable,omitempty" protobuf:"bytes,14,opt,name=backendAvailable,casttype=k8s.io/apimachinery/pkg/apis/meta/v1.ConditionStatus"`
	// What comes of the hop: Called, Skipped, Blocks, Allows, Mutates, Denies,
	// Warns, Audits, Errors, NotReached or Unknown.
	Outcome Outcome `json:"outcome" protobuf:"bytes,15,opt,name=outcome,casttype=Outcome"`
	// What a mutating policy changes, as a JSON patch.
	// +optional
	Patch string `json:"patch,omitempty" protobuf:"bytes,16,opt,name=patch"`
}

// SentResource is a resource as a hook receives it.
type SentResource struct {
	// The API group; empty for the core group.
	// +optional
	// +default=""
	Group string `json:"group" protobuf:"bytes,1,opt,name=group"`
	// The version.
	Version string `json:"version" protobuf:"bytes,2,opt,name=version"`
	// The resource.
	Resource string `json:"resource" protobuf:"bytes,3,opt,name=resource"`
}

// Stage is a part of how an API server handles a request, in that order.
// +enum
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
// +enum
type MatchResult string

const (
	Matched      MatchResult = "Matched"
	NotMatched   MatchResult = "NotMatched"
	MatchUnknown MatchResult = "Unknown"
)

// HopReason is why a hook matches a request or not.
// +enum
type HopReason string

const (
	// A rule of the hook covers the request, and nothing excludes it.
	ReasonRuleMatched HopReason = "RuleMatched"
	// No rule of the hook covers the request.
	ReasonNoRuleMatched HopReason = "NoRuleMatched"
	// The namespaceSelector excludes the request.
	ReasonNamespaceSelector HopReason = "NamespaceSelector"
	// The objectSelector excludes the request.
	ReasonObjectSelector HopReason = "ObjectSelector"
	// A match condition is false.
	ReasonMatchCondition HopReason = "MatchCondition"
	// The policy has no binding, so that it does nothing.
	ReasonNoBinding HopReason = "NoBinding"
	// The param object of the policy is missing.
	ReasonParamNotFound HopReason = "ParamNotFound"
	// The API server never sends such resources to hooks.
	ReasonExemptResource HopReason = "ExemptResource"
	// The stage applies to the request.
	ReasonStageApplies HopReason = "StageApplies"
	// The authorizer decided.
	ReasonAuthorizer HopReason = "Authorizer"
	// It cannot be told from what is known; the message says why.
	ReasonUndetermined HopReason = "Undetermined"
	// Something in the observed cluster is wrong, such as an expression that does
	// not compile.
	ReasonError HopReason = "Error"
)

// Outcome is what comes of a hop.
// +enum
type Outcome string

const (
	// The hook is called, and presumed to allow the request.
	OutcomeCalled Outcome = "Called"
	// The hook is not called, and the request goes on.
	OutcomeSkipped Outcome = "Skipped"
	// The request is refused because the hook cannot be called.
	OutcomeBlocks Outcome = "Blocks"
	// The request is allowed here.
	OutcomeAllows Outcome = "Allows"
	// The request is changed.
	OutcomeMutates Outcome = "Mutates"
	// The request is refused.
	OutcomeDenies Outcome = "Denies"
	// The request goes on with a warning.
	OutcomeWarns Outcome = "Warns"
	// The request goes on, and is marked in the audit log.
	OutcomeAudits Outcome = "Audits"
	// The evaluation fails, and the failure policy decides.
	OutcomeErrors Outcome = "Errors"
	// The request was refused before.
	OutcomeNotReached Outcome = "NotReached"
	// It cannot be told; the message says why.
	OutcomeUnknown Outcome = "Unknown"
)
