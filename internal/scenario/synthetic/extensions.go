package synthetic

import (
	"fmt"
	"iter"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

const (
	mutatingResource   = "mutatingwebhookconfigurations"
	validatingResource = "validatingwebhookconfigurations"
)

// authority stands for the certificate in a caBundle.
var authority = []byte("-----BEGIN CERTIFICATE-----\n" + strings.Repeat("MIIDBTCCAe2gAwIBAgIIX0h3b2Nhbm5vdGJl", 30) + "\n-----END CERTIFICATE-----\n")

func definitionGroup(i int) string { return fmt.Sprintf("group%d.example.com", i/10) }

func (s Size) definitions() iter.Seq[runtime.Object] {
	return generate(s.Definitions, func(i int) *apiextensionsv1.CustomResourceDefinition {
		kind := fmt.Sprintf("Thing%d", i)
		plural := strings.ToLower(kind) + "s"
		names := apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Singular: strings.ToLower(kind), Kind: kind, ListKind: kind + "List"}
		at := metav1.NewTime(created)
		return &apiextensionsv1.CustomResourceDefinition{
			ObjectMeta: metadata("", plural+"."+definitionGroup(i), map[string]string{"app.kubernetes.io/managed-by": "Helm"}, map[string]string{"controller-gen.kubebuilder.io/version": "v0.18.0"}),
			Spec: apiextensionsv1.CustomResourceDefinitionSpec{
				Group: definitionGroup(i), Names: names, Scope: apiextensionsv1.NamespaceScoped,
				Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
					Name: "v1", Served: true, Storage: true, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: s.schema()},
					Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
				}},
				Conversion: &apiextensionsv1.CustomResourceConversion{Strategy: apiextensionsv1.NoneConverter},
			},
			Status: apiextensionsv1.CustomResourceDefinitionStatus{
				AcceptedNames: names, StoredVersions: []string{"v1"},
				Conditions: []apiextensionsv1.CustomResourceDefinitionCondition{
					{Type: apiextensionsv1.NamesAccepted, Status: apiextensionsv1.ConditionTrue, LastTransitionTime: at, Reason: "NoConflicts", Message: "no conflicts found"},
					{Type: apiextensionsv1.Established, Status: apiextensionsv1.ConditionTrue, LastTransitionTime: at, Reason: "InitialNamesAccepted", Message: "the initial names have been accepted"},
				},
			},
		}
	})
}

// schema returns a schema of about the wanted size.
func (s Size) schema() *apiextensionsv1.JSONSchemaProps {
	const bytesEach = 250
	spec := apiextensionsv1.JSONSchemaProps{Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{}}
	for i := range max(1, s.SchemaBytes/bytesEach) {
		spec.Properties[fmt.Sprintf("property%d", i)] = apiextensionsv1.JSONSchemaProps{
			Description: strings.Repeat("What this field means to the controller that reads it. ", 3), Type: "string", MaxLength: new(int64(253)), Pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
		}
	}
	return &apiextensionsv1.JSONSchemaProps{Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{"spec": spec, "status": {Type: "object"}}}
}

func (s Size) apiServices() iter.Seq[runtime.Object] {
	return generate((s.Definitions+9)/10, func(i int) *apiregistrationv1.APIService {
		group := definitionGroup(i * 10)
		return &apiregistrationv1.APIService{
			ObjectMeta: metadata("", "v1."+group, map[string]string{"kube-aggregator.kubernetes.io/automanaged": "true"}, nil),
			Spec:       apiregistrationv1.APIServiceSpec{Group: group, Version: "v1", GroupPriorityMinimum: 1000, VersionPriority: 100},
			Status: apiregistrationv1.APIServiceStatus{Conditions: []apiregistrationv1.APIServiceCondition{{
				Type: apiregistrationv1.Available, Status: apiregistrationv1.ConditionTrue, LastTransitionTime: metav1.NewTime(created), Reason: "Local", Message: "Local APIServices are always available",
			}}},
		}
	})
}

func (s Size) hookBackend(i int) admissionregistrationv1.WebhookClientConfig {
	w := s.workload(i % s.Services)
	return admissionregistrationv1.WebhookClientConfig{
		CABundle: authority, Service: &admissionregistrationv1.ServiceReference{Namespace: w.namespace, Name: w.name, Path: new("/admit"), Port: new(int32(443))},
	}
}

func hookRules(k int) []admissionregistrationv1.RuleWithOperations {
	resources := []string{"pods", "deployments", "services", "configmaps"}
	return []admissionregistrationv1.RuleWithOperations{{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{"*"}, APIVersions: []string{"*"}, Resources: []string{resources[k%len(resources)]}, Scope: new(admissionregistrationv1.AllScopes)},
	}}
}

var optedIn = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "kubernetes.io/metadata.name", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"kube-system"}}}}

func (s Size) mutatingConfigurations() iter.Seq[runtime.Object] {
	return generate(s.Configurations/2, func(i int) *admissionregistrationv1.MutatingWebhookConfiguration {
		configuration := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metadata("", fmt.Sprintf("mutating-%d", i), map[string]string{"app.kubernetes.io/managed-by": "Helm"}, nil)}
		for k := range s.HooksEach {
			configuration.Webhooks = append(configuration.Webhooks, admissionregistrationv1.MutatingWebhook{
				Name: fmt.Sprintf("hook%d.mutating-%d.example.com", k, i), ClientConfig: s.hookBackend(i), Rules: hookRules(k),
				FailurePolicy: new(admissionregistrationv1.Fail), MatchPolicy: new(admissionregistrationv1.Equivalent), SideEffects: new(admissionregistrationv1.SideEffectClassNone),
				NamespaceSelector: optedIn.DeepCopy(), ObjectSelector: &metav1.LabelSelector{}, TimeoutSeconds: new(int32(10)),
				ReinvocationPolicy: new(admissionregistrationv1.NeverReinvocationPolicy), AdmissionReviewVersions: []string{"v1"},
			})
		}
		return configuration
	})
}

func (s Size) validatingConfigurations() iter.Seq[runtime.Object] {
	return generate(s.Configurations-s.Configurations/2, func(i int) *admissionregistrationv1.ValidatingWebhookConfiguration {
		configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metadata("", fmt.Sprintf("validating-%d", i), map[string]string{"app.kubernetes.io/managed-by": "Helm"}, nil)}
		for k := range s.HooksEach {
			configuration.Webhooks = append(configuration.Webhooks, admissionregistrationv1.ValidatingWebhook{
				Name: fmt.Sprintf("hook%d.validating-%d.example.com", k, i), ClientConfig: s.hookBackend(i + s.Configurations), Rules: hookRules(k),
				FailurePolicy: new(admissionregistrationv1.Fail), MatchPolicy: new(admissionregistrationv1.Equivalent), SideEffects: new(admissionregistrationv1.SideEffectClassNone),
				NamespaceSelector: optedIn.DeepCopy(), ObjectSelector: &metav1.LabelSelector{}, TimeoutSeconds: new(int32(10)), AdmissionReviewVersions: []string{"v1"},
			})
		}
		return configuration
	})
}

func (s Size) policies() iter.Seq[runtime.Object] {
	return generate(s.Configurations/4, func(i int) *admissionregistrationv1.ValidatingAdmissionPolicy {
		return &admissionregistrationv1.ValidatingAdmissionPolicy{
			ObjectMeta: metadata("", fmt.Sprintf("policy-%d", i), nil, nil),
			Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
				FailurePolicy: new(admissionregistrationv1.Fail),
				MatchConstraints: &admissionregistrationv1.MatchResources{
					MatchPolicy: new(admissionregistrationv1.Equivalent), NamespaceSelector: &metav1.LabelSelector{}, ObjectSelector: &metav1.LabelSelector{},
					ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{RuleWithOperations: hookRules(i)[0]}},
				},
				Validations: []admissionregistrationv1.Validation{{Expression: "object.metadata.name.size() < 64", Message: "the name is too long"}},
			},
		}
	})
}
