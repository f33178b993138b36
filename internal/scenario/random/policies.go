package random

import (
	"fmt"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SeenKey is the audit annotation that each validating policy publishes when it
// is evaluated, and MarkPrefix begins the annotation that each mutating policy
// sets, which ends with its name.
const (
	SeenKey    = "seen"
	MarkPrefix = "mutated.example/"
)

func (g *Generator) matchResources(t target) *admissionregistrationv1.MatchResources {
	resources := &admissionregistrationv1.MatchResources{
		NamespaceSelector: g.namespaceSelector(), ObjectSelector: g.selector("app", "tier"), MatchPolicy: g.matchPolicy(),
		ResourceRules: g.named(t.rules...),
	}
	if g.chance(25) {
		resources.ExcludeResourceRules = g.named(g.rule(pick(g, t.kind, g.kind())))
	}
	return resources
}

// named gives some rules names of objects.
func (g *Generator) named(rules ...admissionregistrationv1.RuleWithOperations) []admissionregistrationv1.NamedRuleWithOperations {
	var named []admissionregistrationv1.NamedRuleWithOperations
	for _, rule := range rules {
		one := admissionregistrationv1.NamedRuleWithOperations{RuleWithOperations: rule}
		if g.chance(15) {
			one.ResourceNames = some(g, g.between(1, 2), objectNames...)
		}
		named = append(named, one)
	}
	return named
}

func (g *Generator) variables() []admissionregistrationv1.Variable {
	return []admissionregistrationv1.Variable{
		{Name: "labels", Expression: `object == null ? {} : object.metadata.?labels.orValue({})`},
		{Name: "replicas", Expression: `object.?spec.?replicas.orValue(1)`},
		{Name: "named", Expression: `has(request.name) && variables.labels.size() >= 0`},
	}
}

func (g *Generator) validatingPolicy() *admissionregistrationv1.ValidatingAdmissionPolicy {
	t := g.target()
	policy := &admissionregistrationv1.ValidatingAdmissionPolicy{
		TypeMeta:   of("ValidatingAdmissionPolicy"),
		ObjectMeta: metav1.ObjectMeta{Name: g.name("vap")},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: g.matchResources(t), FailurePolicy: g.failurePolicy(), Variables: g.variables(),
			AuditAnnotations: []admissionregistrationv1.AuditAnnotation{{Key: SeenKey, ValueExpression: `'yes'`}},
		},
	}
	pool := policyConditions
	if g.chance(40) {
		policy.Spec.ParamKind = g.paramKind()
		pool = slices.Concat(pool, paramConditions)
	}
	// Match conditions have no variables.
	policy.Spec.MatchConditions = g.conditions(t, slices.DeleteFunc(slices.Clone(pool), readsVariables)...)
	for range g.between(1, 2) {
		policy.Spec.Validations = append(policy.Spec.Validations, g.validation(t, pool...))
	}
	return policy
}

func readsVariables(expression string) bool { return strings.Contains(expression, "variables.") }

func (g *Generator) validation(t target, pool ...string) admissionregistrationv1.Validation {
	validation := admissionregistrationv1.Validation{Expression: g.condition(t, pool...)}
	if g.chance(40) {
		// Most are allowed, so that most requests get to the end.
		validation.Expression = "true"
	}
	switch g.between(0, 3) {
	case 0:
		validation.Message = "refused by rule"
	case 1:
		validation.MessageExpression = pick(g, `'refused ' + request.operation + ' of ' + request.resource.resource`, `'labels: ' + string(variables.labels.size())`, `string(object.metadata.labels['none'])`)
	}
	if g.chance(30) {
		validation.Reason = pick(g, new(metav1.StatusReasonForbidden), new(metav1.StatusReasonInvalid), new(metav1.StatusReasonRequestEntityTooLarge))
	}
	return validation
}

func (g *Generator) paramKind() *admissionregistrationv1.ParamKind {
	if g.chance(8) {
		return &admissionregistrationv1.ParamKind{APIVersion: "nowhere.example/v1", Kind: "None"}
	}
	return &admissionregistrationv1.ParamKind{APIVersion: "v1", Kind: "ConfigMap"}
}

// paramRef names params, or selects them, in the request's namespace or in one
// of the cluster's.
func (g *Generator) paramRef(namespaces []*corev1.Namespace) *admissionregistrationv1.ParamRef {
	ref := &admissionregistrationv1.ParamRef{
		ParameterNotFoundAction: pick(g, new(admissionregistrationv1.AllowAction), new(admissionregistrationv1.AllowAction), new(admissionregistrationv1.DenyAction)),
	}
	if g.chance(50) {
		ref.Namespace = pick(g, namespaces...).Name
	}
	if g.chance(50) {
		ref.Name = pick(g, "params-a", "params-b")
	} else if ref.Selector = g.selector("tier"); ref.Selector == nil {
		ref.Selector = &metav1.LabelSelector{}
	}
	return ref
}

func (g *Generator) validatingBinding(policy *admissionregistrationv1.ValidatingAdmissionPolicy, namespaces []*corev1.Namespace) *admissionregistrationv1.ValidatingAdmissionPolicyBinding {
	binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		TypeMeta:   of("ValidatingAdmissionPolicyBinding"),
		ObjectMeta: metav1.ObjectMeta{Name: g.name("bind") + "-" + policy.Name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: policy.Name,
			ValidationActions: pick(g,
				[]admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny}, []admissionregistrationv1.ValidationAction{admissionregistrationv1.Warn},
				[]admissionregistrationv1.ValidationAction{admissionregistrationv1.Audit}, []admissionregistrationv1.ValidationAction{admissionregistrationv1.Warn, admissionregistrationv1.Audit},
				[]admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny, admissionregistrationv1.Audit}),
		},
	}
	if policy.Spec.ParamKind != nil && g.chance(85) {
		binding.Spec.ParamRef = g.paramRef(namespaces)
	}
	binding.Spec.MatchResources = g.bindingResources()
	return binding
}

// bindingResources narrow what a policy matches, now and again.
func (g *Generator) bindingResources() *admissionregistrationv1.MatchResources {
	switch g.between(0, 5) {
	case 0:
		return g.matchResources(g.target())
	case 1, 2:
		return &admissionregistrationv1.MatchResources{NamespaceSelector: g.namespaceSelector(), ObjectSelector: g.selector("app", "tier")}
	default:
		return nil
	}
}

func (g *Generator) mutatingPolicy() *admissionregistrationv1.MutatingAdmissionPolicy {
	t := g.target()
	for i := range t.rules {
		t.rules[i].Operations = withoutDelete(t.rules[i].Operations)
	}
	policy := &admissionregistrationv1.MutatingAdmissionPolicy{
		TypeMeta:   of("MutatingAdmissionPolicy"),
		ObjectMeta: metav1.ObjectMeta{Name: g.name("map")},
		Spec: admissionregistrationv1.MutatingAdmissionPolicySpec{
			MatchConstraints: g.matchResources(t), FailurePolicy: g.failurePolicy(), Variables: g.variables(),
			ReinvocationPolicy: pick(g, admissionregistrationv1.NeverReinvocationPolicy, admissionregistrationv1.IfNeededReinvocationPolicy),
		},
	}
	pool := policyConditions
	if g.chance(25) {
		policy.Spec.ParamKind = g.paramKind()
		pool = slices.Concat(pool, paramConditions)
	}
	policy.Spec.MatchConditions = g.conditions(t, slices.DeleteFunc(slices.Clone(pool), readsVariables)...)
	policy.Spec.Mutations = append(policy.Spec.Mutations, apply(fmt.Sprintf(`Object{metadata: Object.metadata{annotations: {'%s%s': 'yes'}}}`, MarkPrefix, policy.Name)))
	if g.chance(60) {
		policy.Spec.Mutations = append(policy.Spec.Mutations, g.mutation())
	}
	return policy
}

// withoutDelete leaves out what mutating policies cannot match.
func withoutDelete(operations []admissionregistrationv1.OperationType) []admissionregistrationv1.OperationType {
	operations = slices.DeleteFunc(operations, func(operation admissionregistrationv1.OperationType) bool {
		return operation == admissionregistrationv1.Delete
	})
	if len(operations) == 0 {
		return []admissionregistrationv1.OperationType{admissionregistrationv1.OperationAll}
	}
	return operations
}

// mutation changes what selectors and conditions read later.
func (g *Generator) mutation() admissionregistrationv1.Mutation {
	key := pick(g, "app", "tier")
	value := pick(g, labelValues[key]...)
	switch g.between(0, 3) {
	case 0:
		return patch(fmt.Sprintf(`has(object.metadata.labels) ? [JSONPatch{op: 'add', path: '/metadata/labels/%s', value: '%s'}] : [JSONPatch{op: 'add', path: '/metadata/labels', value: {'%s': '%s'}}]`, key, value, key, value))
	case 1:
		return patch(fmt.Sprintf(`'%s' in object.metadata.?labels.orValue({}) ? [JSONPatch{op: 'remove', path: '/metadata/labels/%s'}] : []`, key, key))
	case 2:
		return apply(fmt.Sprintf(`Object{metadata: Object.metadata{labels: {'%s': variables.labels.size() > 0 ? '%s' : 'new'}}}`, key, value))
	default:
		return apply(fmt.Sprintf(`Object{metadata: Object.metadata{labels: {'%s': '%s'}}}`, key, value))
	}
}

func apply(expression string) admissionregistrationv1.Mutation {
	return admissionregistrationv1.Mutation{PatchType: admissionregistrationv1.PatchTypeApplyConfiguration, ApplyConfiguration: &admissionregistrationv1.ApplyConfiguration{Expression: expression}}
}

func patch(expression string) admissionregistrationv1.Mutation {
	return admissionregistrationv1.Mutation{PatchType: admissionregistrationv1.PatchTypeJSONPatch, JSONPatch: &admissionregistrationv1.JSONPatch{Expression: expression}}
}

func (g *Generator) mutatingBinding(policy *admissionregistrationv1.MutatingAdmissionPolicy, namespaces []*corev1.Namespace) *admissionregistrationv1.MutatingAdmissionPolicyBinding {
	binding := &admissionregistrationv1.MutatingAdmissionPolicyBinding{
		TypeMeta:   of("MutatingAdmissionPolicyBinding"),
		ObjectMeta: metav1.ObjectMeta{Name: g.name("bind") + "-" + policy.Name},
		Spec:       admissionregistrationv1.MutatingAdmissionPolicyBindingSpec{PolicyName: policy.Name, MatchResources: g.bindingResources()},
	}
	if policy.Spec.ParamKind != nil && g.chance(85) {
		binding.Spec.ParamRef = g.paramRef(namespaces)
	}
	return binding
}
