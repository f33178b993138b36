package outage

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/controller/loop"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned/fake"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions"
)

// observed is a source of a cluster with a webhook that guards pods.
type observed struct {
	mu        sync.Mutex
	builder   *cluster.Builder
	changed   chan struct{}
	unsettled bool
}

func (o *observed) Snapshot() *cluster.Snapshot {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.builder.Snapshot()
}

func (o *observed) Subscribe() (<-chan struct{}, func()) { return o.changed, func() {} }
func (o *observed) Observe([]schema.GroupResource)       {}
func (o *observed) Settled() bool                        { return !o.unsettled }
func (o *observed) Heard() time.Time                     { return time.Time{} }

func (o *observed) put(t *testing.T, group, resource string, object runtime.Object) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	row, ok := cluster.Lookup(schema.GroupResource{Group: group, Resource: resource})
	if !ok {
		t.Fatalf("%s is not observed", resource)
	}
	kept, err := row.Keep(object)
	if err != nil {
		t.Fatal(err)
	}
	o.builder.Put(row.GroupResource(), kept)
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// guard registers the webhook, which is asked for the pods of all
// namespaces, its own included.
func (o *observed) guard(t *testing.T, policy admissionregistrationv1.FailurePolicyType) {
	o.put(t, "admissionregistration.k8s.io", "validatingwebhookconfigurations", &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "guard"},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: "guard.example.com", FailurePolicy: &policy,
			ClientConfig: admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Namespace: "guard", Name: "guard"}},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}},
		}},
	})
}

func newObserved(t *testing.T) *observed {
	o := &observed{builder: cluster.NewBuilder("live"), changed: make(chan struct{}, 1)}
	o.builder.SetDiscovery(cluster.BuiltinDiscovery(cluster.NewestVersion))
	for _, name := range []string{"guard", "kube-system", "kube-node-lease"} {
		o.put(t, "", "namespaces", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	o.put(t, "rbac.authorization.k8s.io", "clusterroles", &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "all"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}},
	})
	o.put(t, "rbac.authorization.k8s.io", "clusterrolebindings", &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "all"}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "all"}, Subjects: []rbacv1.Subject{{Kind: "Group", Name: "system:authenticated"}},
	})
	labels := map[string]string{"app": "guard"}
	meta := metav1.ObjectMeta{Namespace: "guard", Name: "guard"}
	o.put(t, "apps", "deployments", &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{
		Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "guard", Image: "guard"}}}},
	}})
	o.put(t, "", "services", &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 443}}}})
	o.put(t, "discovery.k8s.io", "endpointslices", &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "guard", Name: "guard-x", Labels: map[string]string{discoveryv1.LabelServiceName: "guard"}},
		AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: new(""), Port: new(int32(443))}},
		Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)}}},
	})
	o.guard(t, admissionregistrationv1.Fail)
	return o
}

// harness is a controller with an API in which discovery has done its part.
type harness struct {
	*Controller
	t       *testing.T
	source  *observed
	api     *fake.Clientset
	clock   *clocktesting.FakeClock
	factory informers.SharedInformerFactory

	mu sync.Mutex
	// applied are the writes, and refuse is the answer to the next of them.
	applied []clienttesting.PatchActionImpl
	refuse  error
}

func newHarness(t *testing.T, stored *v1alpha1.Extension) *harness {
	h := &harness{t: t, source: newObserved(t), api: fake.NewSimpleClientset(stored), clock: clocktesting.NewFakeClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))}
	h.factory = informers.NewSharedInformerFactory(h.api, 0)
	h.api.PrependReactor("patch", "extensions", h.apply)
	c, err := New(Config{
		Source: h.source, Client: h.api.ExtantV1alpha1(), Kinds: h.factory.Extant().V1alpha1(),
		Inventory: func(snapshot *cluster.Snapshot) (*inventory.Inventory, error) {
			return inventory.Take(snapshot, nil, nil), nil
		},
		Params: func(*cluster.Snapshot) requestpath.Params { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Controller, c.clock = c, h.clock
	h.factory.Start(t.Context().Done())
	h.factory.WaitForCacheSync(t.Context().Done())
	return h
}

func guard() *v1alpha1.Extension {
	return &v1alpha1.Extension{ObjectMeta: metav1.ObjectMeta{Name: "guard", Generation: 3}}
}

// apply stores the status that is applied, and keeps what others wrote: of its
// own fields those that are not applied are gone.
func (h *harness) apply(action clienttesting.Action) (bool, runtime.Object, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	patch := action.(clienttesting.PatchActionImpl)
	h.applied = append(h.applied, patch)
	if refuse := h.refuse; refuse != nil {
		h.refuse = nil
		return true, nil, refuse
	}
	resource := v1alpha1.SchemeGroupVersion.WithResource("extensions")
	object, err := h.api.Tracker().Get(resource, "", patch.GetName())
	if err != nil {
		return true, nil, err
	}
	stored := object.DeepCopyObject().(*v1alpha1.Extension)
	others := slices.DeleteFunc(stored.Status.Conditions, func(c metav1.Condition) bool { return c.Type == "Recoverable" })
	stored.Status.Blocks, stored.Status.RecoversUnaided, stored.Status.Conditions = "", "", nil
	if err := json.Unmarshal(patch.GetPatch(), stored); err != nil {
		return true, nil, err
	}
	stored.Status.Conditions = append(others, stored.Status.Conditions...)
	return true, stored, h.api.Tracker().Update(resource, stored, "")
}

func (h *harness) writes() []clienttesting.PatchActionImpl {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.applied)
}

// seen waits until the controller's lister has what is stored, and returns it.
func (h *harness) seen() *v1alpha1.Extension {
	h.t.Helper()
	var listed *v1alpha1.Extension
	h.until("the lister has what is stored", func() bool {
		stored, err := h.api.Tracker().Get(v1alpha1.SchemeGroupVersion.WithResource("extensions"), "", "guard")
		if err != nil {
			h.t.Fatal(err)
		}
		listed, err = h.extensions.Get("guard")
		return err == nil && listed.Status.RecoversUnaided == stored.(*v1alpha1.Extension).Status.RecoversUnaided
	})
	return listed
}

func (h *harness) until(what string, is func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("not in time: %s", what)
		}
	}
}

func (h *harness) mustPass() {
	h.t.Helper()
	if err := h.pass(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func TestOnlyWhatALossDoesIsApplied(t *testing.T) {
	stored := guard()
	stored.Status.FailureMode = "Blocks"
	stored.Status.Conditions = []metav1.Condition{{Type: "Available", Status: metav1.ConditionTrue}}
	h := newHarness(t, stored)
	h.mustPass()
	written := h.writes()
	if len(written) != 1 {
		t.Fatalf("%d writes", len(written))
	}
	if options := written[0].PatchOptions; written[0].GetSubresource() != "status" || options.FieldManager != FieldManager || options.Force == nil || !*options.Force {
		t.Errorf("applied to %q with %+v", written[0].GetSubresource(), options)
	}
	var applied map[string]any
	if err := json.Unmarshal(written[0].GetPatch(), &applied); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(applied)); !slices.Equal(got, []string{"apiVersion", "kind", "metadata", "status"}) {
		t.Errorf("applied %v", got)
	}
	if got := applied["metadata"].(map[string]any); len(got) != 1 || got["name"] != "guard" {
		t.Errorf("applied the metadata %v", got)
	}
	if got := slices.Sorted(maps.Keys(applied["status"].(map[string]any))); !slices.Equal(got, []string{"blocks", "conditions", "recoversUnaided"}) {
		t.Errorf("applied the status %v", got)
	}
	status := h.seen().Status
	if status.RecoversUnaided != metav1.ConditionFalse || status.Blocks != "create of pods in all 3 namespaces" {
		t.Errorf("got %q, recoversUnaided %s", status.Blocks, status.RecoversUnaided)
	}
	if c := status.Conditions; len(c) != 2 || c[1].Type != "Recoverable" || c[1].Status != metav1.ConditionFalse || c[1].Reason != "Deadlock" ||
		!strings.Contains(c[1].Message, "guard.guard.443") || c[1].ObservedGeneration != 3 || !c[1].LastTransitionTime.Equal(&metav1.Time{Time: h.clock.Now()}) {
		t.Errorf("got the conditions %+v", c)
	}
}

func TestWhatIsWrittenIsNotWrittenAgain(t *testing.T) {
	h := newHarness(t, guard())
	h.mustPass()
	h.seen()
	h.clock.Step(time.Hour)
	h.mustPass()
	if n := len(h.writes()); n != 1 {
		t.Errorf("%d writes", n)
	}
}

func TestTheConditionKeepsItsTimeUntilItsStatusChanges(t *testing.T) {
	h := newHarness(t, guard())
	h.mustPass()
	first := h.seen().Status.Conditions[0].LastTransitionTime
	h.clock.Step(time.Hour)
	h.source.put(t, "apps", "deployments", &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "guard", Name: "second"}, Spec: appsv1.DeploymentSpec{
		Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "guard"}},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "guard"}}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "guard", Image: "guard"}}}},
	}})
	h.mustPass()
	if n := len(h.writes()); n != 2 {
		t.Fatalf("%d writes: the message says how many workloads are stuck", n)
	}
	h.until("the new message is seen", func() bool {
		listed := h.seen()
		return strings.Contains(listed.Status.Conditions[0].Message, "2 workloads stuck")
	})
	if got := h.seen().Status.Conditions[0].LastTransitionTime; !got.Equal(&first) {
		t.Errorf("another message made it %s", got)
	}
	h.source.guard(t, admissionregistrationv1.Ignore)
	h.mustPass()
	if got := h.seen().Status; got.RecoversUnaided != metav1.ConditionTrue || got.Blocks != "" || !got.Conditions[0].LastTransitionTime.Equal(&metav1.Time{Time: h.clock.Now()}) {
		t.Errorf("after the webhook fails open: %+v", got)
	}
}

func TestAWriteThatFailedIsTriedAgain(t *testing.T) {
	h := newHarness(t, guard())
	h.refuse = apierrors.NewServiceUnavailable("etcd is away")
	if err := h.pass(t.Context()); err == nil {
		t.Fatal("it does not tell of the failure, and so is not due again")
	}
	h.mustPass()
	if status := h.seen().Status; status.RecoversUnaided != metav1.ConditionFalse || len(h.writes()) != 2 {
		t.Errorf("after %d writes: %+v", len(h.writes()), status)
	}
}

func TestAnExtensionThatIsDeletedMeanwhileIsNoFailure(t *testing.T) {
	h := newHarness(t, guard())
	h.refuse = apierrors.NewNotFound(v1alpha1.Resource("extensions"), "guard")
	h.mustPass()
}

func TestAnExtensionThatIsLeftAloneOrNotThereIsNotWritten(t *testing.T) {
	alone := guard()
	alone.Annotations = map[string]string{"extant.dev/reconcile": "false"}
	another := guard()
	another.Name = "another"
	for _, stored := range []*v1alpha1.Extension{alone, another} {
		h := newHarness(t, stored)
		h.mustPass()
		if n := len(h.writes()); n != 0 {
			t.Errorf("%s: %d writes", stored.Name, n)
		}
	}
}

func TestNothingIsConcludedBeforeTheClusterHasBeenRead(t *testing.T) {
	h := newHarness(t, guard())
	h.source.unsettled = true
	if err := h.pass(t.Context()); !errors.Is(err, loop.ErrNotSettled) {
		t.Errorf("got %v", err)
	}
	if n := len(h.writes()); n != 0 {
		t.Errorf("%d writes", n)
	}
}

// TestAReplicaThatLeadsAgainWritesAgain runs two terms of one controller; in
// each the webhook changes and the status follows, though the first write fails.
func TestAReplicaThatLeadsAgainWritesAgain(t *testing.T) {
	h := newHarness(t, guard())
	for _, want := range []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse} {
		policy := admissionregistrationv1.Fail
		if want == metav1.ConditionTrue {
			policy = admissionregistrationv1.Ignore
		}
		h.mu.Lock()
		h.refuse = apierrors.NewServiceUnavailable("etcd is away")
		h.mu.Unlock()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { h.Run(ctx); close(ended) }()
		h.source.guard(t, policy)
		h.until("the status follows", func() bool {
			h.clock.Step(time.Second)
			return h.seen().Status.RecoversUnaided == want
		})
		cancel()
		<-ended
	}
}
