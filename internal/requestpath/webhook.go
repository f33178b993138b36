package requestpath

import (
	"sync"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// webhook is one webhook of a configuration, compiled.
type webhook struct {
	key           inventory.HookKey
	criteria      *criteria
	failurePolicy admissionregistrationv1.FailurePolicyType
	timeout       time.Duration
	sideEffects   *admissionregistrationv1.SideEffectClass
	reinvocation  string
	// conditional: it has match conditions, which are compiled when they are first
	// needed.
	conditional     bool
	matchConditions func() *conditions
}

// registered is a webhook with its hop, as far as it is the same for every
// request.
type registered struct {
	*webhook
	static bool
	hop    extant.Hop
}

func rulesOf(rules []admissionregistrationv1.RuleWithOperations) []admissionregistrationv1.NamedRuleWithOperations {
	named := make([]admissionregistrationv1.NamedRuleWithOperations, len(rules))
	for i, rule := range rules {
		named[i].RuleWithOperations = rule
	}
	return named
}

// newMutatingWebhook compiles a mutating webhook, which is a validating one
// with a reinvocation policy.
func newMutatingWebhook(configuration string, i int, w *admissionregistrationv1.MutatingWebhook) *webhook {
	compiled := newValidatingWebhook(configuration, i, &admissionregistrationv1.ValidatingWebhook{
		Name: w.Name, Rules: w.Rules, MatchPolicy: w.MatchPolicy, NamespaceSelector: w.NamespaceSelector, ObjectSelector: w.ObjectSelector,
		FailurePolicy: w.FailurePolicy, TimeoutSeconds: w.TimeoutSeconds, SideEffects: w.SideEffects, MatchConditions: w.MatchConditions,
	})
	compiled.key.Resource = mutatingConfigurations.Resource
	if w.ReinvocationPolicy != nil {
		compiled.reinvocation = string(*w.ReinvocationPolicy)
	}
	return compiled
}

func newValidatingWebhook(configuration string, i int, v *admissionregistrationv1.ValidatingWebhook) *webhook {
	w := &webhook{
		key:         inventory.HookKey{Resource: validatingConfigurations.Resource, Object: configuration, Name: v.Name, Index: i},
		sideEffects: v.SideEffects, failurePolicy: admissionregistrationv1.Fail,
		criteria: newCriteria(admissionregistrationv1.MatchResources{
			ResourceRules: rulesOf(v.Rules), MatchPolicy: v.MatchPolicy, NamespaceSelector: v.NamespaceSelector, ObjectSelector: v.ObjectSelector,
		}, false),
	}
	if v.FailurePolicy != nil {
		w.failurePolicy = *v.FailurePolicy
	}
	if v.TimeoutSeconds != nil {
		w.timeout = time.Duration(*v.TimeoutSeconds) * time.Second
	}
	w.conditional = len(v.MatchConditions) > 0
	w.matchConditions = sync.OnceValue(func() *conditions {
		return compileConditions(webhookCompiler(), v.MatchConditions, v.FailurePolicy, celplugin.OptionalVariableDeclarations{HasAuthorizer: true}, nil)
	})
	return w
}

var webhookCompiler = sync.OnceValue(func() celplugin.ConditionCompiler { return celplugin.NewConditionCompiler(baseEnvironment()) })

// hop returns the hop of the webhook, with what is the same for every request.
func (w *webhook) hop(facts map[inventory.HookKey]*inventory.Hook) extant.Hop {
	hop := extant.Hop{
		Stage: extant.StageValidatingWebhook, Point: pointValidatingWebhook, Configuration: w.key.Object, Hook: w.key.Name,
		FailurePolicy: string(w.failurePolicy), ReinvocationPolicy: w.reinvocation,
	}
	if w.key.Resource == mutatingConfigurations.Resource {
		hop.Stage, hop.Point = extant.StageMutatingWebhook, pointMutatingWebhook
	}
	if w.timeout > 0 {
		hop.Timeout = &metav1.Duration{Duration: w.timeout}
	}
	if known, ok := facts[w.key]; ok {
		hop.Extension, hop.Backend = known.Extension, known.Backend
	}
	return hop
}
