package inventory

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

const (
	// ConversionHook is the name of a CRD's conversion among its hooks.
	ConversionHook = "conversion"
	// AggregationHook is the name of an APIService's only hook.
	AggregationHook = "aggregation"
)

// HookKey tells a hook from all others of a cluster.
type HookKey struct {
	// Resource, Object, Name and Index are those of the Hook.
	Resource, Object, Name string
	Index                  int
}

// Key returns the hook's key.
func (h *Hook) Key() HookKey { return HookKey{h.Resource, h.Object, h.Name, h.Index} }

// Hook is one single interception: an entry of a webhook configuration, a
// policy binding, an APIService that is not local, or the conversion webhook
// of a CRD. What it registers is left in the snapshot's immutable objects;
// which of the pointers is set follows from Point.
type Hook struct {
	// Point is the name of the extension point.
	Point string
	// Resource is the resource of the registering object.
	Resource string
	// Object is the name of the registering object; of a policy binding, that
	// of the policy, which need not exist.
	Object string
	// Name is the hook's name in the object: the entry's name, the binding's,
	// ConversionHook or AggregationHook.
	Name string
	// Index is the hook's position among those of its object.
	Index int
	// FailurePolicy is Fail or Ignore, and empty where the point leaves no
	// choice or the policy of a binding is missing.
	FailurePolicy string
	// TimeoutSeconds is when the caller gives up; 0 where nothing is called or
	// it is not known.
	TimeoutSeconds int32
	// Path is the path that is called.
	Path string
	// Backend is the name of the backend that is called; empty for policies,
	// which run in the API server, and where the registration names none.
	Backend string
	// Extension is the name of the extension that the hook belongs to, or
	// empty.
	Extension string

	// MutatingConfiguration is set for mutating-admission-webhook; the entry is
	// the one at Index.
	MutatingConfiguration *admissionregistrationv1.MutatingWebhookConfiguration
	// ValidatingConfiguration is set for validating-admission-webhook; the
	// entry is the one at Index.
	ValidatingConfiguration *admissionregistrationv1.ValidatingWebhookConfiguration
	// ValidatingBinding and, unless it is missing, ValidatingPolicy are set for
	// validating-admission-policy.
	ValidatingBinding *admissionregistrationv1.ValidatingAdmissionPolicyBinding
	ValidatingPolicy  *admissionregistrationv1.ValidatingAdmissionPolicy
	// MutatingBinding and, unless it is missing, MutatingPolicy are set for
	// mutating-admission-policy.
	MutatingBinding *admissionregistrationv1.MutatingAdmissionPolicyBinding
	MutatingPolicy  *admissionregistrationv1.MutatingAdmissionPolicy
	// APIService is set for aggregated-api.
	APIService *apiregistrationv1.APIService
	// Definition is set for crd-conversion-webhook.
	Definition *apiextensionsv1.CustomResourceDefinition

	// part is the registering object.
	part int32
}

// MutatingWebhook returns the hook's entry, or nil.
func (h *Hook) MutatingWebhook() *admissionregistrationv1.MutatingWebhook {
	if h.MutatingConfiguration == nil {
		return nil
	}
	return &h.MutatingConfiguration.Webhooks[h.Index]
}

// ValidatingWebhook returns the hook's entry, or nil.
func (h *Hook) ValidatingWebhook() *admissionregistrationv1.ValidatingWebhook {
	if h.ValidatingConfiguration == nil {
		return nil
	}
	return &h.ValidatingConfiguration.Webhooks[h.Index]
}

// Rules returns the rules of a webhook, and nil for other hooks: policies
// match with more than rules.
func (h *Hook) Rules() []admissionregistrationv1.RuleWithOperations {
	if webhook := h.MutatingWebhook(); webhook != nil {
		return webhook.Rules
	}
	if webhook := h.ValidatingWebhook(); webhook != nil {
		return webhook.Rules
	}
	return nil
}
