package requestpath

import (
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

const (
	pointMutatingWebhook   = "mutating-admission-webhook"
	pointValidatingWebhook = "validating-admission-webhook"
)

// mutatingWebhooks are called one after the other, each with what the ones
// before made of the object. They are presumed to change nothing.
func (t *tracer) mutatingWebhooks() {
	if t.unseen(policyStage{extant.StageMutatingWebhook, pointMutatingWebhook}, mutatingConfigurations) {
		return
	}
	s := t.subject(mutatingPhase)
	exempt := t.exemptions(s)
	for _, w := range t.webhooks(&t.index.mutatingWebhooks) {
		if hop, e := t.webhook(s, w, exempt); t.wanted(&hop) {
			t.flow.pass(hop, e)
		}
	}
}

// validatingWebhooks are all called at once, unless the conditions of one of
// them cannot be evaluated: then none is.
func (t *tracer) validatingWebhooks() {
	if t.unseen(policyStage{extant.StageValidatingWebhook, pointValidatingWebhook}, validatingConfigurations) {
		return
	}
	s := t.subject(validatingPhase)
	exempt := t.exemptions(s)
	var hops []extant.Hop
	var each []effects
	failed, mayFail := -1, false
	for _, w := range t.webhooks(&t.index.validatingWebhooks) {
		hop, e := t.webhook(s, w, exempt)
		if !t.wanted(&hop) {
			continue
		}
		if hop.Outcome == extant.OutcomeErrors && failed < 0 {
			failed = len(hops)
		}
		mayFail = mayFail || hop.Outcome == extant.OutcomeUnknown && e.denies
		hops, each = append(hops, hop), append(each, e)
	}
	for i := range hops {
		called := hops[i].Match == extant.Matched && hops[i].Outcome != extant.OutcomeErrors
		switch {
		case failed >= 0 && i != failed && hops[i].Match != extant.NotMatched:
			// Which of several failing conditions is met first is the order of the
			// configurations.
			hops[i].Outcome, each[i] = extant.OutcomeNotReached, passing
		case mayFail && called:
			hops[i].Outcome, hops[i].Reason = extant.OutcomeUnknown, extant.ReasonUndetermined
			hops[i].Message = "no validating webhook is called where the conditions of one fail, and whether they do is not known"
			each[i] = each[i].or(passing)
		}
	}
	t.flow.together(hops, each)
}

// webhooks returns the webhooks to look at: all of them where those that do
// not match are wanted too, else those whose rules can.
func (t *tracer) webhooks(x *index[*registered]) []*registered {
	if t.spec.IncludeUnmatched {
		return x.all
	}
	return x.candidates(t.request.equivalents, t.request)
}

// wanted tells whether a hop belongs into the answer.
func (t *tracer) wanted(hop *extant.Hop) bool {
	return t.spec.IncludeUnmatched || hop.Match != extant.NotMatched
}

// webhook returns the hop of one webhook, and what can come of it.
func (t *tracer) webhook(s *subject, w *registered, exempt exemptions) (extant.Hop, effects) {
	hop := w.hop
	if why := exempt.of(w.static); why != "" {
		hop.Match, hop.Reason, hop.Message = extant.NotMatched, extant.ReasonExemptResource, why
		return hop, passing
	}
	m := s.match(w.criteria)
	if m.result == extant.NotMatched || m.reason == extant.ReasonError {
		return undecided(hop, m)
	}
	hop.SentAs = sentAs(m)
	result := conditionResult{matches: true}
	if w.conditional {
		result = w.matchConditions().evaluate(t.input(s, m, nil))
	}
	before := m.result
	switch m = result.narrow(m); {
	case m.result == extant.NotMatched:
		hop.SentAs = nil
		return undecided(hop, m)
	case before == extant.MatchUnknown && m.result == extant.Matched:
		// An error of the conditions, if the selector selects.
		m.result = before
	}
	hop.Match, hop.Reason, hop.Message = m.result, m.reason, m.message
	if result.fails && result.sure() && m.result == extant.Matched {
		hop.Outcome = extant.OutcomeErrors
		return hop, denying
	}
	outcome, e := t.call(&hop, w.webhook)
	if hop.Outcome = outcome; m.result != extant.Matched {
		hop.Outcome = extant.OutcomeUnknown
		if !result.matches {
			e = effects{}
		}
		e = e.or(passing)
	}
	if result.fails {
		e = e.or(denying)
	}
	return hop, e
}

// undecided fills in a hop of which matching decides everything.
func undecided(hop extant.Hop, m matched) (extant.Hop, effects) {
	hop.Match, hop.Reason, hop.Message = m.result, m.reason, m.message
	if m.reason == extant.ReasonError {
		// The library could not tell either, and refuses the request.
		hop.Match, hop.Outcome = extant.Matched, extant.OutcomeErrors
		return hop, denying
	}
	return hop, passing
}

func sentAs(m matched) *extant.SentResource {
	return &extant.SentResource{Group: m.resource.Group, Version: m.resource.Version, Resource: m.resource.Resource}
}

// call says what comes of calling a webhook that matches.
func (t *tracer) call(hop *extant.Hop, w *webhook) (extant.Outcome, effects) {
	hop.BackendAvailable = t.available(hop)
	if t.request.spec.DryRun && w.sideEffects != nil &&
		*w.sideEffects != admissionregistrationv1.SideEffectClassNone && *w.sideEffects != admissionregistrationv1.SideEffectClassNoneOnDryRun {
		hop.Message = fmt.Sprintf("a dry run is refused: sideEffects is %s", *w.sideEffects)
		return extant.OutcomeDenies, denying
	}
	ignore := w.failurePolicy == admissionregistrationv1.Ignore
	switch hop.BackendAvailable {
	case metav1.ConditionTrue:
		return extant.OutcomeCalled, passing
	case metav1.ConditionFalse:
		hop.Message = t.down(hop)
		if ignore {
			return extant.OutcomeSkipped, passing
		}
		return extant.OutcomeBlocks, blocking
	default:
		if hop.Message == "" {
			hop.Message = fmt.Sprintf("whether the backend %s answers is not known", hop.Backend)
		}
		if ignore {
			return extant.OutcomeUnknown, passing
		}
		return extant.OutcomeUnknown, passing.or(blocking)
	}
}
