package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// compareRecovery waits for what was predicted to come back, and then looks
// what does not. All that can come back on its own has then, if the requests
// that the rest waits for are refused.
func (c *liveCluster) compareRecovery(t *testing.T, s *scenario, prediction *v1alpha1.Recovery) {
	t.Helper()
	complaints := map[string]int32{}
	for _, workload := range s.lost {
		complaints[workload] = c.complaints(t, home(workload))
	}
	c.compareWaves(t, prediction.Waves)
	back := map[string]bool{}
	for _, wave := range prediction.Waves {
		for _, workload := range wave.Workloads {
			back[workload.Name] = true
		}
	}
	stuck := map[string]bool{}
	for _, object := range prediction.Stuck {
		if object.Resource != "deployments" || object.Namespace != home(object.Name) {
			t.Errorf("%s %s/%s was lost by nobody", object.Resource, object.Namespace, object.Name)
			continue
		}
		stuck[object.Name] = true
		c.waitRefusedAgain(t, object.Name, complaints[object.Name])
		c.compareNeeds(t, &object)
	}
	for _, workload := range s.lost {
		if back[workload] == stuck[workload] {
			t.Errorf("%s is predicted to be back: %t, and to be stuck: %t", workload, back[workload], stuck[workload])
		}
		if ready := c.ready(t.Context(), workload) == ""; ready == stuck[workload] {
			t.Errorf("%s is ready: %t, and predicted to be stuck: %t", workload, ready, stuck[workload])
		}
	}
	for _, h := range s.hooks {
		backend := backendOf(h.workload)
		unreachable := slices.Contains(prediction.Unreachable, backend)
		if unreachable && !stuck[h.workload] {
			c.waitRefusedAgain(t, h.workload, complaints[h.workload])
		}
		if reachable := c.reachable(t.Context(), h.workload) == ""; reachable == unreachable {
			t.Errorf("%s is reachable: %t, and predicted to be unreachable: %t", backend, reachable, unreachable)
		}
	}
}

// compareWaves waits for what was predicted to come back, and compares the
// order in which pods were started.
func (c *liveCluster) compareWaves(t *testing.T, waves []v1alpha1.RecoveryWave) {
	t.Helper()
	last, before := -1, -1
	for _, wave := range waves {
		for _, backend := range wave.Backends {
			workload, _, _ := strings.Cut(backend, ".")
			c.waitBack(t, workload)
		}
		for _, workload := range wave.Workloads {
			eventually(t, played, func(ctx context.Context) string { return c.ready(ctx, workload.Name) })
			at := c.runtime.startedIn(workload.Namespace)
			if at <= before {
				t.Errorf("%s of wave %d was started as number %d, after number %d of a wave before", workload.Name, wave.Wave, at, before)
			}
			last = max(last, at)
		}
		before = last
	}
}

// waitRefusedAgain waits until the controllers of a namespace complained of a
// webhook more often than before.
func (c *liveCluster) waitRefusedAgain(t *testing.T, workload string, before int32) {
	t.Helper()
	eventually(t, played, func(context.Context) string {
		if now := c.complaints(t, home(workload)); now <= before || now < 3 {
			return fmt.Sprintf("nothing of %s was refused again: %d complaints, %d before", workload, now, before)
		}
		return ""
	})
}

// complaints is how often controllers complained of a webhook.
func (c *liveCluster) complaints(t *testing.T, namespace string) (count int32) {
	t.Helper()
	events, err := c.kube.CoreV1().Events(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range events.Items {
		if event.Type == corev1.EventTypeWarning && strings.Contains(event.Message, "failed calling webhook") {
			count += event.Count
		}
	}
	return count
}

// compareNeeds makes the requests that something stuck is predicted to need.
func (c *liveCluster) compareNeeds(t *testing.T, stuck *v1alpha1.StuckObject) {
	t.Helper()
	if len(stuck.Needs) == 0 {
		t.Errorf("%s is predicted to be stuck for want of nothing", stuck.Name)
	}
	var by []string
	for _, hook := range stuck.BlockedBy {
		by = append(by, hook.Hook)
	}
	for _, need := range stuck.Needs {
		r := requestFor(need.Operation, need.Group, need.Resource)
		if r == nil || need.Subresource != "" {
			t.Errorf("%s is predicted to need what is not intercepted: %+v", stuck.Name, need)
			continue
		}
		what := fmt.Sprintf("%s %s in %s", need.Operation, need.Resource, need.Namespace)
		if got := refusal(t, what, c.ask(t.Context(), r, need.Namespace)); !slices.Contains(by, got) {
			t.Errorf("%s is refused for want of %q, and predicted to be for want of %q", what, got, by)
		}
	}
}

// waitBack waits until a workload is ready, and can be called.
func (c *liveCluster) waitBack(t *testing.T, workload string) {
	t.Helper()
	eventually(t, played, func(ctx context.Context) string {
		if why := c.ready(ctx, workload); why != "" {
			return why
		}
		return c.reachable(ctx, workload)
	})
}

// ready says why the pod of a workload is not ready.
func (c *liveCluster) ready(ctx context.Context, workload string) (why string) {
	pods, err := c.kube.CoreV1().Pods(home(workload)).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	if len(pods.Items) != 1 {
		return fmt.Sprintf("%s has %d pods", workload, len(pods.Items))
	}
	for _, condition := range pods.Items[0].Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			return ""
		}
	}
	return "the pod of " + workload + " is not ready"
}

// reachable says why nobody can be called by the Service of a workload.
func (c *liveCluster) reachable(ctx context.Context, workload string) (why string) {
	found, err := c.kube.DiscoveryV1().EndpointSlices(home(workload)).List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + workload})
	if err != nil {
		return err.Error()
	}
	for _, slice := range found.Items {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready != nil && *endpoint.Conditions.Ready && c.runtime.network.reaches(endpoint.Addresses[0]) {
				return ""
			}
		}
	}
	return "no endpoint of " + workload + " answers"
}
