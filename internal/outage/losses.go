package outage

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// Loss is what the loss of all of an extension's own backends does.
type Loss struct {
	// Blocks says in one line what the API server refuses meanwhile; empty:
	// nothing.
	Blocks string
	// RecoversUnaided tells whether the cluster gets the backends back without a
	// human. Reason and Message say why, for a condition. What has no backends
	// has nothing to lose, and recovers.
	RecoversUnaided metav1.ConditionStatus
	Reason, Message string
}

// The reasons for which an extension recovers, or not.
const (
	reasonNothingToLose = "NothingToLose"
	reasonComesBack     = "ComesBack"
	reasonDeadlock      = "Deadlock"
	reasonStuck         = "Stuck"
	reasonUndetermined  = "Undetermined"
)

// losses are those of the extensions of one cluster, with what each was
// computed from.
type losses struct {
	mu       sync.Mutex
	observed *requestpath.Observed
	// system is what every recovery needs of the control plane.
	system *knownLoss
	// of is by the name of the extension.
	of map[string]*knownLoss
}

// knownLoss is a loss with what it was computed from.
type knownLoss struct {
	Loss
	basis
	// components are those of the control plane; only system has them.
	components []*controlComponent
}

// Losses says for every extension of the inventory, by name, what the loss of
// all its backends at once does. Between calls the engine keeps the losses of
// the newest cluster, and computes again those that a change can affect: the
// cluster of each call is taken to be that of the call before, later on.
func (e *Engine) Losses(ctx context.Context, observed requestpath.Observed) (map[string]Loss, error) {
	e.known.mu.Lock()
	defer e.known.mu.Unlock()
	p := e.newPass(ctx, observed)
	next := losses{observed: &observed, of: make(map[string]*knownLoss, len(observed.Inventory.Extensions))}
	var err error
	if next.system, err = p.control(e.known.system); err != nil {
		return nil, err
	}
	answers := make(map[string]Loss, len(observed.Inventory.Extensions))
	for i := range observed.Inventory.Extensions {
		extension := &observed.Inventory.Extensions[i]
		known, err := p.loss(extension, e.known.of[extension.Name], next.system)
		if err != nil {
			return nil, err
		}
		next.of[extension.Name], answers[extension.Name] = known, known.Loss
	}
	e.known.observed, e.known.system, e.known.of = next.observed, next.system, next.of
	return answers, nil
}

// pass brings the losses of one cluster up to date.
type pass struct {
	ctx        context.Context
	requests   *requestpath.Engine
	authorizer *rbac.Authorizer
	observed   requestpath.Observed
	// seen is the cluster without what is assumed of it.
	seen   *analysis
	since  *changes
	params watchedParams
	// backends are those of the cluster.
	backends *backends
	// classes are shared by the analyses of the pass. Routes that hang on params
	// are not among them: no two requests are of one class to a policy.
	classes classes
}

func (e *Engine) newPass(ctx context.Context, observed requestpath.Observed) *pass {
	p := &pass{
		ctx: ctx, requests: e.requests, authorizer: e.authorizers.Of(observed.Snapshot),
		seen:  &analysis{ctx: ctx, observed: observed, spec: &extant.OutageReviewSpec{}},
		since: changesSince(e.known.observed, &observed), classes: newClasses(),
	}
	var added []string
	if p.observed, added = assumeNamespaces(observed); len(added) > 0 {
		p.requests = e.edited
	}
	if observed.Params != nil {
		p.params.Params, p.observed.Params = observed.Params, &p.params
	}
	return p
}

// control analyses what every recovery needs: an outage of nothing. Where more
// than the hooks that it asks is another, so is every loss.
func (p *pass) control(known *knownLoss) (*knownLoss, error) {
	other := known == nil || p.since.concern(&known.basis)
	if !other && !slices.ContainsFunc(p.since.asked, func(hook askedHook) bool { return p.since.mayAsk(&hook, &known.basis, true) }) {
		return known, nil
	}
	p.since.everything = p.since.everything || other
	a, err := p.analyze(nil, nil)
	if err != nil {
		return nil, err
	}
	known = &knownLoss{components: []*controlComponent{a.controllers(), a.scheduler(), a.kubelets()}}
	known.basis = p.basisOf(a, nil, known.components)
	return known, nil
}

// analyze analyses the loss of some backends.
func (p *pass) analyze(backends []string, system *knownLoss) (*analysis, error) {
	p.params.read = false
	if p.backends == nil {
		p.backends = (&analysis{observed: p.observed}).readBackends()
	}
	// What is refused says which request was refused: that is of one namespace.
	maps.DeleteFunc(p.classes.routes, func(_ class, r *route) bool { return r.admitted != yes })
	spec := &extant.OutageReviewSpec{Down: extant.Outage{Backends: backends, Mode: extant.ModePodsLost}, Detail: extant.DetailSummary}
	return analyze(p.ctx, p.requests, p.authorizer, p.observed, spec, func(a *analysis) {
		a.classes, a.backends = p.classes, p.backends
		if system != nil {
			a.controllerManager, a.defaultScheduler, a.nodes = system.components[0], system.components[1], system.components[2]
		}
	})
}

// loss is that of an extension: what is known of it, if no change concerns it.
func (p *pass) loss(extension *extant.Extension, known, system *knownLoss) (*knownLoss, error) {
	own := extension.Status.Backends
	switch {
	case len(own) == 0:
		return &knownLoss{Loss: p.nothing()}, nil
	case known == nil || !known.isOf(own) || p.since.concern(&known.basis) || p.since.concernAsked(&known.basis, &system.basis):
		a, err := p.analyze(own, system)
		if err != nil {
			return nil, err
		}
		known = &knownLoss{Loss: a.verdict(own), basis: p.basisOf(a, own, nil)}
		known.Blocks = p.refused(known.lost)
		return known, p.ctx.Err()
	case p.since.concernHooks(&known.basis):
		again := *known
		again.Blocks = p.refused(known.lost)
		return &again, p.ctx.Err()
	}
	return known, nil
}

// nothing is the loss of no backends.
func (p *pass) nothing() Loss {
	for _, resource := range registrationResources {
		if gap, ok := p.observed.Snapshot.DecidingGap(resource); ok {
			return Loss{
				RecoversUnaided: metav1.ConditionUnknown, Reason: reasonUndetermined,
				Message: "whether it has backends is not known: " + resource.Resource + " cannot be seen: " + string(gap.Reason),
			}
		}
	}
	return Loss{RecoversUnaided: metav1.ConditionTrue, Reason: reasonNothingToLose, Message: "it has no backends that could be lost"}
}

// verdict tells whether what is lost comes back.
func (a *analysis) verdict(own []string) Loss {
	recovery := a.recovery()
	loss := Loss{RecoversUnaided: recovery.RecoversUnaided, Message: recovery.Reason}
	status, why := a.notLost(own)
	switch {
	case recovery.RecoversUnaided == metav1.ConditionFalse || status == metav1.ConditionTrue:
	case status == metav1.ConditionFalse || recovery.RecoversUnaided == metav1.ConditionTrue:
		loss.RecoversUnaided, loss.Message = status, why
	}
	switch loss.RecoversUnaided {
	case metav1.ConditionTrue:
		loss.Reason = reasonComesBack
	case metav1.ConditionUnknown:
		loss.Reason = reasonUndetermined
	default:
		loss.Reason = reasonStuck
		if len(recovery.Deadlocks) > 0 {
			loss.Reason = reasonDeadlock
			loss.Message += ". " + strings.Join(recovery.Deadlocks[0].Explanation, " ")
		} else if len(recovery.Stuck) > 0 {
			loss.Message += ": " + recovery.Stuck[0].Message
		} else if len(recovery.Unreachable) > 0 && why == "" {
			loss.Message += a.unpublished(recovery.Unreachable[0])
		}
	}
	loss.Message = shortMessage(loss.Message)
	return loss
}

// unpublished says what keeps a backend from being reached whose workloads are
// back.
func (a *analysis) unpublished(name string) string {
	if lacking := a.last().lacking(a.publications[a.loss.backends[name]]); len(lacking) > 0 {
		return ": " + lacking[0].because.of(nil)
	}
	return ""
}

// shortMessage keeps a message within what a condition holds, and people read.
func shortMessage(message string) string {
	const most = 1000
	if len(message) <= most {
		return message
	}
	return strings.ToValidUTF8(message[:most], "") + "…"
}

// notLost tells of the backends that are not among the lost ones whether they
// come back: those that do not answer already, and those of which nothing was
// seen that could be lost.
func (a *analysis) notLost(own []string) (metav1.ConditionStatus, string) {
	status, why := metav1.ConditionTrue, ""
	for _, name := range own {
		b, ok := a.backends.named[name]
		if !ok || a.loss.backends[name] != nil {
			continue
		}
		a.publications[b] = a.publication(b)
		if lacking := a.last().lacking(a.publications[b]); len(lacking) > 0 {
			return metav1.ConditionFalse, "backend " + name + ": " + lacking[0].because.of(nil)
		}
		if status == metav1.ConditionUnknown {
			continue
		}
		status, why = metav1.ConditionUnknown, "what runs behind the backend "+name+" cannot be seen"
		if b.before != yes && b.because != "" {
			why = "the backend " + name + " does not answer already: " + b.because
		}
	}
	return status, why
}
