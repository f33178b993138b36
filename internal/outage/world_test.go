package outage_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/internal/scenario"
	"github.com/extant-project/extant/internal/scenario/random"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// world is a random cluster in which things change. Its webhooks are served by
// workloads of its own.
type world struct {
	t         *testing.T
	rand      *rand.Rand
	generator *random.Generator
	builder   *cluster.Builder
	made      int
	// namespaces are those of the generator, and kube-system.
	namespaces []*corev1.Namespace
	services   [][2]string
	spare      *random.Cluster
	extensions []*extant.Extension
	params     scenario.Params
	// probed is what probes of backends found, by name.
	probed map[string]extant.BackendStatus
	last   map[string]outage.Loss
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, rand: rand.New(rand.NewPCG(seed, 1)), builder: cluster.NewBuilder("live"), probed: map[string]extant.BackendStatus{}}
	w.generator = random.New(seed, "r", func(bool, string, string) random.Endpoint { return random.Endpoint{URL: "https://outside.example"} })
	c := w.generator.Cluster(2, 1)
	w.spare = w.generator.Cluster(6, 4)
	w.builder.SetDiscovery(discovery(t))
	w.namespaces = slices.Concat(c.Namespaces, []*corev1.Namespace{{ObjectMeta: metav1.ObjectMeta{Name: "kube-system"}}})
	for _, namespace := range w.namespaces {
		w.put("", "namespaces", namespace)
		w.putServer(namespace.Name)
	}
	for i := range 3 {
		w.put("", "nodes", &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%d", i)}})
	}
	w.put("rbac.authorization.k8s.io", "clusterroles", &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "all"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}},
	})
	w.put("rbac.authorization.k8s.io", "clusterrolebindings", binding("all", "system:authenticated"))
	w.setParams(c.Params)
	for i := range c.MutatingWebhooks {
		w.putMutating(c.MutatingWebhooks[i])
		w.putValidating(c.ValidatingWebhooks[i])
	}
	for i := range c.ValidatingPolicies {
		w.putPolicy(c.ValidatingPolicies[i], c.ValidatingBindings)
	}
	return w
}

// discovery is what an API server of the newest version serves.
func discovery(t *testing.T) *cluster.Discovery { return snapshotOf(t, guarded).Discovery }

func binding(role, group string) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: role}, Subjects: []rbacv1.Subject{{Kind: "Group", Name: group}},
	}
}

func (w *world) observed() requestpath.Observed {
	snapshot := w.builder.Snapshot()
	taken := inventory.Take(snapshot, nil, w.extensions)
	for i := range taken.Backends {
		if found, ok := w.probed[taken.Backends[i].Name]; ok {
			taken.Backends[i].Status.Available, taken.Backends[i].Status.Reason = found.Available, found.Reason
		}
	}
	return requestpath.Observed{Snapshot: snapshot, Inventory: taken, Params: w.params}
}

func (w *world) put(group, resource string, object runtime.Object) {
	w.t.Helper()
	row, ok := cluster.Lookup(schema.GroupResource{Group: group, Resource: resource})
	if !ok {
		w.t.Fatalf("%s is not observed", resource)
	}
	kept, err := row.Keep(object.DeepCopyObject())
	if err != nil {
		w.t.Fatal(err)
	}
	w.builder.Put(row.GroupResource(), kept)
}

func (w *world) chance(percent int) bool { return w.rand.IntN(100) < percent }

func pick[T any](w *world, all []T) T { return all[w.rand.IntN(len(all))] }

// putServer adds a workload that can serve webhooks, with its Service.
func (w *world) putServer(namespace string) {
	w.made++
	name := fmt.Sprintf("server-%d", w.made)
	labels := map[string]string{"serves": name, "app": pick(w, []string{"web", "db"})}
	w.services = append(w.services, [2]string{namespace, name})
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
	w.put("", "services", &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: map[string]string{"serves": name}, Ports: []corev1.ServicePort{{Port: 443}}}})
	w.put("apps", "deployments", &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{
		Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template(labels),
	}})
	set := metav1.ObjectMeta{Namespace: namespace, Name: name + "-1", OwnerReferences: owned("apps/v1", "Deployment", name)}
	w.put("apps", "replicasets", &appsv1.ReplicaSet{ObjectMeta: set, Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(1)), Template: template(labels)}})
	w.putPod(namespace, name, labels)
	w.putEndpoints(namespace, name, true)
}

func template(labels map[string]string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "main"}}}}
}

func owned(apiVersion, kind, name string) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: name, Controller: new(true)}}
}

func (w *world) putPod(namespace, server string, labels map[string]string) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: server + "-1-a", Labels: labels, OwnerReferences: owned("apps/v1", "ReplicaSet", server+"-1")},
		Spec:       corev1.PodSpec{NodeName: fmt.Sprintf("node-%d", w.rand.IntN(3))},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
	if w.chance(20) {
		pod.Spec.NodeName = ""
	}
	w.put("", "pods", pod)
}

func (w *world) putEndpoints(namespace, service string, ready bool) {
	w.put("discovery.k8s.io", "endpointslices", &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: service + "-x", Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}}},
	})
}

func (w *world) client() admissionregistrationv1.WebhookClientConfig {
	if w.chance(5) {
		return admissionregistrationv1.WebhookClientConfig{URL: new("https://outside.example/")}
	}
	service := pick(w, w.services)
	return admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Namespace: service[0], Name: service[1], Port: new(int32(443))}}
}

func (w *world) policy() *admissionregistrationv1.FailurePolicyType {
	if w.chance(45) {
		return new(admissionregistrationv1.Ignore)
	}
	return new(admissionregistrationv1.Fail)
}

// rules are commonly about what recoveries need.
func (w *world) rules(random []admissionregistrationv1.RuleWithOperations) []admissionregistrationv1.RuleWithOperations {
	if w.chance(25) {
		return random
	}
	resource := pick(w, [][2]string{{"", "pods"}, {"", "pods"}, {"", "pods/*"}, {"", "pods/binding"}, {"", "pods/status"}, {"discovery.k8s.io", "endpointslices"}, {"coordination.k8s.io", "leases"}, {"", "*"}, {"", "serviceaccounts/token"}})
	return []admissionregistrationv1.RuleWithOperations{{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.OperationAll},
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{resource[0]}, APIVersions: []string{"*"}, Resources: []string{resource[1]}},
	}}
}

func (w *world) putMutating(c *admissionregistrationv1.MutatingWebhookConfiguration) {
	c = c.DeepCopy()
	for i := range c.Webhooks {
		if w.chance(75) {
			c.Webhooks[i].MatchConditions = nil
		}
		c.Webhooks[i].ClientConfig, c.Webhooks[i].FailurePolicy, c.Webhooks[i].Rules = w.client(), w.policy(), w.rules(c.Webhooks[i].Rules)
	}
	w.put("admissionregistration.k8s.io", "mutatingwebhookconfigurations", c)
}

func (w *world) putValidating(c *admissionregistrationv1.ValidatingWebhookConfiguration) {
	c = c.DeepCopy()
	for i := range c.Webhooks {
		if w.chance(75) {
			c.Webhooks[i].MatchConditions = nil
		}
		c.Webhooks[i].ClientConfig, c.Webhooks[i].FailurePolicy, c.Webhooks[i].Rules = w.client(), w.policy(), w.rules(c.Webhooks[i].Rules)
	}
	w.put("admissionregistration.k8s.io", "validatingwebhookconfigurations", c)
}

// putPolicy adds a policy that is about pods, with its bindings.
func (w *world) putPolicy(p *admissionregistrationv1.ValidatingAdmissionPolicy, bindings []*admissionregistrationv1.ValidatingAdmissionPolicyBinding) {
	w.put("admissionregistration.k8s.io", "validatingadmissionpolicies", p)
	for _, one := range bindings {
		if one.Spec.PolicyName == p.Name {
			w.put("admissionregistration.k8s.io", "validatingadmissionpolicybindings", one)
		}
	}
}

func (w *world) setParams(all []*corev1.ConfigMap) {
	w.params = nil
	for _, one := range all {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(one)
		if err != nil {
			w.t.Fatal(err)
		}
		w.params = append(w.params, &unstructured.Unstructured{Object: content})
	}
}
