package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/test/kubelet"
)

// liveRequest is a request that is made as a dry run, in the place of who makes
// it when it matters.
type liveRequest struct {
	operation       admissionregistrationv1.OperationType
	group, resource string
	// controller is who asks; empty: the administrator.
	controller string
	do         func(ctx context.Context, kube kubernetes.Interface, namespace string) error
}

var dryRun = []string{metav1.DryRunAll}

var liveRequests = []liveRequest{
	{"CREATE", "", "pods", "replicaset-controller", func(ctx context.Context, kube kubernetes.Interface, namespace string) error {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: "any-"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "any", Image: "any"}}}}
		_, err := kube.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{DryRun: dryRun})
		return err
	}},
	{"CREATE", "", "configmaps", "", func(ctx context.Context, kube kubernetes.Interface, namespace string) error {
		configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "any"}}
		_, err := kube.CoreV1().ConfigMaps(namespace).Create(ctx, configMap, metav1.CreateOptions{DryRun: dryRun})
		return err
	}},
	{"CREATE", discoveryv1.GroupName, "endpointslices", "endpointslice-controller", func(ctx context.Context, kube kubernetes.Interface, namespace string) error {
		slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{GenerateName: "any-"}, AddressType: discoveryv1.AddressTypeIPv4}
		_, err := kube.DiscoveryV1().EndpointSlices(namespace).Create(ctx, slice, metav1.CreateOptions{DryRun: dryRun})
		return err
	}},
	{"UPDATE", discoveryv1.GroupName, "endpointslices", "endpointslice-controller", func(ctx context.Context, kube kubernetes.Interface, namespace string) error {
		found, err := kube.DiscoveryV1().EndpointSlices(namespace).List(ctx, metav1.ListOptions{Limit: 1})
		if err != nil || len(found.Items) == 0 {
			return err // there is nothing that anybody could update
		}
		slice := &found.Items[0]
		slice.Annotations = map[string]string{"example.com/touched": "yes"}
		_, err = kube.DiscoveryV1().EndpointSlices(namespace).Update(ctx, slice, metav1.UpdateOptions{DryRun: dryRun})
		return err
	}},
}

// ask makes a request in a namespace.
func (c *liveCluster) ask(ctx context.Context, r *liveRequest, namespace string) error {
	if r.controller == "" {
		return r.do(ctx, c.kube, namespace)
	}
	return r.do(ctx, c.controller(r.controller), namespace)
}

// requestFor finds a request.
func requestFor(operation, group, resource string) *liveRequest {
	for i := range liveRequests {
		if r := &liveRequests[i]; string(r.operation) == operation && r.group == group && r.resource == resource {
			return r
		}
	}
	return nil
}

// refusal is the hook whose absence an error is about. Other errors fail the
// test.
func refusal(t *testing.T, what string, err error) (hook string) {
	t.Helper()
	if err == nil {
		return ""
	}
	_, message, ok := strings.Cut(err.Error(), `failed calling webhook "`)
	if !ok {
		t.Errorf("%s: %v", what, err)
		return ""
	}
	hook, _, _ = strings.Cut(message, `"`)
	return hook
}

// vitals are vital operations, of which the API server is asked by who does
// them. Those that nothing here intercepts in any way are left out.
func (c *liveCluster) vitals() map[string]func(ctx context.Context) error {
	node, group := kubelet.UserOf(liveNodes[0])
	in := func(operation, group, resource string) func(context.Context) error {
		return func(ctx context.Context) error {
			return c.ask(ctx, requestFor(operation, group, resource), metav1.NamespaceSystem)
		}
	}
	return map[string]func(context.Context) error{
		"create-pods-kube-system":           in("CREATE", "", "pods"),
		"update-endpointslices-kube-system": in("UPDATE", discoveryv1.GroupName, "endpointslices"),
		"create-tokens-kube-system": func(ctx context.Context) error {
			_, err := c.kube.CoreV1().ServiceAccounts(metav1.NamespaceSystem).CreateToken(ctx, "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{DryRun: dryRun})
			return err
		},
		"create-namespaces": func(ctx context.Context) error {
			_, err := c.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "any"}}, metav1.CreateOptions{DryRun: dryRun})
			return err
		},
		"update-node-leases": func(ctx context.Context) error {
			_, err := c.as(node, group).CoordinationV1().Leases(corev1.NamespaceNodeLease).Patch(ctx, liveNodes[0], types.MergePatchType, []byte(`{"spec":{"leaseDurationSeconds":41}}`), metav1.PatchOptions{DryRun: dryRun})
			return err
		},
		"update-node-status": func(ctx context.Context) error {
			_, err := c.as(node, group).CoreV1().Nodes().Patch(ctx, liveNodes[0], types.MergePatchType, []byte(`{"status":{"nodeInfo":{"osImage":"touched"}}}`), metav1.PatchOptions{DryRun: dryRun}, "status")
			return err
		},
	}
}

// namespaces are those of the workloads that are lost, and some others.
func (s *scenario) namespaces() []string {
	all := []string{metav1.NamespaceDefault, metav1.NamespaceSystem}
	for _, workload := range s.lost {
		all = append(all, home(workload))
	}
	return all
}

// compareRequests makes requests while things are lost.
func (c *liveCluster) compareRequests(t *testing.T, s *scenario, prediction *v1alpha1.OutageReviewStatus) {
	t.Helper()
	for _, namespace := range s.namespaces() {
		for _, r := range liveRequests {
			what := fmt.Sprintf("%s %s in %s", r.operation, r.resource, namespace)
			got := refusal(t, what, c.ask(t.Context(), &r, namespace))
			blocked, skipped := hooksOf(&r, namespace, prediction)
			if (got != "") != (len(blocked) > 0) || got != "" && !slices.Contains(blocked, got) {
				t.Errorf("%s is refused for want of %q, and predicted to be for want of %q", what, got, blocked)
			}
			if got == "" && len(skipped) == 0 && slices.ContainsFunc(s.hooks, func(h hook) bool { return h.intercepts(&r, namespace) }) {
				t.Errorf("%s went through without a hook, which was not predicted", what)
			}
		}
	}
	vitals := c.vitals()
	for _, vital := range prediction.Vital {
		try, ok := vitals[vital.Name]
		if !ok {
			continue
		}
		delete(vitals, vital.Name)
		got := v1alpha1.VitalAllowed
		if refusal(t, vital.Name, try(t.Context())) != "" {
			got = v1alpha1.VitalBlocked
		}
		if got != vital.Verdict {
			t.Errorf("%s is %s, and predicted to be %s (%s)", vital.Name, got, vital.Verdict, vital.Message)
		}
	}
	for name := range vitals {
		t.Errorf("nothing was predicted of %s", name)
	}
}

// waitAllowed waits until no request is refused any more.
func (c *liveCluster) waitAllowed(t *testing.T, s *scenario) {
	t.Helper()
	for _, namespace := range s.namespaces() {
		for _, r := range liveRequests {
			eventually(t, played, func(ctx context.Context) string {
				if err := c.ask(ctx, &r, namespace); err != nil {
					return fmt.Sprintf("%s %s in %s: %v", r.operation, r.resource, namespace, err)
				}
				return ""
			})
		}
	}
}

// intercepts tells whether a hook is for a request.
func (h *hook) intercepts(r *liveRequest, namespace string) bool {
	return h.on.group == r.group && h.on.resource == r.resource && slices.Contains(h.on.operations, r.operation) &&
		!slices.ContainsFunc(h.except, func(workload string) bool { return home(workload) == namespace })
}

// hooksOf are the hooks that were predicted to refuse a request, and those that
// it was predicted to go without.
func hooksOf(r *liveRequest, namespace string, prediction *v1alpha1.OutageReviewStatus) (blocked, skipped []string) {
	add := func(to *[]string, operation *v1alpha1.InterceptedOperation) {
		in := operation.Namespaces
		if string(operation.Operation) != string(r.operation) || operation.Group != r.group || operation.Resource != r.resource ||
			operation.Subresource != "" || in == nil || !in.All && !slices.Contains(in.Names, namespace) {
			return
		}
		for _, by := range operation.By {
			*to = append(*to, by.Hook)
		}
	}
	for _, operation := range prediction.Blocked {
		add(&blocked, &operation)
	}
	for _, operation := range prediction.Degraded {
		if operation.Effect == v1alpha1.EffectSkipped {
			add(&skipped, &operation.InterceptedOperation)
		}
	}
	return blocked, skipped
}
