package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/extant-project/extant/internal/plugin"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
)

const loseGuards = `
apiVersion: extant.dev/v1alpha1
kind: OutageReview
spec:
  down: {services: [{namespace: outage-guards, name: guard}]}
`

// guards is a webhook that guards pods of its own namespace. No Service selects
// what is behind it: nothing runs in this cluster.
const guards = `
apiVersion: v1
kind: Namespace
metadata: {name: outage-guards}
---
apiVersion: v1
kind: Service
metadata: {name: guard, namespace: outage-guards}
spec: {ports: [{port: 443}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: outage-guard}
webhooks:
- name: pods.guard.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {service: {namespace: outage-guards, name: guard}}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: outage-guards}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
`

// installGuards registers the webhook for the time of a test.
func installGuards(t *testing.T) {
	t.Helper()
	kubectl(t, guards, "apply", "-f", "-")
	t.Cleanup(func() {
		_, _, _ = env.runKubectl(context.Background(), env.plane.Admin, guards, "delete", "--wait=false", "-f", "-")
	})
}

func TestKubectlAsksForAnOutage(t *testing.T) {
	for output, want := range map[string][]string{
		"yaml": {"kind: OutageReview", "mode: PodsLost", "detail: Summary", "recoversUnaided: ", "name: create-pods-kube-system"},
		"json": {`"kind": "OutageReview"`},
		"name": {"outagereview.extant.dev/"},
	} {
		got := kubectl(t, loseGuards, "create", "-f", "-", "-o", output)
		wantIn(t, got, want...)
		if strings.Contains(got, "managedFields") {
			t.Errorf("-o %s prints managedFields:\n%s", output, got)
		}
	}
	wantIn(t, kubectl(t, loseGuards, "create", "-f", "-"), "created")
	wantIn(t, kubectl(t, loseGuards, "create", "--dry-run=server", "-f", "-", "-o", "jsonpath={.status.observed.source}"), "live")
	wantIn(t, kubectlFails(t, env.plane.Admin, "", "get", "outagereviews"), "MethodNotAllowed")
	wantIn(t, kubectl(t, "", "explain", "outagereview.spec.down.mode"), "Unreachable", "PodsLost")
}

func TestAnOutageWithMistakesIsRefusedWithItsFields(t *testing.T) {
	const down = "down: {services: [{namespace: outage-guards, name: guard}]}"
	for mistake, want := range map[string]string{
		"down: {}": "spec.down: Required value",
		"down: {everything: true, mode: Unreachable}":               "spec.down.everything: Forbidden",
		"down: {nodes: [a], mode: Gone}":                            "spec.down.mode: Unsupported value",
		"down: {nodes: [A B]}":                                      "spec.down.nodes[0]: Invalid value",
		down + "\n  detail: All":                                    "spec.detail: Unsupported value",
		down + "\n  assume: {provides: [{capability: PodNetwork}]}": "spec.assume.provides[0]: Required value",
		down + "\n  assume: {needs: [{workload: {group: apps, resource: deployments, name: a}}]}":          "spec.assume.needs[0]: Required value",
		down + "\n  assume: {startupSeconds: -1}":                                                          "spec.assume.startupSeconds: Invalid value",
		down + "\n  assume: {provides: [{extension: a, workload: {resource: b, name: c}, capability: d}]}": "spec.assume.provides[0].workload: Forbidden",
	} {
		complaint := kubectlFails(t, env.plane.Admin, strings.Replace(loseGuards, down, mistake, 1), "create", "-f", "-")
		wantIn(t, complaint, "is invalid", want)
	}
}

func TestWhoMayAskForOutagesGetsAnAnswer(t *testing.T) {
	installGuards(t)
	asker := newAsker(t, "asks-for-outages", rbacv1.PolicyRule{APIGroups: []string{"extant.dev"}, Resources: []string{"outagereviews"}, Verbs: []string{"create"}})
	clientset, err := versioned.NewForConfig(asker.Config)
	if err != nil {
		t.Fatal(err)
	}
	review := &v1alpha1.OutageReview{Spec: v1alpha1.OutageReviewSpec{
		Down: v1alpha1.Outage{Services: []v1alpha1.ServiceName{{Namespace: "outage-guards", Name: "guard"}}, Mode: v1alpha1.ModePodsLost},
	}}
	var answered *v1alpha1.OutageReview
	eventually(t, soon, func(ctx context.Context) string {
		answered, err = clientset.ExtantV1alpha1().OutageReviews().Create(ctx, review, metav1.CreateOptions{})
		switch {
		case err != nil:
			return err.Error()
		case len(answered.Status.Blocked) == 0:
			return fmt.Sprintf("nothing is blocked: %+v", answered.Status.Recovery)
		}
		return ""
	})
	blocked := answered.Status.Blocked[0]
	if blocked.Operation != v1alpha1.OperationCreate || blocked.Resource != "pods" || !slices.Equal(blocked.Namespaces.Names, []string{"outage-guards"}) || blocked.By[0].Configuration != "outage-guard" {
		t.Errorf("blocked: %+v", blocked)
	}
	if answered.Status.Observed.Source != "live" || answered.Status.Observed.Time.IsZero() {
		t.Errorf("observed: %v", answered.Status.Observed)
	}

	mayNot := newAsker(t, "asks-for-requests-only")
	if clientset, err = versioned.NewForConfig(mayNot.Config); err != nil {
		t.Fatal(err)
	}
	if _, err := clientset.ExtantV1alpha1().OutageReviews().Create(t.Context(), review, metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("who may not ask got %v", err)
	}
}

func TestThePluginAsksTheClusterForAnOutage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "outage.yaml")
	if err := os.WriteFile(file, []byte(loseGuards), 0o600); err != nil {
		t.Fatal(err)
	}
	streams, _, out, complaint := genericiooptions.NewTestIOStreams()
	if code := plugin.Main(t.Context(), []string{"--kubeconfig=" + env.plane.Admin.Kubeconfig, "outage", "-f", file}, streams); code != 0 {
		t.Fatalf("exit code %d: %s", code, complaint)
	}
	wantIn(t, out.String(), "without a human")
}

// TestEveryExampleIsAnswered creates what artifacts/examples has.
func TestEveryExampleIsAnswered(t *testing.T) {
	examples, err := filepath.Glob(artifacts + "/examples/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, example := range examples {
		if got := kubectl(t, "", "create", "-f", example, "-o", "jsonpath={.status.observed.source}"); got != "live" {
			t.Errorf("%s was read from %q", example, got)
		}
	}
}
