package requestpath

import (
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/cel/environment"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// policy is what both sorts of admission policies have.
type policy struct {
	name          string
	resource      string
	criteria      *criteria
	failurePolicy *admissionregistrationv1.FailurePolicyType
	paramKind     *admissionregistrationv1.ParamKind
}

func newPolicy(name, resource string, constraints *admissionregistrationv1.MatchResources, failurePolicy *admissionregistrationv1.FailurePolicyType, paramKind *admissionregistrationv1.ParamKind) policy {
	p := policy{name: name, resource: resource, failurePolicy: failurePolicy, paramKind: paramKind}
	if constraints == nil {
		p.criteria = &criteria{err: fmt.Errorf("the policy has no matchConstraints"), everything: true}
	} else {
		p.criteria = newCriteria(*constraints, true)
	}
	return p
}

// ignores tells whether errors of the policy let requests pass.
func (p *policy) ignores() bool {
	return p.failurePolicy != nil && *p.failurePolicy == admissionregistrationv1.Ignore
}

// binding is what both sorts of bindings have.
type binding struct {
	name     string
	criteria *criteria
	paramRef *admissionregistrationv1.ParamRef
	actions  []admissionregistrationv1.ValidationAction
}

func newBinding(name string, match *admissionregistrationv1.MatchResources, ref *admissionregistrationv1.ParamRef) *binding {
	b := &binding{name: name, paramRef: ref}
	if match != nil {
		b.criteria = newCriteria(*match, true)
	}
	return b
}

func newMutatingBinding(b *admissionregistrationv1.MutatingAdmissionPolicyBinding) *binding {
	return newBinding(b.Name, b.Spec.MatchResources, b.Spec.ParamRef)
}

func newValidatingBinding(b *admissionregistrationv1.ValidatingAdmissionPolicyBinding) *binding {
	made := newBinding(b.Name, b.Spec.MatchResources, b.Spec.ParamRef)
	made.actions = b.Spec.ValidationActions
	return made
}

// policyCompiler compiles the expressions of one policy, which can name its
// variables.
type policyCompiler struct {
	*celplugin.CompositedCompiler
	declared  celplugin.OptionalVariableDeclarations
	variables map[string]reads
}

func newPolicyCompiler(variables []admissionregistrationv1.Variable, hasParams bool) (*policyCompiler, error) {
	composed, err := celplugin.NewCompositedCompiler(baseEnvironment())
	if err != nil {
		return nil, err
	}
	c := &policyCompiler{composed, celplugin.OptionalVariableDeclarations{HasParams: hasParams, HasAuthorizer: true}, map[string]reads{}}
	for _, variable := range variables {
		c.CompileAndStoreVariable(&validating.Variable{Name: variable.Name, Expression: variable.Expression}, c.declared, environment.StoredExpressions)
		c.variables[variable.Name] = readsOf(variable.Expression).with(c.variables)
	}
	return c, nil
}

// bound is a policy that matches a request, by one binding.
type bound struct {
	policy  *policy
	binding *binding
	// matched is how the policy matches; it says in which version.
	matched matched
	params  params
	hop     extant.Hop
}

// policyHop returns the hop of a policy by a binding, or of the policy alone.
func (t *tracer) policyHop(stage extant.Stage, point string, p *policy, b *binding) extant.Hop {
	hop := extant.Hop{Stage: stage, Point: point, Configuration: p.name, FailurePolicy: string(admissionregistrationv1.Fail)}
	if p.failurePolicy != nil {
		hop.FailurePolicy = string(*p.failurePolicy)
	}
	if b == nil {
		return hop
	}
	hop.Hook = b.name
	if known, ok := t.index.facts[inventory.HookKey{Resource: p.resource, Object: p.name, Name: b.name}]; ok {
		hop.Extension = known.Extension
	}
	return hop
}

// policyStage is one of the two stages of policies.
type policyStage struct {
	stage extant.Stage
	point string
}

// match matches a policy and its bindings, and collects the params of those
// that match. The others come as decided hops.
func (t *tracer) match(s *subject, at policyStage, p *policy, static bool, all []*binding) (matching []*bound, decided []extant.Hop) {
	alone := t.policyHop(at.stage, at.point, p, nil)
	if reason := t.exemptFromPolicies(static); reason != "" {
		alone.Match, alone.Reason, alone.Message = extant.NotMatched, extant.ReasonExemptResource, reason
		return nil, []extant.Hop{alone}
	}
	if len(all) == 0 {
		alone.Match, alone.Reason, alone.Message = extant.NotMatched, extant.ReasonNoBinding, "no binding names the policy"
		return nil, []extant.Hop{alone}
	}
	m := s.match(p.criteria)
	if m.reason == extant.ReasonError {
		return nil, []extant.Hop{p.misconfigured(alone, extant.ReasonError, m.message)}
	}
	if m.result == extant.NotMatched {
		alone.Match, alone.Reason, alone.Message = m.result, m.reason, m.message
		return nil, []extant.Hop{alone}
	}
	var resource cluster.APIResource
	if p.paramKind != nil {
		var ok bool
		if resource, ok = paramResource(t.observed.Snapshot, p.paramKind); !ok {
			return nil, []extant.Hop{p.misconfigured(alone, extant.ReasonError, fmt.Sprintf("the cluster serves no %s in %s, which is the paramKind", p.paramKind.Kind, p.paramKind.APIVersion))}
		}
	}
	for _, b := range all {
		one := &bound{policy: p, binding: b, matched: m, hop: t.policyHop(at.stage, at.point, p, b)}
		if b.criteria != nil {
			switch narrower := s.match(b.criteria); {
			case narrower.reason == extant.ReasonError:
				decided = append(decided, p.misconfigured(one.hop, extant.ReasonError, narrower.message))
				continue
			case narrower.result == extant.NotMatched:
				one.hop.Match, one.hop.Reason, one.hop.Message = narrower.result, narrower.reason, "the binding: "+narrower.message
				decided = append(decided, one.hop)
				continue
			case narrower.result == extant.MatchUnknown:
				one.matched.result, one.matched.reason, one.matched.message = narrower.result, narrower.reason, "the binding: "+narrower.message
			}
		}
		one.hop.Match, one.hop.Reason, one.hop.Message, one.hop.SentAs = one.matched.result, one.matched.reason, one.matched.message, sentAs(m)
		one.params = t.collectParams(resource, p.paramKind, b.paramRef)
		matching = append(matching, one)
	}
	return matching, decided
}

// misconfigured is the hop of a policy or binding that cannot be evaluated for
// any request: it refuses, whatever the actions of the binding, unless
// failurePolicy is Ignore.
func (p *policy) misconfigured(hop extant.Hop, reason extant.HopReason, message string) extant.Hop {
	what := "policy"
	if hop.Hook != "" {
		what = "binding"
	}
	return p.failed(hop, reason, "failed to configure "+what+": "+message)
}

// failed is the hop of a policy that could not be evaluated for a request.
func (p *policy) failed(hop extant.Hop, reason extant.HopReason, message string) extant.Hop {
	hop.Match, hop.Reason, hop.Message, hop.Outcome = extant.Matched, reason, message, extant.OutcomeDenies
	if p.ignores() {
		hop.Outcome = extant.OutcomeSkipped
	}
	return hop
}

// paramHop decides the hop of a binding by its params alone, where they do.
func (t *tracer) paramHop(one *bound) (hop extant.Hop, e effects, decided bool) {
	hop = one.hop
	switch {
	case one.params.unknown != "":
		hop.Match, hop.Reason, hop.Outcome, hop.Message = extant.MatchUnknown, extant.ReasonUndetermined, extant.OutcomeUnknown, one.params.unknown
		return hop, passing.or(denying), true
	case one.params.failed != nil:
		reason := extant.ReasonError
		if one.params.missing {
			reason = extant.ReasonParamNotFound
		}
		result := hop.Match
		hop = one.policy.misconfigured(hop, reason, one.params.failed.Error())
		e = effectsOf(hop)
		if result == extant.MatchUnknown {
			hop.Match, hop.Outcome = result, extant.OutcomeUnknown
			e = e.or(passing)
		}
		return hop, e, true
	case len(one.params.list) == 0:
		hop.Match, hop.Reason, hop.Outcome, hop.Message = extant.NotMatched, extant.ReasonParamNotFound, "", "the binding refers to params that are not there, and allows that"
		hop.SentAs = nil
		return hop, passing, true
	default:
		return hop, effects{}, false
	}
}

// orWithout takes into account that the API server may not see the params that
// there are, and what then comes of the policy.
func (t *tracer) orWithout(one *bound, hop extant.Hop, e effects) (extant.Hop, effects) {
	if one.params.unseen == "" {
		return hop, e
	}
	none := *one
	none.params = *one.params.without
	_, other, _ := t.paramHop(&none)
	hop.Match, hop.Reason, hop.Outcome, hop.Message, hop.Patch = extant.MatchUnknown, extant.ReasonUndetermined, extant.OutcomeUnknown, one.params.unseen, ""
	return hop, e.or(other)
}

// effectsOf is what comes of a hop whose outcome is decided.
func effectsOf(hop extant.Hop) effects {
	switch hop.Outcome {
	case extant.OutcomeErrors, extant.OutcomeDenies:
		return denying
	case extant.OutcomeBlocks:
		return blocking
	default:
		return passing
	}
}

// candidates returns the policies to look at, as webhooks does.
func candidates[P any](t *tracer, x *index[bindings[P]]) []bindings[P] {
	if t.spec.IncludeUnmatched {
		return x.all
	}
	return x.candidates(t.request.equivalents, t.request)
}

// unseen adds an unknown hop where the registrations of a stage cannot be seen,
// and tells whether there is nothing else to look at.
func (t *tracer) unseen(at policyStage, resources ...schema.GroupResource) bool {
	for _, resource := range resources {
		gap, ok := t.observed.Snapshot.DecidingGap(resource)
		// What the API server does not serve, nobody can have registered.
		if !ok || gap.Reason == cluster.GapNotServed {
			continue
		}
		hop := extant.Hop{
			Stage: at.stage, Point: at.point, Match: extant.MatchUnknown, Reason: extant.ReasonUndetermined, Outcome: extant.OutcomeUnknown,
			Message: fmt.Sprintf("the %s of the cluster cannot be seen (%s)", resource.Resource, gap.Reason),
		}
		t.flow.pass(hop, effects{true, true, true})
		return t.observed.Snapshot.Objects(resource).Len() == 0
	}
	return false
}
