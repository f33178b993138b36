package requestpath

import (
	"context"
	"fmt"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/requestpath/customresource"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// Observed is the observed cluster with what a snapshot of it does not show.
type Observed struct {
	Snapshot *cluster.Snapshot
	// Inventory is that of the snapshot.
	Inventory *inventory.Inventory
	// Params reads the params of policies.
	Params Params
	// MayReadParam tells whether who asks may be shown what a policy says of a
	// param. Nil: everything is shown.
	MayReadParam func(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) bool
	// Time is when the cluster was observed.
	Time metav1.Time
	// Begin is told of each part of an answer that is worked on, and what it
	// returns when that ends: for who measures. Nil: nobody is told.
	Begin func(part string) (end func())
}

// Part works on a part of an answer.
func (o *Observed) Part(name string, work func()) {
	if o.Begin == nil {
		work()
		return
	}
	defer o.Begin(name)()
	work()
}

// Params reads the objects that parametrise policies.
type Params interface {
	// Get returns a param, or nil where there is none. An error means that it
	// cannot be told.
	Get(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error)
	// List returns the params that a selector selects.
	List(ctx context.Context, resource schema.GroupVersionResource, namespace string, selector labels.Selector) ([]*unstructured.Unstructured, error)
}

// Engine says what requests pass through. Between calls it keeps what it
// compiled of the configurations of the newest cluster that it saw. It is safe
// for concurrent use.
type Engine struct {
	schemas *customresource.Schemas

	mu      sync.Mutex
	current *hooks
}

// NewEngine returns an engine that has compiled nothing yet.
func NewEngine() *Engine { return &Engine{schemas: customresource.NewSchemas()} }

// Trace says what a request passes through and what comes of it. The spec is
// defaulted and valid by itself; its user is nil where nobody knows whose
// request it is. A mistake that only the observed cluster reveals is an
// *InvalidError.
func (e *Engine) Trace(ctx context.Context, observed Observed, authorizer Authorizer, spec *extant.RequestReviewSpec) (*extant.RequestReviewStatus, error) {
	r, err := newRequest(observed.Snapshot, e.schemas, spec)
	if err != nil {
		return nil, err
	}
	t := &tracer{
		ctx: ctx, observed: observed, spec: spec, request: r, index: e.hooksOf(observed), flow: newFlow(),
		object: r.object, old: r.old, trace: &trace{},
	}
	t.version = t.index.version
	t.checks = &checks{authorizer: authorizer, trace: t.trace}
	t.run()
	return t.status(), nil
}

// tracer takes one request through the stages.
type tracer struct {
	ctx      context.Context
	observed Observed
	spec     *extant.RequestReviewSpec
	request  *request
	index    *hooks
	version  *version.Version
	checks   *checks
	trace    *trace
	flow     *flow
	// object and old are the objects as the stage at hand sees them.
	object, old *document
	// before is the subject of the stage before, which most stages share.
	before *subject
	// invoked are the policies that may have to be asked again.
	invoked []invoked
}

// run takes the stages in the order of the API server.
func (t *tracer) run() {
	stage := func(name extant.Stage, work func()) { t.observed.Part(string(name), work) }
	stage(extant.StageAuthorization, t.authorization)
	if t.request.aggregated != "" || t.request.unseenServer != "" {
		stage(extant.StageAggregation, t.aggregation)
		return
	}
	if !t.request.spec.Operation.Admitted() {
		stage(extant.StageConversion, t.conversion)
		return
	}
	t.lifecycle()
	t.object = t.request.prepared(mutatingPhase, t.object, t.old)
	stage(extant.StageMutatingPolicy, t.mutatingPolicies)
	stage(extant.StageMutatingWebhook, t.mutatingWebhooks)
	t.reinvoke()
	t.object = t.request.prepared(validatingPhase, t.object, t.old)
	stage(extant.StagePodSecurity, t.podSecurity)
	stage(extant.StageValidatingPolicy, t.validatingPolicies)
	stage(extant.StageValidatingWebhook, t.validatingWebhooks)
	stage(extant.StageConversion, t.conversion)
}

// status is the answer.
func (t *tracer) status() *extant.RequestReviewStatus {
	status := &extant.RequestReviewStatus{
		Observed: extant.Observation{Time: t.observed.Time, Source: t.observed.Snapshot.Origin, Gaps: slices.Clip(t.index.gaps)},
		Verdict:  t.flow.verdict(),
		Hops:     t.flow.hops,
	}
	status.WorstCaseLatency.Duration = t.flow.latency
	for _, hop := range t.flow.hops {
		reference := extant.HookReference{Configuration: hop.Configuration, Hook: hop.Hook, Backend: hop.Backend}
		switch hop.Outcome {
		case extant.OutcomeBlocks:
			status.BlockedBy = append(status.BlockedBy, reference)
		case extant.OutcomeCalled:
			status.Presumes = append(status.Presumes, reference)
		}
	}
	status.Message = t.message(status)
	return status
}

// available says whether the backend of a hop can be called by its hook.
func (t *tracer) available(hop *extant.Hop) metav1.ConditionStatus {
	if slices.Contains(t.spec.Assume.Unavailable, hop.Backend) {
		return metav1.ConditionFalse
	}
	switch t.spec.Assume.Backends {
	case extant.BackendsAllAvailable:
		return metav1.ConditionTrue
	case extant.BackendsAllUnavailable:
		return metav1.ConditionFalse
	}
	if found, ok := t.index.backends[hop.Backend]; ok && found.Status.Available != "" {
		return inventory.Answers(found, resourceAt[hop.Point], hop.Configuration, hop.Hook)
	}
	return metav1.ConditionUnknown
}

// resourceAt is the resource of the objects that register at the points whose
// hooks call a backend.
var resourceAt = map[string]string{
	"mutating-admission-webhook":   "mutatingwebhookconfigurations",
	"validating-admission-webhook": "validatingwebhookconfigurations",
	"crd-conversion-webhook":       "customresourcedefinitions",
	"aggregated-api":               "apiservices",
}

// down says why a hop's backend does not answer it.
func (t *tracer) down(hop *extant.Hop) string {
	found, ok := t.index.backends[hop.Backend]
	if ok && t.spec.Assume.Backends == extant.BackendsObserved && !slices.Contains(t.spec.Assume.Unavailable, hop.Backend) &&
		found.Status.Available == metav1.ConditionTrue {
		return fmt.Sprintf("the certificate of the backend %s is not signed by the caBundle of this hook", hop.Backend)
	}
	return fmt.Sprintf("the backend %s is down", hop.Backend)
}
