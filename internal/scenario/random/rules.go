package random

import (
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// target is what a hook or policy is made for: its rules begin with the kind,
// and its conditions may read the kind's fields.
type target struct {
	kind  *Kind
	rules []admissionregistrationv1.RuleWithOperations
}

func (g *Generator) target() target {
	t := target{kind: g.kind()}
	t.rules = append(t.rules, g.rule(t.kind))
	for range g.between(0, 2) {
		t.rules = append(t.rules, g.rule(g.kind()))
	}
	return t
}

// rule makes a rule that matches some requests of a kind.
func (g *Generator) rule(kind *Kind) admissionregistrationv1.RuleWithOperations {
	rule := admissionregistrationv1.RuleWithOperations{Operations: g.operations()}
	rule.APIGroups = []string{pick(g, kind.Group, kind.Group, kind.Group, "*")}
	switch {
	case g.chance(50):
		rule.APIVersions = []string{pick(g, kind.Versions...)}
	case kind.Group == customGroup && g.chance(30):
		rule.APIVersions = []string{"v1alpha1"}
	default:
		rule.APIVersions = []string{"*"}
	}
	rule.Resources = g.resources(kind)
	scopes := []admissionregistrationv1.ScopeType{admissionregistrationv1.AllScopes, admissionregistrationv1.AllScopes, admissionregistrationv1.NamespacedScope, admissionregistrationv1.ClusterScope}
	rule.Scope = new(pick(g, scopes...))
	if g.chance(25) {
		rule.Scope = nil
	}
	return rule
}

func (g *Generator) operations() []admissionregistrationv1.OperationType {
	if g.chance(45) {
		return []admissionregistrationv1.OperationType{admissionregistrationv1.OperationAll}
	}
	return some(g, g.between(1, 3), admissionregistrationv1.Create, admissionregistrationv1.Update, admissionregistrationv1.Delete, admissionregistrationv1.Connect)
}

func (g *Generator) resources(kind *Kind) []string {
	switch g.between(0, 9) {
	case 0:
		return []string{"*"}
	case 1:
		return []string{"*/*"}
	case 2:
		return []string{kind.Resource + "/*"}
	case 3:
		if len(kind.Subresources) > 0 {
			return []string{"*/" + pick(g, kind.Subresources...)}
		}
	case 4, 5:
		if len(kind.Subresources) > 0 {
			return []string{kind.Resource, kind.Resource + "/" + pick(g, kind.Subresources...)}
		}
	}
	return []string{kind.Resource}
}

// isWide tells whether rules match ConfigMaps, which those who look whether a
// cluster is ready create.
func isWide(rules []admissionregistrationv1.RuleWithOperations) bool {
	return slices.ContainsFunc(rules, func(rule admissionregistrationv1.RuleWithOperations) bool {
		return slices.ContainsFunc(rule.APIGroups, func(s string) bool { return s == "" || s == "*" }) &&
			slices.ContainsFunc(rule.Resources, func(s string) bool { return s[0] == '*' || s == "configmaps" || s == "configmaps/*" })
	})
}

// selector makes a label selector, which is often empty.
func (g *Generator) selector(keys ...string) *metav1.LabelSelector {
	switch g.between(0, 7) {
	case 0:
		key := pick(g, keys...)
		return &metav1.LabelSelector{MatchLabels: map[string]string{key: pick(g, labelValues[key]...)}}
	case 1:
		key := pick(g, keys...)
		return expression(key, metav1.LabelSelectorOpNotIn, pick(g, labelValues[key]...))
	case 2:
		key := pick(g, keys...)
		return expression(key, metav1.LabelSelectorOpIn, labelValues[key]...)
	case 3:
		return expression(pick(g, keys...), metav1.LabelSelectorOpDoesNotExist)
	case 4:
		return expression(pick(g, keys...), metav1.LabelSelectorOpExists)
	case 5:
		return &metav1.LabelSelector{}
	default:
		return nil
	}
}

func (g *Generator) namespaceSelector() *metav1.LabelSelector {
	if g.chance(10) {
		return expression("kubernetes.io/metadata.name", metav1.LabelSelectorOpNotIn, "n0-"+g.round, "default")
	}
	return g.selector("env", "team")
}

func expression(key string, operator metav1.LabelSelectorOperator, values ...string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: key, Operator: operator, Values: values}}}
}

// matchPolicy is absent, and then Equivalent, now and again.
func (g *Generator) matchPolicy() *admissionregistrationv1.MatchPolicyType {
	return pick(g, nil, new(admissionregistrationv1.Equivalent), new(admissionregistrationv1.Exact))
}

func (g *Generator) failurePolicy() *admissionregistrationv1.FailurePolicyType {
	return pick(g, nil, new(admissionregistrationv1.Fail), new(admissionregistrationv1.Ignore))
}
