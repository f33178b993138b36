package rbac

import (
	"context"
	"fmt"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/extant-project/extant/internal/cluster"
)

const (
	benchNamespaces = 2000
	benchBindings   = 5000
)

// benchCluster has 2,000 namespaces and 5,000 RoleBindings, each to the
// service account and a group of its namespace, and 200 ClusterRoleBindings.
func benchCluster() *cluster.Snapshot {
	b := cluster.NewBuilder("live")
	rules := []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"pods", "services"}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: []string{"create", "update"}},
	}
	for i := range 200 {
		name := fmt.Sprintf("role-%d", i)
		b.Put(clusterRoles, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules})
		b.Put(clusterRoleBindings, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: name},
			Subjects: []rbacv1.Subject{{Kind: "Group", Name: fmt.Sprintf("team-%d", i)}},
		})
	}
	for i := range benchBindings {
		namespace := fmt.Sprintf("ns-%d", i%benchNamespaces)
		b.Put(roleBindings, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("binding-%d", i)},
			RoleRef:    rbacv1.RoleRef{Kind: "ClusterRole", Name: fmt.Sprintf("role-%d", i%200)},
			Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "default"}, {Kind: "Group", Name: "owners-" + namespace}},
		})
	}
	return b.Snapshot()
}

func BenchmarkAuthorize(b *testing.B) {
	all := NewAuthorizers(Options{})
	snapshot := benchCluster()
	who := &user.DefaultInfo{
		Name:   "system:serviceaccount:ns-7:default",
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:ns-7", "system:authenticated"},
	}
	for name, verb := range map[string]string{"allowed": "update", "silent": "delete"} {
		b.Run(name, func(b *testing.B) {
			request := authorizer.AttributesRecord{
				User: who, Verb: verb, Namespace: "ns-7", APIGroup: "apps", Resource: "deployments", Name: "web", ResourceRequest: true,
			}
			b.ReportAllocs()
			for b.Loop() {
				decision, _, err := all.Of(snapshot).Authorize(context.Background(), request)
				if err != nil || (decision == authorizer.DecisionAllow) != (name == "allowed") {
					b.Fatal(decision, err)
				}
			}
		})
	}
	b.Run("index", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			New(snapshot, Options{})
		}
	})
}
