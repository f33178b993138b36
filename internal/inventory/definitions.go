package inventory

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// CustomResourceDefinitions. Each one occupies custom-resource-definition,
// which nothing calls. One with a conversion webhook is also a hook: the API
// server calls it for every object whose version is not the one asked for, and
// gives up after 30 seconds, whatever the client's own timeout.

var customResourceDefinition = mechanism{
	point:     "custom-resource-definition",
	pattern:   extant.PatternAPI,
	onFailure: extant.OnFailureBlocks,
	reads:     []schema.GroupResource{definitions},
	register: func(t *taker, point string) {
		for definition := range t.snapshot.CustomResourceDefinitions().All() {
			t.addRegistration(point, t.addDefinition(definition), 1)
		}
	},
}

var crdConversionWebhook = mechanism{
	point:     "crd-conversion-webhook",
	pattern:   extant.PatternWebhook,
	onFailure: extant.OnFailureBlocks,
	reads:     []schema.GroupResource{definitions},
	register:  registerConversions,
}

// conversionTimeout is fixed in the API server.
const conversionTimeout = 30

func registerConversions(t *taker, point string) {
	for definition := range t.snapshot.CustomResourceDefinitions().All() {
		conversion := definition.Spec.Conversion
		if conversion == nil || conversion.Strategy != apiextensionsv1.WebhookConverter {
			continue
		}
		part := t.addDefinition(definition)
		t.addHook(Hook{
			Point: point, Resource: definitions.Resource, Object: definition.Name, Name: ConversionHook, part: part,
			TimeoutSeconds: conversionTimeout, Definition: definition,
		}, conversionTarget(conversion.Webhook))
		t.addRegistration(point, part, 1)
	}
}

func (t *taker) addDefinition(definition *apiextensionsv1.CustomResourceDefinition) int32 {
	i := t.add(definitions, definition)
	if p := &t.parts[i]; p.domains == nil {
		domain := ownerDomain(definition.Spec.Group)
		p.fallback = key{rank: rankDomain, value: domain}
		p.domains = []string{domain}
	}
	return i
}

func conversionTarget(webhook *apiextensionsv1.WebhookConversion) target {
	if webhook == nil || webhook.ClientConfig == nil {
		return nil
	}
	if service := webhook.ClientConfig.Service; service != nil {
		return serviceTarget{
			serviceName: serviceName{service.Namespace, service.Name},
			port:        valueOr(service.Port, 443), path: valueOr(service.Path, ""),
		}
	}
	if webhook.ClientConfig.URL != nil {
		return urlTarget(*webhook.ClientConfig.URL)
	}
	return nil
}
