package inventory

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

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/cluster"
)

// largeCluster has 150,000 pods in 10,000 namespaces, 2,000 CRDs and 400 hooks
// of 100 products, 15,000 Services, 20,000 Deployments and 30,000 ReplicaSets,
// and a service account, a role and a role binding in each namespace.
func largeCluster() *cluster.Snapshot {
	b := cluster.NewBuilder("live")
	const products = 100
	for n := range 10_000 {
		ns := fmt.Sprintf("ns-%05d", n)
		b.Put(namespaces, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns, Labels: map[string]string{"kubernetes.io/metadata.name": ns, "team": "a"}}})
		b.Put(serviceAccounts, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "default"}})
		b.Put(roles, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "r", Labels: map[string]string{nameLabel: "r"}}})
		b.Put(roleBindings, &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "r", Labels: map[string]string{nameLabel: "r"}}})
		for i := range 2 {
			app := fmt.Sprintf("app-%d", i)
			labels := map[string]string{instanceLabel: app, nameLabel: "web", "app.kubernetes.io/managed-by": "Helm", "version": "1"}
			meta := metav1.ObjectMeta{Namespace: ns, Name: app, Labels: labels, Annotations: map[string]string{helmName: app, helmNamespace: ns}}
			template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}}
			b.Put(deployments, &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Template: template}})
			owned := metav1.ObjectMeta{Namespace: ns, Labels: labels, OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: app, Controller: new(true)}}}
			for r := range 1 + i {
				owned.Name = fmt.Sprintf("%s-%d", app, r)
				b.Put(replicaSets, &appsv1.ReplicaSet{ObjectMeta: owned})
			}
			if n%2 == 0 || i == 0 {
				b.Put(services, &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 443}}}})
			}
		}
		for p := range 15 {
			b.Put(pods, cluster.PodOf(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: fmt.Sprintf("app-0-%d", p)}}))
		}
	}
	for p := range products {
		name, ns := fmt.Sprintf("product-%03d", p), fmt.Sprintf("ns-%05d", p)
		var annotations map[string]string
		if p%2 == 0 {
			annotations = map[string]string{helmName: "app-0", helmNamespace: ns}
		}
		hooks := make([]admissionregistrationv1.ValidatingWebhook, 4)
		for i := range hooks {
			hooks[i] = admissionregistrationv1.ValidatingWebhook{
				Name:         fmt.Sprintf("hook-%d.%s.io", i, name),
				ClientConfig: admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Namespace: ns, Name: "app-0"}},
			}
		}
		b.Put(validatingConfigurations, &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations}, Webhooks: hooks})
		b.Put(endpointSlices, &discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "app-0-x", Labels: map[string]string{discoveryv1.LabelServiceName: "app-0"}},
			Ports:      []discoveryv1.EndpointPort{{}},
			Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: "app-0-0"}}},
		})
		for i := range 20 {
			group := fmt.Sprintf("%s.io", name)
			b.Put(definitions, &apiextensionsv1.CustomResourceDefinition{
				ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("kind%d.%s", i, group), Labels: map[string]string{instanceLabel: "app-0"}},
				Spec:       apiextensionsv1.CustomResourceDefinitionSpec{Group: group},
			})
		}
	}
	return b.Snapshot()
}

func BenchmarkTake(b *testing.B) {
	snapshot, points := largeCluster(), catalogue.Points()
	b.ReportAllocs()
	for b.Loop() {
		Take(snapshot, points, nil)
	}
}
