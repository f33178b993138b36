package outage

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// passage is an operation with the route that it takes. Workloads of one kind
// share the passages of theirs.
type passage struct {
	// of makes the operation for one of the workloads; what is no workload's is
	// the same for all.
	of func(*workload) *operation
	*route
}

// route is what operations pass, whatever is down: with it, what comes of an
// operation at any moment of an outage follows from what is up then.
type route struct {
	// admitted: whether the operation is allowed if every backend answers and
	// allows it.
	admitted truth
	// because says why it is not, or why that is not known; by are the policies
	// that refuse it.
	because string
	by      []extant.HookReference
	// calls are the backends that are asked, in their order.
	calls []call
}

// call is one hook of a passage that calls a backend.
type call struct {
	hook extant.HookReference
	// matches: whether the hook is asked for this operation. It is not no.
	matches truth
	// closed: the operation is refused when the backend cannot be called.
	closed bool
	stage  extant.Stage
	// timeout is how long the API server waits.
	timeout time.Duration
}

// now is a passage as it is after what was changed.
func (a *analysis) now(p *passage) *passage {
	if changed, ok := a.rerouted[p]; ok {
		return changed
	}
	return p
}

// pass finds the route of an operation.
func (a *analysis) pass(o *operation) *passage {
	return &passage{func(*workload) *operation { return o }, a.routeOf(o)}
}

// passOf finds the route of an operation for a workload.
func (a *analysis) passOf(w *workload, of func(*workload) *operation) *passage {
	return &passage{of, a.routeOf(of(w))}
}

// routeOf finds the route of an operation. Operations of one class take the same.
func (a *analysis) routeOf(o *operation) *route {
	class, shared := a.classOf(o)
	if !shared {
		return a.trace(o, false)
	}
	taken, ok := a.classes.routes[class]
	if !ok {
		taken = a.trace(o, true)
		a.classes.routes[class] = taken
	}
	if allowed, why := a.authorized(o); allowed != yes {
		refused := *taken
		refused.admitted, refused.because = refused.admitted.and(allowed), why
		taken = &refused
	}
	return taken
}

// asks tells whether a hook is asked.
func (p *route) asks(hook extant.HookReference) bool {
	return slices.ContainsFunc(p.calls, func(c call) bool { return c.hook == hook })
}

// trace follows an operation. Who authorizes apart asks only for what the route
// is besides.
func (a *analysis) trace(o *operation, apart bool) *route {
	spec := &extant.RequestReviewSpec{
		Request: o.request(), User: o.by,
		Assume: extant.RequestAssumptions{Backends: extant.BackendsAllAvailable, WatchCache: a.spec.Assume.WatchCache},
	}
	own := rbac.AttributesOf(rbac.UserOf(o.by), &spec.Request)
	observed := a.observed
	if o.namespace == newNamespace && a.founded.Snapshot != nil {
		observed = a.founded
	}
	status, err := a.requests.Trace(a.ctx, observed, &rules{snapshot: a.authorizer, own: own, granted: apart || o.declared}, spec)
	var invalid *requestpath.InvalidError
	switch {
	case errors.As(err, &invalid):
		return &route{admitted: unknown, because: o.String() + ": " + invalid.Error()}
	case err != nil:
		return &route{admitted: unknown, because: err.Error()}
	}
	r := &route{admitted: yes}
	aggregated := false
	for i := range status.Hops {
		aggregated = aggregated || status.Hops[i].Stage == extant.StageAggregation
		r.add(&status.Hops[i], spec)
	}
	switch status.Verdict {
	case extant.VerdictAllowed:
	case extant.VerdictDenied, extant.VerdictBlocked:
		r.admitted, r.because = no, status.Message
	default:
		// What an aggregated server decides for itself, it decided the same before
		// the outage.
		if !aggregated {
			r.admitted, r.because = unknown, status.Message
		}
	}
	return r
}

// authorized tells whether an operation is authorized; the answer is kept for
// all operations of a component on a resource in a namespace.
func (a *analysis) authorized(o *operation) (truth, string) {
	key := authorization{o.by.Username, o.verb, o.group, o.resource, o.subresource, o.namespace}
	known, ok := a.authorizations[key]
	if !ok {
		request := extant.ReviewedRequest{
			Operation: o.verb, Group: o.group, Version: o.version, Resource: o.resource, Subresource: o.subresource, Namespace: o.namespace, Name: o.name,
		}
		own := rbac.AttributesOf(rbac.UserOf(o.by), &request)
		decision, _, err := (&rules{snapshot: a.authorizer, own: own, granted: o.declared}).Authorize(a.ctx, own)
		switch {
		case err != nil:
			known = authorizationAnswer{unknown, fmt.Sprintf("whether %s is authorized is not known: %s", o.by.Username, err)}
		case decision == authorizer.DecisionAllow:
			known = authorizationAnswer{yes, ""}
		default:
			known = authorizationAnswer{no, o.by.Username + " is not authorized"}
		}
		a.authorizations[key] = known
	}
	return known.allowed, known.because
}

// authorization is a question to the authorizer.
type authorization struct {
	by                                      string
	verb                                    extant.RequestOperation
	group, resource, subresource, namespace string
}

type authorizationAnswer struct {
	allowed truth
	because string
}

func (p *route) add(hop *extant.Hop, spec *extant.RequestReviewSpec) {
	if hop.Match == extant.NotMatched {
		return
	}
	reference := extant.HookReference{Configuration: hop.Configuration, Hook: hop.Hook, Backend: hop.Backend}
	if hop.Outcome == extant.OutcomeDenies || hop.Outcome == extant.OutcomeErrors {
		p.by = append(p.by, reference)
	}
	if hop.Backend == "" || hop.Outcome == extant.OutcomeNotReached {
		return
	}
	c := call{hook: reference, matches: yes, closed: hop.FailurePolicy != "Ignore", stage: hop.Stage}
	if hop.Match == extant.MatchUnknown {
		c.matches = unknown
	}
	if hop.Timeout != nil {
		c.timeout = hop.Timeout.Duration
	}
	cached := spec.Request.Operation == extant.OperationList || spec.Request.Operation == extant.OperationWatch
	if hop.Stage == extant.StageConversion && cached {
		// The watch cache holds converted objects, until it has to be filled again.
		switch spec.Assume.WatchCache {
		case extant.WatchCacheWarm:
			c.closed = false
		case extant.WatchCacheCold:
		default:
			c.matches = unknown
		}
	}
	p.calls = append(p.calls, c)
}

// allowed tells whether the operation is allowed at a moment.
func (p *route) allowed(up func(backend string) truth) truth {
	allowed := p.admitted
	for i := range p.calls {
		if c := &p.calls[i]; c.closed {
			allowed = allowed.and(c.matches.not().or(up(c.hook.Backend)))
		}
	}
	return allowed
}

// blockers are the hooks because of which the operation is not allowed at a
// moment.
func (p *route) blockers(up func(backend string) truth) []extant.HookReference {
	blockers := p.by
	for i := range p.calls {
		if c := &p.calls[i]; c.closed && c.matches.not().or(up(c.hook.Backend)) != yes {
			blockers = append(blockers[:len(blockers):len(blockers)], c.hook)
		}
	}
	return blockers
}

// delay is how long the hooks keep the operation waiting, when these backends
// do not answer: webhooks that mutate are called one after the other, those
// that validate at the same time.
func (p *route) delay(silent func(backend string) bool) (total time.Duration, by []extant.HookReference) {
	var longest time.Duration
	for i := range p.calls {
		c := &p.calls[i]
		if !silent(c.hook.Backend) {
			continue
		}
		by = append(by, c.hook)
		if c.stage == extant.StageValidatingWebhook {
			longest = max(longest, c.timeout)
		} else {
			total += c.timeout
		}
	}
	return total + longest, by
}
