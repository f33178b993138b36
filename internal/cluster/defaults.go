package cluster

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

// The functions of this file fill in what the API server fills in when an
// object is created, because rendered manifests in a dump have not been
// through one. The defaults are those of the v1 API reference. On live objects
// they change nothing.

const httpsPort = 443

func orDefault[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}

// defaultNamespace adds the label that each namespace has.
func defaultNamespace(namespace *corev1.Namespace) {
	if namespace.Labels[corev1.LabelMetadataName] == namespace.Name {
		return
	}
	if namespace.Labels == nil {
		namespace.Labels = map[string]string{}
	}
	namespace.Labels[corev1.LabelMetadataName] = namespace.Name
}

func defaultMutatingWebhooks(configuration *admissionregistrationv1.MutatingWebhookConfiguration) {
	for i := range configuration.Webhooks {
		hook := &configuration.Webhooks[i]
		orDefault(&hook.FailurePolicy, admissionregistrationv1.Fail)
		orDefault(&hook.MatchPolicy, admissionregistrationv1.Equivalent)
		orDefault(&hook.NamespaceSelector, metav1.LabelSelector{})
		orDefault(&hook.ObjectSelector, metav1.LabelSelector{})
		orDefault(&hook.TimeoutSeconds, 10)
		orDefault(&hook.ReinvocationPolicy, admissionregistrationv1.NeverReinvocationPolicy)
		defaultClientConfig(&hook.ClientConfig)
		defaultRules(hook.Rules)
	}
}

func defaultValidatingWebhooks(configuration *admissionregistrationv1.ValidatingWebhookConfiguration) {
	for i := range configuration.Webhooks {
		hook := &configuration.Webhooks[i]
		orDefault(&hook.FailurePolicy, admissionregistrationv1.Fail)
		orDefault(&hook.MatchPolicy, admissionregistrationv1.Equivalent)
		orDefault(&hook.NamespaceSelector, metav1.LabelSelector{})
		orDefault(&hook.ObjectSelector, metav1.LabelSelector{})
		orDefault(&hook.TimeoutSeconds, 10)
		defaultClientConfig(&hook.ClientConfig)
		defaultRules(hook.Rules)
	}
}

func defaultClientConfig(config *admissionregistrationv1.WebhookClientConfig) {
	if config.Service != nil {
		orDefault(&config.Service.Port, httpsPort)
	}
}

func defaultRules(rules []admissionregistrationv1.RuleWithOperations) {
	for i := range rules {
		orDefault(&rules[i].Scope, admissionregistrationv1.AllScopes)
	}
}

func defaultValidatingPolicy(policy *admissionregistrationv1.ValidatingAdmissionPolicy) {
	orDefault(&policy.Spec.FailurePolicy, admissionregistrationv1.Fail)
	defaultMatchResources(policy.Spec.MatchConstraints)
}

func defaultValidatingBinding(binding *admissionregistrationv1.ValidatingAdmissionPolicyBinding) {
	defaultMatchResources(binding.Spec.MatchResources)
}

func defaultMutatingPolicy(policy *admissionregistrationv1.MutatingAdmissionPolicy) {
	orDefault(&policy.Spec.FailurePolicy, admissionregistrationv1.Fail)
	defaultMatchResources(policy.Spec.MatchConstraints)
}

func defaultMutatingBinding(binding *admissionregistrationv1.MutatingAdmissionPolicyBinding) {
	defaultMatchResources(binding.Spec.MatchResources)
}

func defaultMatchResources(match *admissionregistrationv1.MatchResources) {
	if match == nil {
		return
	}
	orDefault(&match.MatchPolicy, admissionregistrationv1.Equivalent)
	orDefault(&match.NamespaceSelector, metav1.LabelSelector{})
	orDefault(&match.ObjectSelector, metav1.LabelSelector{})
	for _, rules := range [][]admissionregistrationv1.NamedRuleWithOperations{match.ResourceRules, match.ExcludeResourceRules} {
		for i := range rules {
			orDefault(&rules[i].Scope, admissionregistrationv1.AllScopes)
		}
	}
}

func defaultConversion(definition *apiextensionsv1.CustomResourceDefinition) {
	orDefault(&definition.Spec.Conversion, apiextensionsv1.CustomResourceConversion{Strategy: apiextensionsv1.NoneConverter})
	webhook := definition.Spec.Conversion.Webhook
	if webhook != nil && webhook.ClientConfig != nil && webhook.ClientConfig.Service != nil {
		orDefault(&webhook.ClientConfig.Service.Port, httpsPort)
	}
}

func defaultAPIService(service *apiregistrationv1.APIService) {
	if service.Spec.Service != nil {
		orDefault(&service.Spec.Service.Port, httpsPort)
	}
}

func defaultService(service *corev1.Service) {
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		if port.Protocol == "" {
			port.Protocol = corev1.ProtocolTCP
		}
		if port.TargetPort == (intstr.IntOrString{}) {
			port.TargetPort = intstr.FromInt32(port.Port)
		}
	}
}

func defaultDeployment(deployment *appsv1.Deployment) {
	orDefault(&deployment.Spec.Replicas, 1)
}

func defaultStatefulSet(set *appsv1.StatefulSet) {
	orDefault(&set.Spec.Replicas, 1)
}
