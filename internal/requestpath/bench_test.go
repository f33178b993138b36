package requestpath_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/webhook"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/mutating"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/internal/scenario/random"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// noParams has no params.
type noParams struct{}

func (noParams) Get(context.Context, schema.GroupVersionResource, string, string) (*unstructured.Unstructured, error) {
	return nil, nil
}

func (noParams) List(context.Context, schema.GroupVersionResource, string, labels.Selector) ([]*unstructured.Unstructured, error) {
	return nil, nil
}

// Every large cluster of these benchmarks has so many.
const (
	benchConfigurations = 120
	benchHooks          = 500
	benchMatching       = 5
	benchPolicies       = 60
	benchNamespaces     = 2000
)

func benchNamespace(i int) string { return fmt.Sprintf("team-%04d", i) }

// benchCluster has hooks as clusters have them: most are about their
// extension's own kinds, a few about pods, and fewer about the pods at hand.
func benchCluster(conditions bool) (namespaces []runtime.Object, webhooks []*admissionregistrationv1.MutatingWebhookConfiguration) {
	for i := range benchNamespaces {
		namespaces = append(namespaces, &corev1.Namespace{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
			ObjectMeta: metav1.ObjectMeta{Name: benchNamespace(i), Labels: map[string]string{"kubernetes.io/metadata.name": benchNamespace(i), "env": []string{"prod", "dev"}[i%2]}},
		})
	}
	for i := range benchConfigurations {
		webhooks = append(webhooks, &admissionregistrationv1.MutatingWebhookConfiguration{
			TypeMeta:   metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1", Kind: "MutatingWebhookConfiguration"},
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("extension-%03d", i)},
		})
	}
	for i := range benchHooks {
		hook := benchHook(i)
		if conditions && i%50 == 7 {
			hook.MatchConditions = benchConditions
		}
		configuration := webhooks[i%benchConfigurations]
		hook.Name = fmt.Sprintf("hook-%d.%s.example.com", i, configuration.Name)
		configuration.Webhooks = append(configuration.Webhooks, hook)
	}
	return namespaces, webhooks
}

// benchConditions are what is commonly excluded: who writes, and marked objects.
var benchConditions = []admissionregistrationv1.MatchCondition{
	{Name: "not-nodes", Expression: "!('system:nodes' in request.userInfo.groups)"},
	{Name: "not-ignored", Expression: "!has(object.metadata.labels) || !('ignore' in object.metadata.labels)"},
}

func benchHook(i int) admissionregistrationv1.MutatingWebhook {
	rule := admissionregistrationv1.RuleWithOperations{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{fmt.Sprintf("extension-%d.example.com", i%benchConfigurations)}, APIVersions: []string{"v1"}, Resources: []string{fmt.Sprintf("kinds%d", i)}},
	}
	hook := admissionregistrationv1.MutatingWebhook{
		ClientConfig:            admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Namespace: "extensions", Name: fmt.Sprintf("extension-%d", i%benchConfigurations)}},
		SideEffects:             new(admissionregistrationv1.SideEffectClassNone),
		AdmissionReviewVersions: []string{"v1"},
		NamespaceSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: "kubernetes.io/metadata.name", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"kube-system", "extensions"}},
		}},
	}
	if i%5 == 2 {
		hook.ObjectSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "extensions.example.com/ignore", Operator: metav1.LabelSelectorOpDoesNotExist}}}
	}
	if i%50 == 7 {
		// Ten hooks are about pods, half of them about those in production.
		rule.APIGroups, rule.Resources = []string{""}, []string{"pods"}
		if i%100 == 7 {
			hook.NamespaceSelector.MatchLabels = map[string]string{"env": "prod"}
		} else {
			hook.NamespaceSelector.MatchLabels = map[string]string{"env": "none"}
		}
	}
	hook.Rules = []admissionregistrationv1.RuleWithOperations{rule}
	return hook
}

// benchPolicy is about pods where it is one of the first, which read what
// policies commonly read.
func benchPolicy(i int) []runtime.Object {
	name := fmt.Sprintf("policy-%02d", i)
	kind := random.Kinds[i%len(random.Kinds)]
	rule := admissionregistrationv1.NamedRuleWithOperations{RuleWithOperations: admissionregistrationv1.RuleWithOperations{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{kind.Group}, APIVersions: []string{"*"}, Resources: []string{kind.Resource}},
	}}
	return []runtime.Object{
		&admissionregistrationv1.ValidatingAdmissionPolicy{
			TypeMeta:   metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1", Kind: "ValidatingAdmissionPolicy"},
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
				MatchConstraints: &admissionregistrationv1.MatchResources{ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{rule}},
				MatchConditions:  []admissionregistrationv1.MatchCondition{{Name: "not-system", Expression: "!request.userInfo.username.startsWith('system:')"}},
				Variables:        []admissionregistrationv1.Variable{{Name: "labels", Expression: "object.metadata.?labels.orValue({})"}},
				Validations: []admissionregistrationv1.Validation{
					{Expression: "variables.labels.all(key, key.size() < 60)"},
					{Expression: "object.?spec.?containers.orValue([]).all(c, c.?image.orValue('').startsWith('registry.example/'))", Message: "images come from the registry"},
				},
			},
		},
		&admissionregistrationv1.ValidatingAdmissionPolicyBinding{
			TypeMeta:   metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1", Kind: "ValidatingAdmissionPolicyBinding"},
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: name, ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny}},
		},
	}
}

const benchPod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-0","namespace":"team-0000","labels":{"app":"web"}},
"spec":{"containers":[{"name":"main","image":"registry.example/app:1","resources":{"requests":{"cpu":"100m"}}}]}}`

// benchSpec asks for the creation of a pod in production.
func benchSpec() *extant.RequestReviewSpec {
	return &extant.RequestReviewSpec{
		Request: extant.ReviewedRequest{
			Operation: extant.OperationCreate, Version: "v1", Resource: "pods", Namespace: benchNamespace(0), Name: "web-0",
			Object: runtime.RawExtension{Raw: []byte(benchPod)},
		},
		User:   &authenticationv1.UserInfo{Username: "alice", Groups: []string{"system:masters"}},
		Assume: extant.RequestAssumptions{Backends: extant.BackendsAllAvailable},
	}
}

// The two benchmarks take the same hooks. A review, on one side, begins with
// the JSON that was sent and ends with the answer: it decodes the object,
// resolves the resource, authorizes, finds and matches hooks and policies,
// evaluates their expressions, asks pod security and writes down each hop. The
// loop, on the other side, is what an API server that has no index does for a
// request before it calls the first hook: it has the attributes ready, asks for
// each hook whether namespaceSelector, objectSelector, rules, equivalents and
// conditions match, and does nothing else.
//
// Both are measured as time that passes (p50) and as CPU time of the process,
// which garbage collection is part of.

// BenchmarkTrace is one review against 500 hooks in 120 configurations, of
// which 5 match, in a cluster of 2,000 namespaces; then with conditions at the
// hooks that are about pods; then with 60 policies besides, of which 2 are
// evaluated.
func BenchmarkTrace(b *testing.B) {
	for _, with := range []struct {
		name       string
		conditions bool
		policies   int
	}{{"hooks", false, 0}, {"conditions", true, 0}, {"conditions-and-policies", true, benchPolicies}} {
		b.Run(with.name, func(b *testing.B) {
			namespaces, webhooks := benchCluster(with.conditions)
			objects := namespaces
			for _, configuration := range webhooks {
				objects = append(objects, configuration)
			}
			for i := range with.policies {
				objects = append(objects, benchPolicy(i)...)
			}
			snapshot := snapshotOf(b, objects...)
			observed, authorizer, engine, spec := observedOf(snapshot), rbac.New(snapshot, rbac.Options{}), requestpath.NewEngine(), benchSpec()
			trace := func() *extant.RequestReviewStatus {
				status, err := engine.Trace(b.Context(), observed, authorizer, spec)
				if err != nil {
					b.Fatal(err)
				}
				return status
			}
			// The first review compiles what later ones find.
			if called := count(trace(), extant.OutcomeCalled); called != benchMatching {
				b.Fatalf("%d hooks are called", called)
			}
			measure(b, func() { trace() })
		})
	}
}

func count(status *extant.RequestReviewStatus, outcome extant.Outcome) int {
	n := 0
	for i := range status.Hops {
		if status.Hops[i].Outcome == outcome {
			n++
		}
	}
	return n
}

// measure runs a benchmark, and reports the median of the time that passes and
// the CPU time of each.
func measure(b *testing.B, one func()) {
	b.Helper()
	b.ReportAllocs()
	var times []time.Duration
	spent := cpuTime(b)
	for b.Loop() {
		begin := time.Now()
		one()
		times = append(times, time.Since(begin))
	}
	spent = cpuTime(b) - spent
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// cpuTime is the CPU time that the process used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkUnindexedMatcher pushes the same hooks, one by one, through the
// matcher of the API server itself.
func BenchmarkUnindexedMatcher(b *testing.B) {
	for _, with := range []struct {
		name       string
		conditions bool
	}{{"hooks", false}, {"conditions", true}} {
		b.Run(with.name, func(b *testing.B) {
			plugin, hooks := benchPlugin(b, with.conditions)
			attributes, interfaces := benchAttributes(b)
			push := func() (matched int) {
				versioned := &versionedOnce{attributes: attributes}
				for _, hook := range hooks {
					invocation, err := plugin.ShouldCallHook(b.Context(), hook, attributes, interfaces, versioned)
					if err != nil {
						b.Fatal(err)
					}
					if invocation != nil {
						matched++
					}
				}
				return matched
			}
			if matched := push(); matched != benchMatching {
				b.Fatalf("%d hooks match", matched)
			}
			measure(b, func() { push() })
		})
	}
}

// benchPlugin is the plugin of an API server with the hooks of the large
// cluster, as it keeps them: with defaults, and each with an accessor that
// parses its selectors and compiles its conditions once.
func benchPlugin(b *testing.B, conditions bool) (*mutating.Plugin, []webhook.WebhookAccessor) {
	b.Helper()
	namespaces, webhooks := benchCluster(conditions)
	client := fake.NewClientset()
	factory := informers.NewSharedInformerFactory(client, 0)
	for _, namespace := range namespaces {
		if err := factory.Core().V1().Namespaces().Informer().GetIndexer().Add(namespace); err != nil {
			b.Fatal(err)
		}
	}
	plugin, err := mutating.NewMutatingWebhook(nil)
	if err != nil {
		b.Fatal(err)
	}
	plugin.SetExternalKubeClientSet(client)
	plugin.SetExternalKubeInformerFactory(factory)
	var hooks []webhook.WebhookAccessor
	for _, configuration := range webhooks {
		for i := range configuration.Webhooks {
			hook := &configuration.Webhooks[i]
			hook.MatchPolicy, hook.FailurePolicy = new(admissionregistrationv1.Equivalent), new(admissionregistrationv1.Fail)
			if hook.ObjectSelector == nil {
				hook.ObjectSelector = &metav1.LabelSelector{}
			}
			hooks = append(hooks, webhook.NewMutatingWebhookAccessor(hook.Name, configuration.Name, hook))
		}
	}
	return plugin, hooks
}

// benchAttributes are those of the creation of the pod, and what the matcher
// asks about resources: an API server registers all that it serves.
func benchAttributes(b *testing.B) (admission.Attributes, admission.ObjectInterfaces) {
	b.Helper()
	pod := &corev1.Pod{}
	if err := json.Unmarshal([]byte(benchPod), pod); err != nil {
		b.Fatal(err)
	}
	registry := runtime.NewEquivalentResourceRegistry()
	for _, kind := range random.Kinds {
		for _, version := range kind.Versions {
			gv := schema.GroupVersion{Group: kind.Group, Version: version}
			registry.RegisterKindFor(gv.WithResource(kind.Resource), "", gv.WithKind(kind.Kind))
		}
	}
	attributes := admission.NewAttributesRecord(pod, nil, pod.GroupVersionKind(), pod.GetNamespace(), pod.GetName(),
		schema.GroupVersionResource{Version: "v1", Resource: "pods"}, "", admission.Create, &metav1.CreateOptions{}, false, &user.DefaultInfo{Name: "alice", Groups: []string{"system:masters"}})
	return attributes, benchInterfaces{registry: registry}
}

type benchInterfaces struct {
	admission.ObjectInterfaces
	registry runtime.EquivalentResourceMapper
}

func (i benchInterfaces) GetEquivalentResourceMapper() runtime.EquivalentResourceMapper {
	return i.registry
}

// versionedOnce converts the object once for all hooks of a request, as an API
// server does. The object is in the version of the hooks already.
type versionedOnce struct {
	attributes admission.Attributes
	versioned  *admission.VersionedAttributes
}

func (v *versionedOnce) VersionedAttribute(kind schema.GroupVersionKind) (*admission.VersionedAttributes, error) {
	if v.versioned == nil {
		v.versioned = &admission.VersionedAttributes{Attributes: v.attributes, VersionedKind: kind, VersionedObject: admission.NewLazyObject(v.attributes.GetObject())}
	}
	return v.versioned, nil
}
