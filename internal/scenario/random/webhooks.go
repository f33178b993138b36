package random

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// configurationNames sort in another order than one might think.
var configurationNames = []string{"a", "a-10", "a-2", "a.b", "ab", "z"}

func (g *Generator) mutatingConfiguration() *admissionregistrationv1.MutatingWebhookConfiguration {
	configuration := &admissionregistrationv1.MutatingWebhookConfiguration{
		TypeMeta:   of("MutatingWebhookConfiguration"),
		ObjectMeta: metav1.ObjectMeta{Name: g.name(pick(g, configurationNames...))},
	}
	for i := range g.between(1, 4) {
		t := g.target()
		hook := admissionregistrationv1.MutatingWebhook{
			Name: g.hookName(i), Rules: t.rules, SideEffects: g.sideEffects(), AdmissionReviewVersions: []string{"v1"},
			FailurePolicy: g.failurePolicy(), MatchPolicy: g.matchPolicy(), NamespaceSelector: g.namespaceSelector(),
			ObjectSelector: g.selector("app", "tier"), MatchConditions: g.conditions(t), TimeoutSeconds: new(int32(g.between(5, 15))),
			ReinvocationPolicy: pick(g, nil, new(admissionregistrationv1.NeverReinvocationPolicy), new(admissionregistrationv1.IfNeededReinvocationPolicy)),
		}
		hook.ClientConfig = g.clientConfig(true, configuration.Name, hook.Name)
		configuration.Webhooks = append(configuration.Webhooks, hook)
	}
	return configuration
}

func (g *Generator) validatingConfiguration() *admissionregistrationv1.ValidatingWebhookConfiguration {
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{
		TypeMeta:   of("ValidatingWebhookConfiguration"),
		ObjectMeta: metav1.ObjectMeta{Name: g.name(pick(g, configurationNames...))},
	}
	for i := range g.between(1, 4) {
		t := g.target()
		hook := admissionregistrationv1.ValidatingWebhook{
			Name: g.hookName(i), Rules: t.rules, SideEffects: g.sideEffects(), AdmissionReviewVersions: []string{"v1"},
			FailurePolicy: g.failurePolicy(), MatchPolicy: g.matchPolicy(), NamespaceSelector: g.namespaceSelector(),
			ObjectSelector: g.selector("app", "tier"), MatchConditions: g.conditions(t), TimeoutSeconds: new(int32(g.between(5, 15))),
		}
		hook.ClientConfig = g.clientConfig(false, configuration.Name, hook.Name)
		configuration.Webhooks = append(configuration.Webhooks, hook)
	}
	return configuration
}

// hookName is now and again one that other configurations have too; within one
// configuration names differ.
func (g *Generator) hookName(number int) string {
	if number == 0 && g.chance(20) {
		return "same.hooks.example"
	}
	return g.name("hook") + ".hooks.example"
}

func (g *Generator) sideEffects() *admissionregistrationv1.SideEffectClass {
	return pick(g, new(admissionregistrationv1.SideEffectClassNone), new(admissionregistrationv1.SideEffectClassNoneOnDryRun))
}

func (g *Generator) clientConfig(mutating bool, configuration, hook string) admissionregistrationv1.WebhookClientConfig {
	endpoint := g.hooks(mutating, configuration, hook)
	return admissionregistrationv1.WebhookClientConfig{URL: &endpoint.URL, CABundle: endpoint.CABundle}
}
