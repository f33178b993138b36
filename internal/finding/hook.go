package finding

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/inventory"
)

// fieldsOf are the fields of the variable hook, as internal/policyenv declares
// them.
func fieldsOf(h *inventory.Hook, f *facts) map[string]any {
	fields := map[string]any{
		"point": h.Point, "resource": h.Resource, "object": h.Object, "name": h.Name,
		"failurePolicy": h.FailurePolicy, "timeoutSeconds": int64(h.TimeoutSeconds), "path": h.Path,
		"backend": h.Backend, "extension": h.Extension,
		"rules": rulesOf(h.Rules()), "matchPolicy": "", "sideEffects": "", "reinvocationPolicy": "",
		"hasNamespaceSelector": false, "hasObjectSelector": false, "matchConditions": int64(0),
		"hasCABundle": false, "url": "", "policyFound": true, "paramKindServed": f.paramKindServed(h),
	}
	webhook := func(client admissionregistrationv1.WebhookClientConfig, policy *admissionregistrationv1.MatchPolicyType, effects *admissionregistrationv1.SideEffectClass,
		namespaces, objects *metav1.LabelSelector, conditions int) {
		fields["matchPolicy"], fields["sideEffects"] = text(policy), text(effects)
		fields["hasNamespaceSelector"], fields["hasObjectSelector"] = selects(namespaces), selects(objects)
		fields["matchConditions"], fields["hasCABundle"] = int64(conditions), len(client.CABundle) > 0
		fields["url"] = text(client.URL)
	}
	switch {
	case h.MutatingConfiguration != nil:
		w := h.MutatingWebhook()
		webhook(w.ClientConfig, w.MatchPolicy, w.SideEffects, w.NamespaceSelector, w.ObjectSelector, len(w.MatchConditions))
		fields["reinvocationPolicy"] = text(w.ReinvocationPolicy)
	case h.ValidatingConfiguration != nil:
		w := h.ValidatingWebhook()
		webhook(w.ClientConfig, w.MatchPolicy, w.SideEffects, w.NamespaceSelector, w.ObjectSelector, len(w.MatchConditions))
	case h.APIService != nil:
		fields["hasCABundle"] = len(h.APIService.Spec.CABundle) > 0
	case h.Definition != nil:
		if conversion := h.Definition.Spec.Conversion; conversion != nil && conversion.Webhook != nil && conversion.Webhook.ClientConfig != nil {
			fields["hasCABundle"], fields["url"] = len(conversion.Webhook.ClientConfig.CABundle) > 0, text(conversion.Webhook.ClientConfig.URL)
		}
	case h.ValidatingBinding != nil:
		fields["policyFound"] = h.ValidatingPolicy != nil
		if h.ValidatingPolicy != nil {
			fields["matchConditions"] = int64(len(h.ValidatingPolicy.Spec.MatchConditions))
		}
	case h.MutatingBinding != nil:
		fields["policyFound"] = h.MutatingPolicy != nil
		if h.MutatingPolicy != nil {
			fields["matchConditions"] = int64(len(h.MutatingPolicy.Spec.MatchConditions))
		}
	}
	return fields
}

// paramKindServed tells whether the cluster serves the kind of the params of a
// hook's policy; so it is where there are none.
func (f *facts) paramKindServed(h *inventory.Hook) bool {
	var kind *admissionregistrationv1.ParamKind
	switch {
	case h.ValidatingPolicy != nil:
		kind = h.ValidatingPolicy.Spec.ParamKind
	case h.MutatingPolicy != nil:
		kind = h.MutatingPolicy.Spec.ParamKind
	}
	if kind == nil {
		return true
	}
	version, err := schema.ParseGroupVersion(kind.APIVersion)
	if err != nil {
		return false
	}
	_, ok := f.observed.Snapshot.Discovery.ResourceOf(version.WithKind(kind.Kind).GroupKind())
	return ok
}

func rulesOf(rules []admissionregistrationv1.RuleWithOperations) []any {
	all := make([]any, 0, len(rules))
	for _, rule := range rules {
		scope := string(admissionregistrationv1.AllScopes)
		if rule.Scope != nil {
			scope = string(*rule.Scope)
		}
		all = append(all, map[string]any{
			"operations": texts(rule.Operations), "apiGroups": texts(rule.APIGroups), "apiVersions": texts(rule.APIVersions),
			"resources": texts(rule.Resources), "scope": scope,
		})
	}
	return all
}

func texts[T ~string](values []T) []any {
	all := make([]any, 0, len(values))
	for _, value := range values {
		all = append(all, string(value))
	}
	return all
}

func text[T ~string](value *T) string {
	if value == nil {
		return ""
	}
	return string(*value)
}

func selects(selector *metav1.LabelSelector) bool {
	return selector != nil && len(selector.MatchLabels)+len(selector.MatchExpressions) > 0
}
