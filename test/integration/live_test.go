package integration

import (
	"context"
	"slices"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/ptr"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// played is how long what was predicted may take on a busy machine; usually it
// is a few seconds, most of them the back-off of the controllers.
const played = 90 * time.Second

// scenario is an outage that is predicted and then played.
type scenario struct {
	name string
	// hooks are those of webhooks, and lost the workloads whose pods go.
	hooks []hook
	lost  []string
	// recovers is what makes the scenario the one that it is. What else becomes
	// of it is up to the prediction, and the cluster.
	recovers metav1.ConditionStatus
	// repair is what of the prediction is done about it.
	repair func(*v1alpha1.Recovery) (repair, bool)
}

// hook is a webhook of a workload on what is written in all namespaces but
// some.
type hook struct {
	workload string
	on       interception
	except   []string
	open     bool
}

// interception is what a hook is called for.
type interception struct {
	group, resource string
	operations      []admissionregistrationv1.OperationType
}

var (
	newPods   = interception{"", "pods", []admissionregistrationv1.OperationType{admissionregistrationv1.Create}}
	endpoints = interception{"discovery.k8s.io", "endpointslices", []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update}}
)

// repair is a change of an object by a patch.
type repair struct {
	description, patchType, patch string
	target                        v1alpha1.ObjectReference
}

// firstFix is the smallest change that would have prevented the deadlock.
func firstFix(recovery *v1alpha1.Recovery) (repair, bool) {
	if len(recovery.Deadlocks) == 0 || len(recovery.Deadlocks[0].Fixes) == 0 || !recovery.Deadlocks[0].Fixes[0].Resolves {
		return repair{}, false
	}
	fix := recovery.Deadlocks[0].Fixes[0]
	return repair{fix.Description, fix.PatchType, fix.Patch, fix.Target}, true
}

// firstRemedy is the first step out of the outage.
func firstRemedy(recovery *v1alpha1.Recovery) (repair, bool) {
	if len(recovery.Remedies) == 0 || recovery.Remedies[0].Action != v1alpha1.RemedyPatch {
		return repair{}, false
	}
	remedy := recovery.Remedies[0]
	return repair{remedy.Description, remedy.PatchType, remedy.Patch, remedy.Target}, true
}

var scenarios = []scenario{
	{
		name:  "a webhook on new pods guards its own",
		hooks: []hook{{workload: "guard", on: newPods}},
		lost:  []string{"guard", "shop"}, recovers: metav1.ConditionFalse, repair: firstFix,
	},
	{
		name:  "a webhook on new pods exempts its namespace",
		hooks: []hook{{workload: "exempt", on: newPods, except: []string{"exempt"}}},
		lost:  []string{"exempt", "store"}, recovers: metav1.ConditionTrue,
	},
	{
		name:  "two webhooks on new pods guard each other",
		hooks: []hook{{workload: "alpha", on: newPods, except: []string{"alpha"}}, {workload: "beta", on: newPods, except: []string{"beta"}}},
		lost:  []string{"alpha", "beta", "market"}, recovers: metav1.ConditionFalse, repair: firstRemedy,
	},
	{
		name:  "a webhook on endpoints keeps its own from being published",
		hooks: []hook{{workload: "mesh", on: endpoints}},
		lost:  []string{"mesh"}, recovers: metav1.ConditionFalse, repair: firstFix,
	},
	{
		name:  "a webhook on new pods fails open",
		hooks: []hook{{workload: "open", on: newPods, open: true}},
		lost:  []string{"open", "kiosk"}, recovers: metav1.ConditionTrue,
	},
}

func TestWhatIsPredictedOfAnOutageHappens(t *testing.T) {
	// Each has workloads of its own, so that no back-off outlasts a scenario.
	var workloads []string
	for _, s := range scenarios {
		workloads = append(workloads, s.lost...)
	}
	c := startLive(t, workloads)
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) { c.play(t, &s) })
	}
}

// play predicts an outage, lets it happen, and compares.
func (c *liveCluster) play(t *testing.T, s *scenario) {
	for _, workload := range s.lost {
		c.waitBack(t, workload)
	}
	for _, h := range s.hooks {
		c.register(t, &h)
	}
	prediction := c.predict(t, s)
	if got := prediction.Recovery.RecoversUnaided; got != s.recovers {
		t.Fatalf("recoversUnaided is %s (%s), want %s", got, prediction.Recovery.Reason, s.recovers)
	}
	c.lose(t, s.lost)
	c.compareRequests(t, s, prediction)
	c.runtime.release()
	c.compareRecovery(t, s, &prediction.Recovery)
	if s.repair != nil {
		step, ok := s.repair(&prediction.Recovery)
		if !ok {
			t.Fatalf("there is nothing to do about it: %+v", prediction.Recovery)
		}
		c.patch(t, step)
	}
	for _, workload := range s.lost {
		c.waitBack(t, workload)
	}
	c.waitAllowed(t, s)
}

// register registers a webhook, and waits until it is called.
func (c *liveCluster) register(t *testing.T, h *hook) {
	t.Helper()
	configurations := c.kube.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	var except []string
	for _, workload := range h.except {
		except = append(except, home(workload))
	}
	policy, selector := admissionregistrationv1.Fail, &metav1.LabelSelector{}
	if h.open {
		policy = admissionregistrationv1.Ignore
	}
	if len(except) > 0 {
		selector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpNotIn, Values: except}}
	}
	if _, err := configurations.Create(t.Context(), &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: h.workload},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: h.workload + ".example.com",
			ClientConfig: admissionregistrationv1.WebhookClientConfig{
				Service:  &admissionregistrationv1.ServiceReference{Namespace: home(h.workload), Name: h.workload, Path: ptr.To("/" + h.workload)},
				CABundle: c.webhooks.caBundle,
			},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: h.on.operations,
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{h.on.group}, APIVersions: []string{"v1"}, Resources: []string{h.on.resource}},
			}},
			FailurePolicy: &policy, NamespaceSelector: selector, TimeoutSeconds: ptr.To[int32](5),
			SideEffects: ptr.To(admissionregistrationv1.SideEffectClassNone), AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := configurations.Delete(context.Background(), h.workload, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	c.webhooks.take()
	eventually(t, soon, func(ctx context.Context) string {
		if err := c.ask(ctx, requestFor("CREATE", h.on.group, h.on.resource), metav1.NamespaceDefault); err != nil {
			return err.Error()
		}
		if calls := c.webhooks.take(); !slices.ContainsFunc(calls, func(call recordedCall) bool { return call.Hook == h.workload }) {
			return "the webhook is not called"
		}
		return ""
	})
}

// predict asks Extant through the aggregator, until it knows the webhooks.
func (c *liveCluster) predict(t *testing.T, s *scenario) *v1alpha1.OutageReviewStatus {
	t.Helper()
	question := &v1alpha1.OutageReview{Spec: v1alpha1.OutageReviewSpec{Detail: v1alpha1.DetailFull}}
	for _, workload := range s.lost {
		question.Spec.Down.Namespaces = append(question.Spec.Down.Namespaces, home(workload))
	}
	var status *v1alpha1.OutageReviewStatus
	eventually(t, soon, func(ctx context.Context) string {
		answer, err := c.reviews.Create(ctx, question, metav1.CreateOptions{})
		if err != nil {
			return err.Error()
		}
		status = &answer.Status
		known := status.Blocked
		for _, degraded := range status.Degraded {
			known = append(known, degraded.InterceptedOperation)
		}
		for _, h := range s.hooks {
			if !slices.ContainsFunc(known, func(operation v1alpha1.InterceptedOperation) bool {
				return slices.ContainsFunc(operation.By, func(by v1alpha1.HookReference) bool {
					return by.Configuration == h.workload && by.Backend == backendOf(h.workload)
				})
			}) {
				return "the webhook of " + h.workload + " is not known"
			}
		}
		return ""
	})
	return status
}

// lose ends the pods of workloads at once, and deletes what is left of them when
// no backend answers any more. Nothing starts in their place until release.
func (c *liveCluster) lose(t *testing.T, workloads []string) {
	t.Helper()
	var namespaces []string
	for _, workload := range workloads {
		namespaces = append(namespaces, home(workload))
	}
	c.runtime.lose(namespaces)
	for _, in := range namespaces {
		pods, err := c.kube.CoreV1().Pods(in).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, pod := range pods.Items {
			if err := c.kube.CoreV1().Pods(in).Delete(t.Context(), pod.Name, *metav1.NewDeleteOptions(0)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// patch makes a change that was predicted to help.
func (c *liveCluster) patch(t *testing.T, step repair) {
	t.Helper()
	resources := dynamic.NewForConfigOrDie(c.plane.Admin.Config).Resource(schema.GroupVersionResource{Group: step.target.Group, Version: "v1", Resource: step.target.Resource})
	var target dynamic.ResourceInterface = resources
	if step.target.Namespace != "" {
		target = resources.Namespace(step.target.Namespace)
	}
	t.Logf("%s: %s", step.description, step.patch)
	if _, err := target.Patch(t.Context(), step.target.Name, types.PatchType(step.patchType), []byte(step.patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}
