package standalone

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// guarded is a cluster with a webhook that is asked for every pod, its own
// included.
const guarded = `{apiVersion: v1, kind: Namespace, metadata: {name: guard}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: guard, namespace: guard}
spec:
  selector: {matchLabels: {app: guard}}
  template: {metadata: {labels: {app: guard}}, spec: {containers: [{name: guard, image: guard}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: guard, namespace: guard}, spec: {selector: {app: guard}, ports: [{port: 443}]}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks:
- name: pods.guard.example
  clientConfig: {service: {namespace: guard, name: guard}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  failurePolicy: Fail
  sideEffects: None
  admissionReviewVersions: [v1]
`

// recovering waits until the only Extension that does so is in the API, found
// by the field selector.
func recovering(t *testing.T, s *server, unaided metav1.ConditionStatus) *v1alpha1.Extension {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		list, err := s.client.ExtantV1alpha1().Extensions().List(t.Context(), metav1.ListOptions{FieldSelector: "status.recoversUnaided=" + string(unaided)})
		if err == nil && len(list.Items) == 1 {
			return &list.Items[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("one Extension with recoversUnaided %s is wanted: %v, %v", unaided, list, err)
		}
	}
}

func TestWhetherAnExtensionComesBackIsKeptCurrent(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "cluster.yaml"), guarded)
	s := start(t, t.TempDir(), "--observe-from="+dir)

	stuck := recovering(t, s, metav1.ConditionFalse)
	condition := meta.FindStatusCondition(stuck.Status.Conditions, "Recoverable")
	if condition == nil || condition.Status != metav1.ConditionFalse || condition.Reason != "Deadlock" || !strings.Contains(condition.Message, "pods.guard.example") {
		t.Errorf("the condition is %v", condition)
	}
	if want := "create of pods in all 2 namespaces"; stuck.Status.Blocks != want {
		t.Errorf("it blocks %q, not %q", stuck.Status.Blocks, want)
	}
	for _, entry := range stuck.ManagedFields {
		if fields := entry.FieldsV1.String(); entry.Manager == "extant-discovery" && strings.Contains(fields, "f:blocks") {
			t.Errorf("discovery owns what an outage blocks: %s", fields)
		}
	}

	write(t, filepath.Join(dir, "cluster.yaml"), strings.Replace(guarded, "failurePolicy: Fail", "failurePolicy: Ignore", 1))
	back := recovering(t, s, metav1.ConditionTrue)
	if condition := meta.FindStatusCondition(back.Status.Conditions, "Recoverable"); condition == nil || condition.Status != metav1.ConditionTrue || condition.Reason != "ComesBack" {
		t.Errorf("the condition is %v", condition)
	}
	if back.Status.Blocks != "" {
		t.Errorf("it blocks %q", back.Status.Blocks)
	}
	s.stop(t)
}
