package observe

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/test/controlplane"
)

// observerRole allows to read what the table of resources says, and no Secret.
func observerRole(name string) *rbacv1.ClusterRole {
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}}
	for _, row := range cluster.Resources {
		role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{row.Group}, Resources: []string{row.Resource}, Verbs: []string{"list", "watch"}})
	}
	return role
}

// TestAgainstAControlPlane observes a real kube-apiserver as a user who may
// read just the table of resources.
func TestAgainstAControlPlane(t *testing.T) {
	ctx := t.Context()
	assets, err := controlplane.Assets(ctx, "../..")
	if err != nil {
		t.Fatal(err)
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{Assets: assets, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	admin, err := kubernetes.NewForConfig(plane.Admin.Config)
	if err != nil {
		t.Fatal(err)
	}
	user, err := plane.NewUser("observer")
	if err != nil {
		t.Fatal(err)
	}
	grant(t, ctx, admin, observerRole("observer"))
	source, err := New(user.Config)
	if err != nil {
		t.Fatal(err)
	}
	run(t, source)
	gaps(t, source, gatewayClasses.String(), "NotServed: the cluster does not serve it")
	snapshot := settled(t, source)

	if diff := cmp.Diff([]cluster.Gap{noGateways}, snapshot.Gaps()); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if snapshot.GitVersion != cluster.NewestVersion {
		t.Errorf("got version %q, want that of the table's newest", snapshot.GitVersion)
	}
	if _, ok := snapshot.Namespaces().Get("", "kube-system"); !ok || snapshot.APIServices().Len() == 0 || snapshot.FlowSchemas().Len() == 0 || snapshot.ClusterRoles().Len() == 0 {
		t.Error("what every cluster has is missing")
	}
	for _, row := range cluster.Resources {
		if row.GroupResource() != gatewayClasses && !snapshot.Discovery.Serves(row.GroupResource()) {
			t.Errorf("discovery lacks %s", row.GroupResource())
		}
	}

	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "policies"},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: "policies.example.com", SideEffects: new(admissionregistrationv1.SideEffectClassNone), AdmissionReviewVersions: []string{"v1"},
			ClientConfig: admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Namespace: "policies", Name: "webhook"}},
		}},
	}
	configurations := admin.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if _, err := configurations.Create(ctx, configuration, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	within(t, 2*time.Second, func() { names(t, source, webhooks, "policies") })
	if err := configurations.Delete(ctx, "policies", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	within(t, 2*time.Second, func() { names(t, source, webhooks) })

	revoke(t, ctx, plane, admin, source)
}

// revoke takes the right to read one resource away and gives it back. RBAC ends
// no watch: the next one is refused, here because the API server restarts.
func revoke(t *testing.T, ctx context.Context, plane *controlplane.ControlPlane, admin kubernetes.Interface, source *Source) {
	t.Helper()
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
	if _, err := admin.CoreV1().Services("default").Create(ctx, service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, source, func(snapshot *cluster.Snapshot) string {
		if _, ok := snapshot.Services().Get("default", "web"); !ok {
			return "the Service is not seen"
		}
		return ""
	})
	without := observerRole("observer")
	for i, rule := range without.Rules {
		if rule.Resources[0] == "services" {
			without.Rules = append(without.Rules[:i], without.Rules[i+1:]...)
			break
		}
	}
	if _, err := admin.RbacV1().ClusterRoles().Update(ctx, without, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := plane.APIServer.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := plane.APIServer.Start(); err != nil {
		t.Fatal(err)
	}
	gaps(t, source, services.String(), "Forbidden: services is forbidden: User \"observer\" cannot")
	names(t, source, services)
	until(t, source, func(*cluster.Snapshot) string {
		if _, err := admin.RbacV1().ClusterRoles().Update(ctx, observerRole("observer"), metav1.UpdateOptions{}); err != nil {
			return err.Error()
		}
		return ""
	})
	gaps(t, source, services.String())
	if _, ok := source.Snapshot().Services().Get("default", "web"); !ok {
		t.Error("the Service is not read again")
	}
	gaps(t, source, pods.String())
}

func grant(t *testing.T, ctx context.Context, admin kubernetes.Interface, role *rbacv1.ClusterRole) {
	t.Helper()
	if _, err := admin.RbacV1().ClusterRoles().Create(ctx, role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "observer"}},
	}
	if _, err := admin.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// within fails the test when something took longer than it may.
func within(t *testing.T, limit time.Duration, do func()) {
	t.Helper()
	started := time.Now()
	do()
	if took := time.Since(started); took > limit {
		t.Errorf("it took %s, want at most %s", took, limit)
	}
}
