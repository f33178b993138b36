package integration

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	fields "github.com/extant-project/extant/pkg/generated/applyconfiguration/extant/v1alpha1"
)

// discoverySoon is how long a change in the cluster may take to be in the API,
// on a machine with better things to do; usually it is half a second.
const discoverySoon = 10 * time.Second

func TestAWebhookInTheClusterBecomesABackendAndGoesWithIt(t *testing.T) {
	ctx, kube := t.Context(), kubeClient(t)
	const name = "guard"
	if _, err := kube.CoreV1().Services("default").Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": name}, Ports: []corev1.ServicePort{{Port: 443}}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = kube.CoreV1().Services("default").Delete(context.Background(), name, metav1.DeleteOptions{})
	})
	webhooks := kube.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if _, err := webhooks.Create(ctx, guardWebhook(name), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = webhooks.Delete(context.Background(), name, metav1.DeleteOptions{}) })

	backends := extantClient(t).Backends()
	const backend = name + ".default.443"
	eventually(t, discoverySoon, func(ctx context.Context) string {
		found, err := backends.Get(ctx, backend, metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		if len(found.Spec.Callers) != 1 || found.Spec.Callers[0].Object != name || found.Spec.Callers[0].FailurePolicy != "Ignore" {
			return "it has other callers"
		}
		if found.Status.Reason != "NoReadyEndpoints" {
			return "its reason is " + string(found.Status.Reason)
		}
		return ""
	})
	wantIn(t, kubectl(t, "", "get", "backends"), backend, "NoReadyEndpoints")
	wantIn(t, kubectl(t, "", "get", "extensions", "-o", "wide"), backend)

	if err := webhooks.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, discoverySoon, func(ctx context.Context) string {
		if _, err := backends.Get(ctx, backend, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return "it is still there"
		}
		return ""
	})
}

// TestWhatAnOlderExtantWroteIntoABackendIsGivenUp plays an upgrade: discovery
// wrote then what the prober writes now.
func TestWhatAnOlderExtantWroteIntoABackendIsGivenUp(t *testing.T) {
	ctx, kube, backends := t.Context(), kubeClient(t), extantClient(t).Backends()
	const name, backend = "upgraded", "upgraded.default.443"
	webhooks := kube.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if _, err := webhooks.Create(ctx, guardWebhook(name), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = webhooks.Delete(context.Background(), name, metav1.DeleteOptions{}) })
	isWritten := func(ctx context.Context) string {
		found, err := backends.Get(ctx, backend, metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		if found.Status.Available != "False" || found.Status.Reason != "ServiceNotFound" {
			return fmt.Sprintf("it is %s %s", found.Status.Available, found.Status.Reason)
		}
		for _, entry := range found.ManagedFields {
			if entry.Manager == "extant-discovery" && entry.Subresource == "status" && strings.Contains(entry.FieldsV1.GetRawString(), "f:available") {
				return "discovery holds on to it"
			}
		}
		return ""
	}
	eventually(t, discoverySoon, isWritten)
	older := fields.Backend(backend).WithStatus(fields.BackendStatus().WithAvailable("Unknown").WithReason("NotProbed").WithMessage("older"))
	if _, err := backends.ApplyStatus(ctx, older, metav1.ApplyOptions{FieldManager: "extant-discovery", Force: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, discoverySoon, isWritten)
}

func guardWebhook(name string) *admissionregistrationv1.ValidatingWebhookConfiguration {
	return &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name:                    "guard.example.com",
			AdmissionReviewVersions: []string{"v1"},
			SideEffects:             ptr.To(admissionregistrationv1.SideEffectClassNone),
			FailurePolicy:           ptr.To(admissionregistrationv1.Ignore),
			ClientConfig: admissionregistrationv1.WebhookClientConfig{
				Service: &admissionregistrationv1.ServiceReference{Namespace: "default", Name: name, Path: ptr.To("/validate")},
			},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{"apps"}, APIVersions: []string{"v1"}, Resources: []string{"deployments"}},
			}},
		}},
	}
}

func TestExtantIsReadyWithoutTheRightToReadOneResource(t *testing.T) {
	ctx, kube := t.Context(), kubeClient(t)
	const group, resource = "storage.k8s.io", "csidrivers"
	roles := kube.RbacV1().ClusterRoles()
	before, err := roles.Get(ctx, observerRole, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	revoked := before.DeepCopy()
	revoked.Rules = nil
	for _, rule := range before.Rules {
		if rule.APIGroups[0] != group || rule.Resources[0] != resource {
			revoked.Rules = append(revoked.Rules, rule)
		}
	}
	if len(revoked.Rules) != len(before.Rules)-1 {
		t.Fatalf("%d rules are about %s", len(before.Rules)-len(revoked.Rules), resource)
	}
	setRules(t, revoked.Rules)
	t.Cleanup(func() { setRules(t, before.Rules) })
	eventually(t, soon, func(ctx context.Context) string {
		review, err := kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{User: identity, ResourceAttributes: &authorizationv1.ResourceAttributes{Group: group, Resource: resource, Verb: "list"}},
		}, metav1.CreateOptions{})
		if err != nil {
			return err.Error()
		}
		if review.Status.Allowed {
			return "it may still list " + resource
		}
		return ""
	})
	if code, body, err := env.extant.get(ctx, "/readyz?verbose", nil); err != nil || code != http.StatusOK {
		t.Fatalf("%d %v: %s", code, err, body)
	}
	// A start without the right is another matter than losing it.
	if err := env.extant.Stop(); err != nil {
		t.Fatal(err)
	}
	restartExtant(t)
}

func setRules(t *testing.T, rules []rbacv1.PolicyRule) {
	t.Helper()
	roles := kubeClient(t).RbacV1().ClusterRoles()
	role, err := roles.Get(context.Background(), observerRole, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	role.Rules = rules
	if _, err := roles.Update(context.Background(), role, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// restartExtant starts Extant after it was stopped, and waits until the
// aggregator believes in it again.
func restartExtant(t *testing.T) {
	t.Helper()
	if err := env.extant.Start(); err != nil {
		t.Fatal(err)
	}
	if err := env.extant.waitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := env.waitAvailable(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Without a readiness gate of endpoints in between, the aggregator may
	// have talked to a server that did not know it yet.
	eventually(t, soon, func(ctx context.Context) string {
		if _, err := extantClient(t).Extensions().List(ctx, metav1.ListOptions{Limit: 1}); err != nil {
			return err.Error()
		}
		return ""
	})
}
