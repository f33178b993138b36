package integration

import (
	"context"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

func TestANamespaceIsDeletedCompletely(t *testing.T) {
	ctx, kube := t.Context(), kubeClient(t)
	const name = "short-lived"
	if _, err := kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := kube.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, func(ctx context.Context) string {
		left, err := kube.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return ""
		case err != nil:
			return err.Error()
		}
		for _, condition := range left.Status.Conditions {
			if condition.Status == corev1.ConditionTrue {
				return condition.Message
			}
		}
		return "it is " + string(left.Status.Phase)
	})
}

func TestNothingIsLostWhenExtantRestarts(t *testing.T) {
	for name, end := range map[string]func() error{
		"asked-to": env.extant.Stop,
		"abruptly": env.extant.Kill,
	} {
		t.Run(name, func(t *testing.T) {
			extensions := extantClient(t).Extensions()
			deleteAfterwards(t, name)
			before := createAcknowledged(t, name)
			if err := end(); err != nil {
				t.Fatal(err)
			}
			restartExtant(t)
			wantSame(t, before)
			if _, err := extensions.Create(t.Context(), &v1alpha1.Extension{ObjectMeta: metav1.ObjectMeta{Name: name + "-2"}}, metav1.CreateOptions{}); err != nil {
				t.Error(err)
			}
			deleteAfterwards(t, name+"-2")
		})
	}
}

func TestExtantEndsInTimeWithWatchesOpen(t *testing.T) {
	watcher, err := extantClient(t).Extensions().Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	if err := env.extant.Stop(); err != nil { // which is impatient
		t.Error(err)
	}
	for range watcher.ResultChan() { // which ends with the server
	}
	restartExtant(t)
}

// createAcknowledged creates an extension, whose creation is thereby promised
// to be kept.
func createAcknowledged(t *testing.T, name string) *v1alpha1.Extension {
	t.Helper()
	created, err := extantClient(t).Extensions().Create(t.Context(), &v1alpha1.Extension{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ExtensionSpec{Owner: "kept"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// wantSame waits until an object can be read, which must be the one before.
func wantSame(t *testing.T, before *v1alpha1.Extension) {
	t.Helper()
	eventually(t, soon, func(ctx context.Context) string {
		after, err := extantClient(t).Extensions().Get(ctx, before.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			t.Fatalf("%s is lost", before.Name)
		}
		if err != nil {
			return err.Error()
		}
		if after.UID != before.UID || after.Spec.Owner != before.Spec.Owner {
			t.Fatalf("%s is another", before.Name)
		}
		return ""
	})
}

func TestWithoutItsEtcdExtantStaysInTheClusterAndRefusesWritesInTime(t *testing.T) {
	ctx, extensions := t.Context(), extantClient(t).Extensions()
	deleteAfterwards(t, "before-outage")
	deleteAfterwards(t, "in-outage")
	before := createAcknowledged(t, "before-outage")

	if err := env.etcd.Stop(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // when the test fails in between
		if !env.etcd.Running() {
			_ = env.etcd.Start()
		}
	})
	eventually(t, soon, func(ctx context.Context) string {
		if code, _, err := env.extant.get(ctx, "/readyz", nil); err != nil || code == http.StatusOK {
			return "the check of etcd passes"
		}
		return ""
	})
	for _, path := range []string{"/livez?exclude=etcd", "/readyz?exclude=etcd&exclude=etcd-readiness", "/version"} {
		if code, body, err := env.extant.get(ctx, path, nil); err != nil || code != http.StatusOK {
			t.Errorf("%s: %d %v %s", path, code, err, body)
		}
	}
	wantIn(t, kubectl(t, "", "get", "--raw", "/apis/extant.dev/v1alpha1"), `"name":"extensions"`)
	wantIn(t, kubectl(t, "", "get", "--raw", "/apis/extant.dev/v1alpha1/extensions/before-outage?resourceVersion=0"), `"owner":"kept"`)

	limited, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	_, err := extensions.Create(limited, &v1alpha1.Extension{ObjectMeta: metav1.ObjectMeta{Name: "in-outage"}}, metav1.CreateOptions{})
	if !apierrors.IsServiceUnavailable(err) {
		t.Errorf("got %v, want 503 within 15 seconds", err)
	}

	if err := env.etcd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := env.etcd.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	wantSame(t, before)
	deleteAfterwards(t, "after-outage")
	eventually(t, soon, func(ctx context.Context) string {
		_, err := extensions.Create(ctx, &v1alpha1.Extension{ObjectMeta: metav1.ObjectMeta{Name: "after-outage"}}, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return err.Error()
		}
		return ""
	})
	if err := env.extant.waitReady(ctx); err != nil {
		t.Error(err)
	}
}
