package integration

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// stuckNamespace makes a namespace that cannot be deleted, because Extant is
// registered and does not answer.
func stuckNamespace(t *testing.T, name string) {
	t.Helper()
	namespaces := kubeClient(t).CoreV1().Namespaces()
	if _, err := namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := namespaces.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, func(ctx context.Context) string {
		stuck, err := namespaces.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, condition := range stuck.Status.Conditions {
			if condition.Type == corev1.NamespaceDeletionDiscoveryFailure && condition.Status == corev1.ConditionTrue &&
				strings.Contains(condition.Message, "extant.dev/v1alpha1") {
				return ""
			}
		}
		return "no condition says so"
	})
}

func wantNamespaceGone(t *testing.T, name string) {
	t.Helper()
	eventually(t, 2*time.Minute, func(ctx context.Context) string {
		_, err := kubeClient(t).CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return ""
		}
		return "it is still there"
	})
}

func TestOneLineFreesTheClusterFromADeadExtant(t *testing.T) {
	if err := env.extant.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, func(context.Context) string {
		if status := kubectl(t, "", "get", "apiservice", apiServiceName); !strings.Contains(status, "False") {
			return status
		}
		return ""
	})
	const name = "stuck"
	stuckNamespace(t, name)
	kubectl(t, "", "delete", "apiservice", apiServiceName)
	wantNamespaceGone(t, name)

	// Applied again, and started again, it is back with what it had.
	kubectl(t, "", "apply", "-k", artifacts)
	if err := env.leadToLoopback(t.Context(), env.extant.port); err != nil {
		t.Fatal(err)
	}
	restartExtant(t)
}

func TestUninstallingInTheDocumentedOrderLeavesNothing(t *testing.T) {
	kubectl(t, "", "delete", "apiservice", apiServiceName)
	// The Deployment goes with its namespace, and its pods with it.
	if err := env.extant.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := env.etcd.Stop(); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "", "delete", "-k", artifacts, "--ignore-not-found", "--timeout=2m")
	wantNamespaceGone(t, namespace)
	if left := kubectl(t, "", "get", "clusterroles,clusterrolebindings,apiservices,flowschemas", "-l", "app.kubernetes.io/part-of=extant", "-o", "name"); left != "" {
		t.Errorf("left over:\n%s", left)
	}
	if left := kubectl(t, "", "get", "rolebindings", "-n", "kube-system", "-l", "app.kubernetes.io/part-of=extant", "-o", "name"); left != "" {
		t.Errorf("left over in kube-system:\n%s", left)
	}
	if err := env.install(t.Context()); err != nil {
		t.Fatal(err)
	}
}
