package outage_test

import (
	"fmt"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/requestpath"
)

// The large cluster that outages are measured in: 20,000 Deployments with two
// pods each in 2,000 namespaces on 200 nodes; 500 of them are backends, of 420
// webhooks in 120 configurations and of the conversions of 80 custom resources.
// That makes 200 extensions.
const (
	sceneNamespaces     = 2_000
	sceneWorkloads      = 20_000
	sceneBackends       = 500
	sceneConfigurations = 120
	sceneConversions    = 80
	sceneNodes          = 200
)

// scene collects the objects of a cluster.
type scene struct {
	tb      testing.TB
	objects map[schema.GroupResource][]cluster.Object
}

func (s *scene) add(group, resource string, object runtime.Object) {
	s.tb.Helper()
	gr := schema.GroupResource{Group: group, Resource: resource}
	row, ok := cluster.Lookup(gr)
	if !ok {
		s.tb.Fatalf("%s is not observed", gr)
	}
	kept, err := row.Keep(object)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.objects[gr] = append(s.objects[gr], kept)
}

func (s *scene) observed() requestpath.Observed { return observedBy(s.builder()) }

func (s *scene) builder() *cluster.Builder {
	builder := cluster.NewBuilder("live")
	builder.SetDiscovery(cluster.BuiltinDiscovery(cluster.NewestVersion))
	for resource, objects := range s.objects {
		builder.Replace(resource, objects)
	}
	return builder
}

func observedBy(builder *cluster.Builder) requestpath.Observed {
	snapshot := builder.Snapshot()
	return requestpath.Observed{Snapshot: snapshot, Inventory: inventory.Take(snapshot, nil, nil)}
}

// sceneGuarded are the resources that webhooks fail closed on: one in fifty
// guards pods.
var sceneGuarded = []string{"pods", "services", "configmaps", "secrets", "serviceaccounts", "replicationcontrollers", "podtemplates", "limitranges", "resourcequotas", "persistentvolumeclaims"}

// largeCluster is the cluster that outages are measured in. Webhooks fail
// closed in all namespaces but kube-system and their own; every second one is
// for objects with a label.
func largeCluster(tb testing.TB) *scene {
	s := &scene{tb, map[schema.GroupResource][]cluster.Object{}}
	for i := range sceneNodes {
		s.add("", "nodes", &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%d", i)}})
	}
	for _, name := range []string{"kube-system", "kube-node-lease"} {
		s.add("", "namespaces", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelMetadataName: name}}})
	}
	for i := range sceneNamespaces {
		name := sceneNamespace(i)
		s.add("", "namespaces", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			corev1.LabelMetadataName: name, "team": fmt.Sprintf("team-%d", i%200),
		}}})
	}
	// Components may do what they do: else nothing would be known to come back.
	s.add("rbac.authorization.k8s.io", "clusterroles", &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "all"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}},
	})
	s.add("rbac.authorization.k8s.io", "clusterrolebindings", binding("all", "system:authenticated"))
	for i := range sceneWorkloads {
		s.deployment(i)
	}
	for i := range sceneBackends {
		s.service(i)
	}
	for i := range sceneConfigurations {
		s.add("admissionregistration.k8s.io", "validatingwebhookconfigurations", sceneConfiguration(i))
	}
	for b := sceneBackends - sceneConversions; b < sceneBackends; b++ {
		s.add("apiextensions.k8s.io", "customresourcedefinitions", sceneDefinition(b))
	}
	return s
}

func sceneNamespace(i int) string { return fmt.Sprintf("team-%d", i%sceneNamespaces) }

func (s *scene) deployment(i int) {
	name, namespace := fmt.Sprintf("app-%d", i), sceneNamespace(i)
	labels := map[string]string{"app": name, "tier": fmt.Sprintf("tier-%d", i%7)}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
		ServiceAccountName: "default", SchedulerName: corev1.DefaultSchedulerName,
		Containers: []corev1.Container{{Name: "app", Image: "registry.example/" + name + ":1"}},
	}}
	s.add("apps", "deployments", &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, UID: types.UID("d-" + name)},
		Spec:       appsv1.DeploymentSpec{Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template},
		Status:     appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 2, ReadyReplicas: 2},
	})
	hash := fmt.Sprintf("%08x", i)
	set := name + "-" + hash
	owner := metav1.OwnerReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name, UID: types.UID("d-" + name), Controller: new(true), BlockOwnerDeletion: new(true)}
	withHash := map[string]string{"app": name, "tier": labels["tier"], appsv1.DefaultDeploymentUniqueLabelKey: hash}
	s.add("apps", "replicasets", &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: set, Namespace: namespace, UID: types.UID("r-" + name), Labels: withHash, OwnerReferences: []metav1.OwnerReference{owner},
			CreationTimestamp: metav1.Unix(1, 0),
		},
		Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(2))},
	})
	for replica := range 2 {
		s.add("", "pods", &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Name: fmt.Sprintf("%s-%d", set, replica), Namespace: namespace, Labels: withHash,
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: set, Controller: new(true)}},
			},
			Spec:   corev1.PodSpec{NodeName: fmt.Sprintf("node-%d", (i+replica)%sceneNodes), ServiceAccountName: "default"},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
		})
	}
}

// service puts a Service in front of a Deployment.
func (s *scene) service(i int) {
	name, namespace := fmt.Sprintf("app-%d", i), sceneNamespace(i)
	s.add("", "services", &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": name}, Ports: []corev1.ServicePort{{Port: 443}}},
	})
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: name + "-x", Namespace: namespace, Labels: map[string]string{discoveryv1.LabelServiceName: name}},
		AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: new(""), Port: new(int32(9443))}},
	}
	for replica := range 2 {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{fmt.Sprintf("10.%d.%d.%d", replica, i/250, i%250)}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: namespace, Name: fmt.Sprintf("%s-%08x-%d", name, i, replica)},
		})
	}
	s.add("discovery.k8s.io", "endpointslices", slice)
}

func sceneConfiguration(i int) *admissionregistrationv1.ValidatingWebhookConfiguration {
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("guard-%d", i)}}
	for b := i; b < sceneBackends-sceneConversions; b += sceneConfigurations {
		resource := sceneGuarded[0]
		if b%50 != 7 {
			resource = sceneGuarded[1+b%(len(sceneGuarded)-1)]
		}
		w := admissionregistrationv1.ValidatingWebhook{
			Name:          fmt.Sprintf("h%d.example.com", b),
			ClientConfig:  admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Namespace: sceneNamespace(b), Name: fmt.Sprintf("app-%d", b)}},
			FailurePolicy: new(admissionregistrationv1.Fail), TimeoutSeconds: new(int32(10)),
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{resource}},
			}},
			NamespaceSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{
				Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpNotIn, Values: []string{"kube-system", sceneNamespace(b)},
			}}},
		}
		if b%2 == 1 {
			w.ObjectSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"tier": fmt.Sprintf("tier-%d", b%7)}}
		}
		configuration.Webhooks = append(configuration.Webhooks, w)
	}
	return configuration
}

// sceneDefinition is a custom resource in two versions, between which a backend
// converts.
func sceneDefinition(b int) *apiextensionsv1.CustomResourceDefinition {
	group, plural := fmt.Sprintf("app-%d.example.com", b), "things"
	schema := &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object"}}
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: plural + "." + group},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Singular: "thing", Kind: "Thing", ListKind: "ThingList"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{
				{Name: "v1", Served: true, Storage: true, Schema: schema}, {Name: "v1alpha1", Served: true, Schema: schema},
			},
			Conversion: &apiextensionsv1.CustomResourceConversion{Strategy: apiextensionsv1.WebhookConverter, Webhook: &apiextensionsv1.WebhookConversion{
				ConversionReviewVersions: []string{"v1"},
				ClientConfig: &apiextensionsv1.WebhookClientConfig{
					Service: &apiextensionsv1.ServiceReference{Namespace: sceneNamespace(b), Name: fmt.Sprintf("app-%d", b), Port: new(int32(443))},
				},
			}},
		},
	}
}
