package inventory

import (
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Admission webhooks. Each entry of a configuration is a hook. A configuration
// without entries, which its controller fills in when it runs, registers no
// hook, but is a part of its extension all the same.

var mutatingAdmissionWebhook = mechanism{
	point:     "mutating-admission-webhook",
	pattern:   extant.PatternWebhook,
	onFailure: extant.OnFailureConfigurable,
	reads:     []schema.GroupResource{mutatingConfigurations},
	register:  registerMutatingWebhooks,
}

var validatingAdmissionWebhook = mechanism{
	point:     "validating-admission-webhook",
	pattern:   extant.PatternWebhook,
	onFailure: extant.OnFailureConfigurable,
	reads:     []schema.GroupResource{validatingConfigurations},
	register:  registerValidatingWebhooks,
}

func registerMutatingWebhooks(t *taker, point string) {
	for configuration := range t.snapshot.MutatingWebhookConfigurations().All() {
		part := t.add(mutatingConfigurations, configuration)
		intercepted := interception{}
		for i := range configuration.Webhooks {
			webhook := &configuration.Webhooks[i]
			intercepted.add(webhook.Name, webhook.Rules)
			t.addHook(Hook{
				Point: point, Resource: mutatingConfigurations.Resource, Object: configuration.Name,
				Name: webhook.Name, Index: i, part: part,
				FailurePolicy:         string(valueOr(webhook.FailurePolicy, admissionregistrationv1.Fail)),
				TimeoutSeconds:        valueOr(webhook.TimeoutSeconds, 10),
				MutatingConfiguration: configuration,
			}, webhookTarget(&webhook.ClientConfig))
		}
		t.parts[part].domains = intercepted.domains()
		t.addRegistration(point, part, len(configuration.Webhooks))
	}
}

func registerValidatingWebhooks(t *taker, point string) {
	for configuration := range t.snapshot.ValidatingWebhookConfigurations().All() {
		part := t.add(validatingConfigurations, configuration)
		intercepted := interception{}
		for i := range configuration.Webhooks {
			webhook := &configuration.Webhooks[i]
			intercepted.add(webhook.Name, webhook.Rules)
			t.addHook(Hook{
				Point: point, Resource: validatingConfigurations.Resource, Object: configuration.Name,
				Name: webhook.Name, Index: i, part: part,
				FailurePolicy:           string(valueOr(webhook.FailurePolicy, admissionregistrationv1.Fail)),
				TimeoutSeconds:          valueOr(webhook.TimeoutSeconds, 10),
				ValidatingConfiguration: configuration,
			}, webhookTarget(&webhook.ClientConfig))
		}
		t.parts[part].domains = intercepted.domains()
		t.addRegistration(point, part, len(configuration.Webhooks))
	}
}

func valueOr[T any](value *T, or T) T {
	if value == nil {
		return or
	}
	return *value
}

func webhookTarget(config *admissionregistrationv1.WebhookClientConfig) target {
	if service := config.Service; service != nil {
		return serviceTarget{
			serviceName: serviceName{service.Namespace, service.Name},
			port:        valueOr(service.Port, 443), path: valueOr(service.Path, ""),
		}
	}
	if config.URL != nil {
		return urlTarget(*config.URL)
	}
	return nil
}

// interception collects what the hooks of one configuration are called and
// intercept, to tell whose kinds they are for.
//
// A webhook configuration is taken to belong to the owner of a domain of kinds
// when a hook is named below it (validation.gatekeeper.sh), or when it
// intercepts kinds below it and nothing speaks against: either the
// configuration intercepts custom kinds of one registrable domain and nothing
// else, or the hook's own name is registered where the kinds are (vpa.k8s.io
// and autoscaling.k8s.io). A policy engine that intercepts Deployments and
// other people's rollouts does not own the rollouts.
type interception struct {
	named   []string
	kinds   []string
	related []string
	mixed   bool
	// registrable is the only registrable domain of the kinds so far.
	registrable string
}

func (i *interception) add(hook string, rules []admissionregistrationv1.RuleWithOperations) {
	i.named = append(i.named, ownerDomain(hook))
	if len(rules) == 0 {
		i.mixed = true
	}
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			if group == "*" || builtinGroups[group] {
				i.mixed = true
				continue
			}
			owner, registrable := ownerDomain(group), registrableDomain(group)
			if i.registrable != "" && i.registrable != registrable {
				i.mixed = true
			}
			i.registrable = registrable
			i.kinds = append(i.kinds, owner)
			if registrable != "" && registrable == registrableDomain(hook) {
				i.related = append(i.related, owner)
			}
		}
	}
}

func (i *interception) domains() []string {
	domains := slices.Concat(i.named, i.related)
	if !i.mixed {
		domains = append(domains, i.kinds...)
	}
	slices.Sort(domains)
	return slices.Compact(domains)
}
