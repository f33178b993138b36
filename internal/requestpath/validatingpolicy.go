package requestpath

import (
	"strings"
	"sync"

	"github.com/google/cel-go/common/types"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var validatingPolicyStage = policyStage{extant.StageValidatingPolicy, "validating-admission-policy"}

// validatingPolicy is a ValidatingAdmissionPolicy, compiled.
type validatingPolicy struct {
	policy
	expressions func() validations
}

// validations are the expressions of a validating policy.
type validations struct {
	conditions                    *conditions
	validations, messages, audits *expressions
	err                           error
}

func newValidatingPolicy(p *admissionregistrationv1.ValidatingAdmissionPolicy) *validatingPolicy {
	return &validatingPolicy{
		policy:      newPolicy(p.Name, validatingPolicyResource.Resource, p.Spec.MatchConstraints, p.Spec.FailurePolicy, p.Spec.ParamKind),
		expressions: sync.OnceValue(func() validations { return compileValidations(&p.Spec) }),
	}
}

func compileValidations(spec *admissionregistrationv1.ValidatingAdmissionPolicySpec) validations {
	c, err := newPolicyCompiler(spec.Variables, spec.ParamKind != nil)
	if err != nil {
		return validations{err: err}
	}
	checks := make([]celplugin.ExpressionAccessor, len(spec.Validations))
	messages := make([]celplugin.ExpressionAccessor, len(spec.Validations))
	for i, one := range spec.Validations {
		checks[i] = &validating.ValidationCondition{Expression: one.Expression, Message: one.Message, Reason: one.Reason}
		if one.MessageExpression != "" {
			messages[i] = &validating.MessageExpressionCondition{MessageExpression: one.MessageExpression}
		}
	}
	audits := make([]celplugin.ExpressionAccessor, len(spec.AuditAnnotations))
	for i, one := range spec.AuditAnnotations {
		audits[i] = &validating.AuditAnnotationCondition{Key: one.Key, ValueExpression: one.ValueExpression}
	}
	unauthorized := c.declared
	unauthorized.HasAuthorizer = false
	return validations{
		conditions:  compileConditions(c, spec.MatchConditions, spec.FailurePolicy, c.declared, c.variables),
		validations: compile(c, checks, c.declared, c.variables),
		messages:    compile(c, messages, unauthorized, c.variables),
		audits:      compile(c, audits, c.declared, c.variables),
	}
}

// validatingPolicies are all evaluated, whatever comes of the others.
func (t *tracer) validatingPolicies() {
	if t.unseen(validatingPolicyStage, validatingPolicyResource, validatingBindingResource) {
		return
	}
	s := t.subject(validatingPhase)
	var hops []extant.Hop
	var each []effects
	for _, p := range candidates(t, &t.index.validatingPolicies) {
		matching, decided := t.match(s, validatingPolicyStage, &p.policy.policy, p.static, p.bound)
		for _, hop := range decided {
			if t.wanted(&hop) {
				hops, each = append(hops, hop), append(each, effectsOf(hop))
			}
		}
		for _, one := range matching {
			if hop, e := t.validate(s, p.policy, one); t.wanted(&hop) {
				hops, each = append(hops, hop), append(each, e)
			}
		}
	}
	t.flow.together(hops, each)
}

// validate evaluates a policy by one of its bindings.
func (t *tracer) validate(s *subject, p *validatingPolicy, one *bound) (extant.Hop, effects) {
	if hop, e, decided := t.paramHop(one); decided {
		return hop, e
	}
	d := decision{binding: one.binding}
	for _, param := range one.params.list {
		t.validateWith(s, p, one, param, &d)
	}
	hop, e := d.apply(one.hop)
	hop, e = t.orWithout(one, hop, e)
	if p.paramKind != nil && hop.Message != "" && !t.mayShow(one.params) {
		hop.Message = "withheld: it is shown to who may get the params"
	}
	return hop, e
}

// validateWith evaluates a policy with one param.
func (t *tracer) validateWith(s *subject, p *validatingPolicy, one *bound, with *param, d *decision) {
	x := p.expressions()
	if x.err != nil {
		d.fails(x.err.Error(), p.ignores())
		return
	}
	in := t.input(s, one.matched, with)
	result := x.conditions.evaluate(in)
	d.condition(result, p.ignores())
	if !result.matches {
		return
	}
	checks := x.validations.evaluate(in, celconfig.RuntimeCELCostBudget)
	messages := x.messages.evaluate(in, checks.remaining)
	messages.fillIn()
	audits := x.audits.evaluate(in, celconfig.RuntimeCELCostBudget)
	try := worlds
	if !checks.unknown() && !audits.unknown() {
		try = worlds[:1]
	}
	for _, w := range try {
		validator := validating.NewValidator(checks.in(w), nil, audits.auditsIn(w), given{messages.list, messages.remaining, messages.err}, p.failurePolicy, nil)
		d.add(validator.Validate(in.ctx, one.matched.resource, in.attr, in.bindings.VersionedParams, in.namespace, celconfig.RuntimeCELCostBudget, in.bindings.Authorizer), len(try) == 1)
	}
	if len(try) > 1 {
		d.missing = checks.missing()
		if !checks.unknown() {
			d.missing = audits.missing()
		}
	}
}

// fillIn replaces messages that are not known by one that says so.
func (r *results) fillIn() {
	for i := range r.list {
		if types.IsUnknown(r.list[i].EvalResult) {
			r.list[i].EvalResult = types.String("(the message depends on what is not known)")
		}
	}
}

// auditsIn is like in, for expressions whose results are texts.
func (r *results) auditsIn(w world) celplugin.ConditionEvaluator {
	found := r.in(w).(given)
	for i := range found.list {
		if types.IsUnknown(r.list[i].EvalResult) && w != worldError {
			found.list[i].EvalResult = types.NullValue
		}
	}
	return found
}

// decision is what comes of evaluating a policy by a binding with all of its
// params.
type decision struct {
	binding *binding
	// evaluated: the match conditions held, for one param at least.
	evaluated, maybe bool
	// excluded says which condition kept the policy from being evaluated.
	excluded string
	// failed are messages of validations that fail for sure; mayFail tells that
	// others can.
	failed          []string
	mayFail, mayErr bool
	// errs are errors that refuse whatever the actions of the binding.
	errs    []string
	erring  bool
	missing string
}

func (d *decision) fails(message string, ignored bool) {
	d.evaluated = true
	if !ignored {
		d.failed = append(d.failed, message)
		d.erring = true
	}
}

// condition takes the result of the match conditions.
func (d *decision) condition(result conditionResult, ignored bool) {
	switch {
	case !result.sure():
		d.maybe, d.missing = true, result.message
		d.mayFail = d.mayFail || result.fails && !ignored
	case result.excluded:
		d.excluded = result.message
	case result.fails:
		d.fails(result.message, ignored)
	default:
		d.evaluated = true
	}
}

// add takes the result of the validations in one world.
func (d *decision) add(result validating.ValidateResult, sure bool) {
	sure = sure && !d.maybe
	for _, one := range result.Decisions {
		if one.Action != validating.ActionDeny {
			continue
		}
		if !sure {
			d.mayFail = true
			continue
		}
		d.failed = append(d.failed, one.Message)
		d.erring = d.erring || one.Evaluation == validating.EvalError
	}
	for _, one := range result.AuditAnnotations {
		if one.Action != validating.AuditAnnotationActionError {
			continue
		}
		if !sure {
			d.mayErr = true
			continue
		}
		d.errs = append(d.errs, one.Error)
	}
}

// apply says what the decision makes of a hop.
func (d *decision) apply(hop extant.Hop) (extant.Hop, effects) {
	has := func(action admissionregistrationv1.ValidationAction) bool {
		for _, one := range d.binding.actions {
			if one == action {
				return true
			}
		}
		return false
	}
	unsure := hop.Match == extant.MatchUnknown || d.maybe
	switch {
	case !d.evaluated && !d.maybe:
		hop.Match, hop.Reason, hop.Message, hop.SentAs = extant.NotMatched, extant.ReasonMatchCondition, d.excluded, nil
		return hop, passing
	case d.maybe && hop.Match == extant.Matched:
		hop.Match, hop.Reason, hop.Message = extant.MatchUnknown, extant.ReasonUndetermined, d.missing
	}
	denies := len(d.errs) > 0 || len(d.failed) > 0 && has(admissionregistrationv1.Deny)
	may := d.mayErr || d.mayFail && has(admissionregistrationv1.Deny)
	switch {
	case unsure && (denies || may):
		hop.Outcome = extant.OutcomeUnknown
		return hop, passing.or(denying)
	case unsure:
		hop.Outcome = extant.OutcomeUnknown
		return hop, passing
	case denies:
		hop.Message = strings.Join(append(d.errs, d.failed...), "; ")
		hop.Outcome = extant.OutcomeDenies
		if d.erring || len(d.errs) > 0 {
			hop.Reason = extant.ReasonError
		}
		return hop, denying
	case d.mayFail || d.mayErr:
		hop.Reason, hop.Message, hop.Outcome = extant.ReasonUndetermined, d.missing, extant.OutcomeUnknown
		if may {
			return hop, passing.or(denying)
		}
		return hop, passing
	case len(d.failed) > 0:
		hop.Message = strings.Join(d.failed, "; ")
		hop.Outcome = extant.OutcomeAudits
		if d.erring {
			hop.Reason = extant.ReasonError
		}
		if has(admissionregistrationv1.Warn) {
			hop.Outcome = extant.OutcomeWarns
		}
		return hop, passing
	default:
		hop.Outcome = extant.OutcomeAllows
		return hop, passing
	}
}
