package requestpath

import (
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// conditions are the match conditions of a webhook or policy.
type conditions struct {
	*expressions
	failurePolicy *admissionregistrationv1.FailurePolicyType
}

func compileConditions(compiler celplugin.ConditionCompiler, list []admissionregistrationv1.MatchCondition, failurePolicy *admissionregistrationv1.FailurePolicyType,
	declared celplugin.OptionalVariableDeclarations, variables map[string]reads) *conditions {
	if len(list) == 0 {
		return nil
	}
	accessors := make([]celplugin.ExpressionAccessor, len(list))
	for i := range list {
		accessors[i] = (*matchconditions.MatchCondition)(&list[i])
	}
	return &conditions{compile(compiler, accessors, declared, variables), failurePolicy}
}

// conditionResult is what comes of match conditions. Several can be possible.
type conditionResult struct {
	matches, excluded, fails bool
	message                  string
}

// sure tells whether only one result is possible.
func (c conditionResult) sure() bool {
	possible := 0
	for _, one := range []bool{c.matches, c.excluded, c.fails} {
		if one {
			possible++
		}
	}
	return possible == 1
}

// evaluate evaluates the conditions. Those that are not known are taken to be
// true, false and an error in turn, and the library decides each time.
func (c *conditions) evaluate(in *input) conditionResult {
	if c == nil {
		return conditionResult{matches: true}
	}
	// Conditions see the resource as it was requested, the object as it is sent,
	// and no namespace: the library does not hand it over.
	asked := *in
	asked.namespace = nil
	asked.blind = slices.DeleteFunc(slices.Clone(in.blind), func(b blindness) bool { return strings.HasPrefix(b.path, "namespaceObject") })
	asked.request = celplugin.CreateAdmissionRequest(in.attr.Attributes, metav1.GroupVersionResource(in.attr.GetResource()), metav1.GroupVersionKind(in.attr.VersionedKind))
	r := c.expressions.evaluate(&asked, celconfig.RuntimeCELCostBudgetMatchConditions)
	try := worlds
	if !r.unknown() {
		try = worlds[:1]
	}
	var result conditionResult
	for _, w := range try {
		matcher := matchconditions.NewMatcher(r.in(w), c.failurePolicy, "webhook", "validate", "")
		switch one := matcher.Match(in.ctx, in.attr, in.bindings.VersionedParams, in.bindings.Authorizer); {
		case one.Error != nil:
			result.fails = true
			result.message = one.Error.Error()
		case one.Matches:
			result.matches = true
		default:
			result.excluded = true
			if one.FailedConditionName != "" {
				result.message = "the condition " + one.FailedConditionName + " is false"
			} else if result.message == "" {
				result.message = "a condition fails, and failurePolicy is Ignore: " + failed(r)
			}
		}
	}
	if !result.sure() {
		result.message = r.missing()
	}
	return result
}

// failed says which conditions failed.
func failed(r *results) string {
	var errs []string
	if r.err != nil {
		errs = append(errs, r.err.Error())
	}
	for _, one := range r.list {
		if one.Error != nil {
			errs = append(errs, one.Error.Error())
		}
	}
	return strings.Join(errs, "; ")
}

// narrow says what is left of a match once the conditions are evaluated.
func (c conditionResult) narrow(m matched) matched {
	switch {
	case !c.sure():
		m.result, m.reason, m.message = extant.MatchUnknown, extant.ReasonUndetermined, c.message
	case c.excluded:
		m.result, m.reason, m.message = extant.NotMatched, extant.ReasonMatchCondition, c.message
	case c.fails:
		m.reason, m.message = extant.ReasonError, c.message
	}
	return m
}
