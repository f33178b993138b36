package random

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Markers are one more object of each kind of configuration. They are added
// after all others, so that whoever knows them knows the others, and they match
// one request alone, which nothing else does.
type Markers struct {
	// Name is that of each object.
	Name string
}

// MarkerHook is the name of the markers' hooks.
const MarkerHook = "marker.hooks.example"

// Mark adds the markers.
func (g *Generator) Mark(c *Cluster) *Markers {
	m := &Markers{Name: "zz-marker-" + g.round}
	c.Namespaces = append(c.Namespaces, &corev1.Namespace{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{Name: m.Name, Labels: m.labels()},
	})
	c.Params = append(c.Params, &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Namespace: m.Name, Name: m.Name}, Data: map[string]string{"max": "0"},
	})
	m.spare(c)
	m.webhooks(g, c)
	m.policies(c)
	return m
}

func (m *Markers) labels() map[string]string { return map[string]string{"marker": m.Name} }

func (m *Markers) selector() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: m.labels()}
}

func (m *Markers) rule() admissionregistrationv1.RuleWithOperations {
	return admissionregistrationv1.RuleWithOperations{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
	}
}

// probe is the name of the object that is created to see whether the markers
// are known.
const probe = "probe"

// spare keeps the cluster's own policies from refusing the probe, by which
// nothing would be seen.
func (m *Markers) spare(c *Cluster) {
	rule := admissionregistrationv1.NamedRuleWithOperations{ResourceNames: []string{probe}, RuleWithOperations: m.rule()}
	for _, policy := range c.MutatingPolicies {
		policy.Spec.MatchConstraints.ExcludeResourceRules = append(policy.Spec.MatchConstraints.ExcludeResourceRules, rule)
	}
	for _, policy := range c.ValidatingPolicies {
		policy.Spec.MatchConstraints.ExcludeResourceRules = append(policy.Spec.MatchConstraints.ExcludeResourceRules, rule)
	}
}

func (m *Markers) webhooks(g *Generator, c *Cluster) {
	rules := []admissionregistrationv1.RuleWithOperations{m.rule()}
	none := new(admissionregistrationv1.SideEffectClassNone)
	c.MutatingWebhooks = append(c.MutatingWebhooks, &admissionregistrationv1.MutatingWebhookConfiguration{
		TypeMeta: of("MutatingWebhookConfiguration"), ObjectMeta: metav1.ObjectMeta{Name: m.Name},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name: MarkerHook, ClientConfig: g.clientConfig(true, m.Name, MarkerHook), Rules: rules, NamespaceSelector: m.selector(),
			SideEffects: none, AdmissionReviewVersions: []string{"v1"},
		}},
	})
	c.ValidatingWebhooks = append(c.ValidatingWebhooks, &admissionregistrationv1.ValidatingWebhookConfiguration{
		TypeMeta: of("ValidatingWebhookConfiguration"), ObjectMeta: metav1.ObjectMeta{Name: m.Name},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: MarkerHook, ClientConfig: g.clientConfig(false, m.Name, MarkerHook), Rules: rules, NamespaceSelector: m.selector(),
			SideEffects: none, AdmissionReviewVersions: []string{"v1"},
		}},
	})
}

// of is the type of a kind of configuration.
func of(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: admissionregistrationv1.SchemeGroupVersion.String(), Kind: kind}
}

func (m *Markers) policies(c *Cluster) {
	resources := &admissionregistrationv1.MatchResources{
		NamespaceSelector: m.selector(), ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{RuleWithOperations: m.rule()}},
	}
	meta := metav1.ObjectMeta{Name: m.Name}
	kind := &admissionregistrationv1.ParamKind{APIVersion: "v1", Kind: "ConfigMap"}
	ref := &admissionregistrationv1.ParamRef{Name: m.Name, ParameterNotFoundAction: new(admissionregistrationv1.DenyAction)}
	c.MutatingPolicies = append(c.MutatingPolicies, &admissionregistrationv1.MutatingAdmissionPolicy{
		TypeMeta: of("MutatingAdmissionPolicy"), ObjectMeta: meta,
		Spec: admissionregistrationv1.MutatingAdmissionPolicySpec{
			ParamKind: kind, MatchConstraints: resources, ReinvocationPolicy: admissionregistrationv1.NeverReinvocationPolicy,
			Mutations: []admissionregistrationv1.Mutation{apply(`Object{metadata: Object.metadata{annotations: {'` + MarkPrefix + m.Name + `': 'yes'}}}`)},
		},
	})
	c.MutatingBindings = append(c.MutatingBindings, &admissionregistrationv1.MutatingAdmissionPolicyBinding{
		TypeMeta: of("MutatingAdmissionPolicyBinding"), ObjectMeta: meta,
		Spec: admissionregistrationv1.MutatingAdmissionPolicyBindingSpec{PolicyName: m.Name, ParamRef: ref},
	})
	c.ValidatingPolicies = append(c.ValidatingPolicies, &admissionregistrationv1.ValidatingAdmissionPolicy{
		TypeMeta: of("ValidatingAdmissionPolicy"), ObjectMeta: meta,
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			ParamKind: kind, MatchConstraints: resources, Validations: []admissionregistrationv1.Validation{{Expression: "params.data.max != '0'", Message: m.Name}},
		},
	})
	c.ValidatingBindings = append(c.ValidatingBindings, &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		TypeMeta: of("ValidatingAdmissionPolicyBinding"), ObjectMeta: meta,
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: m.Name, ParamRef: ref, ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Warn},
		},
	})
}

// Probe is the request that the markers match, made by an administrator.
func (m *Markers) Probe() *Request {
	object := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": probe, "namespace": m.Name}}
	return &Request{
		User:   authenticationv1.UserInfo{Username: "admin", Groups: []string{"system:masters", "system:authenticated"}},
		Method: "POST", Path: "/api/v1/namespaces/" + m.Name + "/configmaps?dryRun=All", Body: encode(object),
		Review: extant.ReviewedRequest{
			Operation: extant.OperationCreate, Version: "v1", Resource: "configmaps", Namespace: m.Name, Name: probe, Object: raw(object), DryRun: true,
		},
	}
}
