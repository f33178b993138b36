package requestpath

import (
	"errors"
	"fmt"
	"sync"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var mutatingPolicyStage = policyStage{extant.StageMutatingPolicy, "mutating-admission-policy"}

// mutatingPolicy is a MutatingAdmissionPolicy, compiled.
type mutatingPolicy struct {
	policy
	reinvocation string
	expressions  func() mutations
}

// mutations are the expressions of a mutating policy.
type mutations struct {
	conditions *conditions
	list       []mutation
	err        error
}

// mutation is one of them.
type mutation struct {
	evaluator celplugin.MutatingEvaluator
	// applies: it is an apply configuration, else a JSON patch.
	applies bool
	reads   reads
	// composed makes the context in which variables are evaluated.
	composed *celplugin.CompositedCompiler
}

func newMutatingPolicy(p *admissionregistrationv1.MutatingAdmissionPolicy) *mutatingPolicy {
	return &mutatingPolicy{
		policy:       newPolicy(p.Name, mutatingPolicyResource.Resource, p.Spec.MatchConstraints, p.Spec.FailurePolicy, p.Spec.ParamKind),
		reinvocation: string(p.Spec.ReinvocationPolicy),
		expressions:  sync.OnceValue(func() mutations { return compileMutations(&p.Spec) }),
	}
}

func compileMutations(spec *admissionregistrationv1.MutatingAdmissionPolicySpec) mutations {
	c, err := newPolicyCompiler(spec.Variables, spec.ParamKind != nil)
	if err != nil {
		return mutations{err: err}
	}
	m := mutations{conditions: compileConditions(c, spec.MatchConditions, spec.FailurePolicy, c.declared, c.variables)}
	patching := c.declared
	patching.HasPatchTypes = true
	for _, one := range spec.Mutations {
		var expression celplugin.ExpressionAccessor
		applies := one.PatchType == admissionregistrationv1.PatchTypeApplyConfiguration
		switch {
		case applies && one.ApplyConfiguration != nil:
			expression = &patch.ApplyConfigurationCondition{Expression: one.ApplyConfiguration.Expression}
		case one.JSONPatch != nil:
			expression = &patch.JSONPatchCondition{Expression: one.JSONPatch.Expression}
		default:
			return mutations{err: fmt.Errorf("a mutation has no expression of its patchType %q", one.PatchType)}
		}
		m.list = append(m.list, mutation{
			evaluator: c.CompileMutatingEvaluator(expression, patching, environment.StoredExpressions),
			applies:   applies, reads: readsOf(expression.GetExpression()).with(c.variables), composed: c.CompositedCompiler,
		})
	}
	return m
}

// mutatingPolicies each change what the ones before made of the object. They
// are never asked about deletions.
func (t *tracer) mutatingPolicies() {
	if t.request.spec.Operation == extant.OperationDelete || t.unseen(mutatingPolicyStage, mutatingPolicyResource, mutatingBindingResource) {
		return
	}
	s := t.subject(mutatingPhase)
	// The API server converts the object once for each version in which a
	// policy matches. Only what is done to the last of them survives.
	versions := map[schema.GroupVersionKind]*document{}
	last := t.object
	for _, p := range candidates(t, &t.index.mutatingPolicies) {
		matching, decided := t.match(s, mutatingPolicyStage, &p.policy.policy, p.static, p.bound)
		for _, hop := range decided {
			if hop, e := t.gated(hop, effectsOf(hop)); t.wanted(&hop) {
				t.flow.pass(hop, e)
			}
		}
		for _, one := range matching {
			one.hop.ReinvocationPolicy = p.policy.reinvocation
			current, ok := versions[one.matched.kind]
			if !ok {
				current = s.converted(t.object, one.matched.kind)
			}
			hop, e, changed := t.mutate(s, p.policy, one, current)
			if hop, e = t.gated(hop, e); changed != nil && !t.version.AtLeast(mutatingPolicies) {
				changed = changed.unknown(hop.Message)
			}
			t.invoke(p.policy, one, hop, changed != nil)
			if changed != nil {
				versions[one.matched.kind], last = changed, changed
			}
			if t.wanted(&hop) {
				t.flow.pass(hop, e)
			}
		}
	}
	t.object = t.convertedBack(s, last)
}

// gated makes unknown what comes of a mutating policy where only a feature gate
// that is off by default lets it be called.
func (t *tracer) gated(hop extant.Hop, e effects) (extant.Hop, effects) {
	if t.version.AtLeast(mutatingPolicies) || hop.Match == extant.NotMatched {
		return hop, e
	}
	hop.Reason, hop.Outcome, hop.Patch = extant.ReasonUndetermined, extant.OutcomeUnknown, ""
	hop.Message = fmt.Sprintf("before Kubernetes %s the feature gate MutatingAdmissionPolicy decides whether the policy is in force", mutatingPolicies)
	return hop, e.or(passing)
}

// convertedBack returns the object in the version of the request.
func (t *tracer) convertedBack(s *subject, changed *document) *document {
	if changed == nil || changed == t.object || changed.kind == t.request.kind {
		return changed
	}
	if s.isCustom(changed.kind) {
		return s.converted(changed, t.request.kind)
	}
	return changed.as(t.request.kind, "a policy changed it in the version "+changed.kind.Version)
}

// mutate applies a policy by one of its bindings. The document is nil where the
// policy leaves the object alone.
func (t *tracer) mutate(s *subject, p *mutatingPolicy, one *bound, object *document) (extant.Hop, effects, *document) {
	hop, e, decided := t.paramHop(one)
	if decided {
		return hop, e, nil
	}
	x := p.expressions()
	if x.err != nil {
		hop = p.misconfigured(hop, extant.ReasonError, x.err.Error())
		return hop, effectsOf(hop), nil
	}
	m := mutationRun{tracer: t, subject: s, policy: p, bound: one, before: object, object: object, hop: hop}
	for _, param := range one.params.list {
		m.with(x, param)
	}
	if one.params.unseen != "" && m.object != object {
		m.doubt(one.params.unseen, false)
	}
	hop, e = m.result()
	hop, e = t.orWithout(one, hop, e)
	if p.paramKind != nil && !t.mayShow(one.params) && (hop.Message != "" || hop.Patch != "") {
		hop.Message, hop.Patch = "withheld: it is shown to who may get the params", ""
	}
	if m.object.equal(object) {
		return hop, e, nil
	}
	return hop, e, m.object
}

// mutationRun is one policy at work by one binding.
type mutationRun struct {
	*tracer
	subject        *subject
	policy         *mutatingPolicy
	bound          *bound
	before, object *document
	hop            extant.Hop

	applied, excluded bool
	failed, unknown   string
	mayFail           bool
	fatal             bool
}

// with applies the policy with one param.
func (m *mutationRun) with(x mutations, with *param) {
	s := *m.subject
	s.object = m.object
	in := m.input(&s, m.bound.matched, with)
	switch result := x.conditions.evaluate(in); {
	case !result.sure():
		m.doubt(result.message, result.fails)
		return
	case result.excluded:
		m.excluded, m.hop.Message = true, result.message
		return
	case result.fails:
		m.failed = result.message
		return
	}
	m.applied = true
	for _, one := range x.list {
		if m.failed != "" && m.fatal || m.object == nil {
			return
		}
		m.apply(one, with)
	}
}

// doubt makes the object unknown: the policy may have changed it.
func (m *mutationRun) doubt(why string, mayFail bool) {
	m.unknown = why
	m.mayFail = m.mayFail || mayFail
	if m.object != nil {
		m.object = m.object.unknown("the policy " + m.policy.name + " may have changed it")
	}
}

// errUnknownMutation ends a patch that cannot be computed.
var errUnknownMutation = errors.New("the mutation is not known")

// apply applies one mutation.
func (m *mutationRun) apply(one mutation, with *param) {
	s := *m.subject
	s.object = m.object
	in := m.input(&s, m.bound.matched, with)
	for _, blind := range in.blind {
		if one.reads.of(blind) {
			m.doubt(blind.path+" is not known: "+blind.why, true)
			return
		}
	}
	if !m.object.known() {
		m.doubt(m.object.because, true)
		return
	}
	patched, evaluated, err := m.patch(one, in)
	var status *apierrors.StatusError
	switch {
	case errors.Is(err, errUnknownMutation) || err != nil && evaluated && !m.object.contents().doubt.none():
		why := m.trace.why
		if len(m.trace.paths) > 0 {
			why = (&results{paths: m.trace.paths, why: why}).missing()
		} else if why == "" {
			why = err.Error()
		}
		m.doubt(why, true)
	case errors.As(err, &status):
		m.failed, m.fatal = err.Error(), true
	case err != nil:
		m.failed = err.Error()
	case m.subject.unseenVersions != "" && m.object.kind != m.subject.kind:
		m.doubt(m.subject.unseenVersions, true)
	case !m.subject.isCustom(m.object.kind) && m.object.kind != m.subject.kind:
		// What a policy makes of a built-in kind is converted straight to the
		// version of the request, and there are no such conversions: the API
		// server only knows those by way of its internal version.
		m.failed = fmt.Sprintf("the API server cannot convert from %s to %s what the policy changes", m.object.kind.GroupVersion(), m.subject.kind.GroupVersion())
	default:
		m.object = patched
	}
}

// patch lets the library patch the object. It tells whether the mutation itself
// could be evaluated.
func (m *mutationRun) patch(one mutation, in *input) (_ *document, evaluated bool, _ error) {
	in.trace.reset()
	in.trace.watch(one.reads)
	evaluator := &knownOnly{MutatingEvaluator: one.evaluator, in: in}
	patcher := patch.NewJSONPatcher(evaluator)
	request := patch.Request{
		MatchedResource: m.bound.matched.resource, ObjectInterfaces: unstructuredInterfaces{}, OptionalVariables: in.bindings, Namespace: in.namespace,
		VersionedAttributes: &admission.VersionedAttributes{
			Attributes: in.attr.Attributes, VersionedKind: in.attr.VersionedKind,
			VersionedObject: admission.NewLazyObject(&unstructured.Unstructured{Object: m.object.contents().fields}),
		},
	}
	var structure structure
	if one.applies {
		var err error
		if structure, err = m.subject.structure(m.object); err != nil {
			in.trace.taint("object", err.Error())
			return nil, false, errUnknownMutation
		}
		request.TypeConverter, patcher = structure, patch.NewApplyConfigurationPatcher(evaluator)
	}
	patched, err := patcher.Patch(one.composed.CreateContext(in.ctx), request, celconfig.RuntimeCELCostBudget)
	if err != nil {
		if evaluator.evaluated && structure.guessed {
			in.trace.taint("object", "the structure of a "+m.object.kind.Kind+" is not known")
			return nil, true, errUnknownMutation
		}
		// Where no structure is found, the object has no part in the error.
		return nil, evaluator.evaluated && !structure.missing, err
	}
	changed, ok := patched.(*unstructured.Unstructured)
	if !ok {
		return nil, true, fmt.Errorf("the patch made a %T of the object", patched)
	}
	document, err := m.subject.patched(m.object, changed.Object)
	return document, true, err
}

// result says what came of the policy.
func (m *mutationRun) result() (extant.Hop, effects) {
	hop := m.hop
	unsure := hop.Match == extant.MatchUnknown
	switch {
	case m.unknown != "" || unsure:
		hop.Outcome, hop.Reason = extant.OutcomeUnknown, extant.ReasonUndetermined
		if m.unknown != "" {
			hop.Message = m.unknown
			if !m.applied {
				hop.Match = extant.MatchUnknown
			}
		}
		if (m.mayFail || m.failed != "") && !m.policy.ignores() {
			return hop, passing.or(denying)
		}
		if unsure && m.object != m.before {
			m.doubt(hop.Message, false)
		}
		return hop, passing
	case m.failed != "":
		hop = m.policy.failed(hop, extant.ReasonError, m.failed)
		if m.fatal {
			// The library answers such an error at once, whatever failurePolicy says.
			hop.Outcome = extant.OutcomeDenies
		}
		return hop, effectsOf(hop)
	case m.excluded && !m.applied:
		hop.Match, hop.Reason, hop.SentAs = extant.NotMatched, extant.ReasonMatchCondition, nil
		return hop, passing
	}
	hop.Message, hop.Outcome = "", extant.OutcomeAllows
	if m.object != m.before {
		if hop.Patch = difference(m.before, m.object); hop.Patch != "" {
			hop.Outcome = extant.OutcomeMutates
		}
	}
	return hop, passing
}
