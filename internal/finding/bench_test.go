package finding

import (
	"fmt"
	"slices"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// configuration is the n-th of 125, with four hooks each.
func configuration(n int, timeout int32) *admissionregistrationv1.ValidatingWebhookConfiguration {
	c := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("guard-%03d", n)}}
	for i := range 4 {
		c.Webhooks = append(c.Webhooks, admissionregistrationv1.ValidatingWebhook{
			Name:          fmt.Sprintf("hook-%d.guard-%03d.example", i, n),
			ClientConfig:  admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Namespace: fmt.Sprintf("ns-%03d", n), Name: "guard", Port: new(int32(443))}},
			FailurePolicy: new(admissionregistrationv1.Fail), TimeoutSeconds: &timeout, SideEffects: new(admissionregistrationv1.SideEffectClassNone),
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}, ObjectSelector: &metav1.LabelSelector{},
			MatchPolicy: new(admissionregistrationv1.Equivalent),
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{"CREATE", "UPDATE"},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{[]string{"", "apps", "batch", "example.com"}[i]}, APIVersions: []string{"v1"}, Resources: []string{[]string{"pods", "deployments", "jobs", "things"}[i]}},
			}},
		})
	}
	return c
}

// scene is 500 hooks of 125 configurations and backends in 2,000 namespaces,
// and 40 rules.
func scene() (*cluster.Builder, []*extant.ExtensionPolicy) {
	b := cluster.NewBuilder("live")
	b.SetVersion(cluster.NewestVersion)
	b.SetDiscovery(cluster.BuiltinDiscovery(cluster.NewestVersion))
	for _, name := range []string{"kube-system", "kube-node-lease"} {
		b.Put(namespaceResource, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/metadata.name": name}}})
	}
	for n := range 2000 {
		name := fmt.Sprintf("ns-%03d", n)
		b.Put(namespaceResource, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/metadata.name": name, "team": "a"}}})
	}
	pods := map[string]string{"app": "guard"}
	for n := range 125 {
		name := fmt.Sprintf("ns-%03d", n)
		b.Put(schema.GroupResource{Resource: "services"}, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "guard"}, Spec: corev1.ServiceSpec{Selector: pods, Ports: []corev1.ServicePort{{Port: 443}}}})
		b.Put(running[0], &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "guard"}, Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: pods}, Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: pods}}}})
		b.Put(schema.ParseGroupResource(registering[1]), configuration(n, 5))
	}
	policies := slices.Clone(catalogue.Policies())
	more := &extant.ExtensionPolicy{ObjectMeta: metav1.ObjectMeta{Name: "more"}}
	for i := range 40 - len(policies[0].Spec.Rules) - len(policies[1].Spec.Rules) {
		more.Spec.Rules = append(more.Spec.Rules, extant.PolicyRule{
			Name: fmt.Sprintf("timeout-%d", i), AppliesTo: extant.PolicySubjectHook, Severity: extant.FindingInfo,
			Match: `hook.point == "validating-admission-webhook"`, Assert: fmt.Sprintf(`hook.timeoutSeconds < %d || !hook.intercepts("CREATE", "apps", "deployments", "kube-system")`, 20+i),
		})
	}
	strict := policies[1].DeepCopy()
	strict.Spec.Paused = false
	return b, []*extant.ExtensionPolicy{policies[0], strict, more}
}

func inputOf(b *cluster.Builder, policies []*extant.ExtensionPolicy) Input {
	snapshot := b.Snapshot()
	return Input{Observed: requestpath.Observed{Snapshot: snapshot, Inventory: inventory.Take(snapshot, catalogue.Points(), nil), Time: noon}, Policies: policies}
}

// BenchmarkEvaluate evaluates 40 rules for 500 hooks and 125 backends.
func BenchmarkEvaluate(b *testing.B) {
	builder, policies := scene()
	run := func(b *testing.B, e *Engine, input Input) {
		b.Helper()
		result, err := e.Evaluate(b.Context(), input)
		if err != nil || len(result.Findings) == 0 || len(result.Kept) > 0 {
			b.Fatalf("%d findings, %d kept, %v: %+v", len(result.Findings), len(result.Kept), err, result.Policies)
		}
	}
	first := inputOf(builder, policies)
	b.Run("cold", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			run(b, NewEngine(requestpath.NewEngine()), first)
		}
	})
	// The inventory of the changed cluster is not in the figures.
	var inputs []Input
	for i := range 2 {
		builder.Put(schema.ParseGroupResource(registering[1]), configuration(60, int32(6+i)))
		inputs = append(inputs, inputOf(builder, policies))
	}
	b.Run("after one changed configuration", func(b *testing.B) {
		e := NewEngine(requestpath.NewEngine())
		run(b, e, first)
		b.ReportAllocs()
		b.ResetTimer()
		for i := range b.N {
			run(b, e, inputs[i%2])
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		e := NewEngine(requestpath.NewEngine())
		run(b, e, first)
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			run(b, e, first)
		}
	})
}
