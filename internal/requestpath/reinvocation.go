package requestpath

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// When something changes the object, the API server goes through all of the
// mutating phase once more, and then asks those again that say IfNeeded and came
// before the change. Webhooks are presumed to change nothing, so that only
// policies, which come before all webhooks, can be the cause; and a webhook that
// is called again is presumed to allow again. What is left is policies before
// policies.

// invoked is a policy that may have to be asked again.
type invoked struct {
	policy *mutatingPolicy
	bound  *bound
	// again: a policy after it changed the object.
	again bool
}

// invoke notes that a policy was applied, and whether it changed the object.
func (t *tracer) invoke(p *mutatingPolicy, one *bound, hop extant.Hop, changed bool) {
	if changed {
		for i := range t.invoked {
			t.invoked[i].again = true
		}
	}
	ifNeeded := p.reinvocation == string(admissionregistrationv1.IfNeededReinvocationPolicy)
	if ifNeeded && (hop.Outcome == extant.OutcomeAllows || hop.Outcome == extant.OutcomeMutates) {
		t.invoked = append(t.invoked, invoked{policy: p, bound: one})
	}
}

// reinvoke asks policies again. Those that then change or refuse something have
// a second hop, behind the webhooks; the others leave everything as it is.
func (t *tracer) reinvoke() {
	for _, one := range t.invoked {
		if !one.again {
			continue
		}
		s := t.subject(mutatingPhase)
		if s.match(one.policy.criteria).result == extant.NotMatched ||
			one.bound.binding.criteria != nil && s.match(one.bound.binding.criteria).result == extant.NotMatched {
			continue
		}
		hop, e, changed := t.mutate(s, one.policy, one.bound, s.converted(t.object, one.bound.matched.kind))
		if hop, e = t.gated(hop, e); changed == nil && e == passing {
			continue
		}
		t.flow.pass(hop, e)
		if changed != nil {
			t.object = t.convertedBack(s, changed)
		}
	}
}
