package integration

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/extant-project/extant/test/controlplane"
)

func TestNothingThatExtantAsksOfTheClusterIsForbidden(t *testing.T) {
	events := installationEvents(t)
	if len(events) < 50 {
		t.Errorf("only %d requests are on record", len(events))
	}
	for _, event := range events {
		if event.ResponseStatus != nil && event.ResponseStatus.Code == http.StatusForbidden {
			t.Errorf("%s: %s %s", event.User.Username, event.Verb, event.RequestURI)
		}
	}
}

func TestExtantUsesEveryRightThatItHas(t *testing.T) {
	kube := kubeClient(t)
	var rules []rbacv1.PolicyRule
	onlyOurs := metav1.ListOptions{LabelSelector: "app.kubernetes.io/part-of=extant"}
	clusterRoles, err := kube.RbacV1().ClusterRoles().List(t.Context(), onlyOurs)
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range clusterRoles.Items {
		if role.Name == observerRole || role.Name == "extant-serving-cert" { // the others are for people
			rules = append(rules, role.Rules...)
		}
	}
	roles, err := kube.RbacV1().Roles(namespace).List(t.Context(), onlyOurs)
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range roles.Items {
		rules = append(rules, role.Rules...)
	}
	// A list and a watch are two ways to the same.
	read := func(verb string) string { return strings.Replace(verb, "list", "watch", 1) }
	used := map[string]bool{}
	for _, event := range installationEvents(t) {
		if ref := event.ObjectRef; ref != nil {
			used[strings.Join([]string{read(event.Verb), ref.APIGroup, ref.Resource, ref.Name}, " ")] = true
			used[strings.Join([]string{read(event.Verb), ref.APIGroup, ref.Resource, ""}, " ")] = true
		}
	}
	served := servedResources(t)
	for _, rule := range rules {
		for _, resource := range rule.Resources {
			if !served[rule.APIGroups[0]+"/"+resource] {
				continue
			}
			for _, verb := range rule.Verbs {
				for _, name := range append(slices.Clone(rule.ResourceNames), "")[:max(1, len(rule.ResourceNames))] {
					if !used[strings.Join([]string{read(verb), rule.APIGroups[0], resource, name}, " ")] {
						t.Errorf("%s %s/%s %s was never used", verb, rule.APIGroups[0], resource, name)
					}
				}
			}
		}
	}
}

func servedResources(t *testing.T) map[string]bool {
	t.Helper()
	_, lists, err := kubeClient(t).Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]bool{}
	for _, list := range lists {
		group, _, found := strings.Cut(list.GroupVersion, "/")
		if !found {
			group = ""
		}
		for _, resource := range list.APIResources {
			served[group+"/"+resource.Name] = true
		}
	}
	return served
}

func TestExtantReadsNoOthersSecretsAndChangesNothing(t *testing.T) {
	const pki = "system:serviceaccount:" + namespace + ":extant-pki"
	for _, denied := range []struct {
		user, verb, group, resource, namespace, name string
	}{
		{identity, "get", "", "secrets", namespace, "extant-etcd-ca"},
		{identity, "get", "", "secrets", namespace, "extant-etcd-client"},
		{identity, "list", "", "secrets", namespace, ""},
		{identity, "create", "", "secrets", namespace, ""},
		{identity, "get", "", "secrets", "kube-system", "extant-serving-cert"},
		{identity, "get", "", "configmaps", "default", "anything"},
		{identity, "patch", "apiregistration.k8s.io", "apiservices", "", "v1.apps"},
		{identity, "patch", "", "namespaces", "", "default"},
		{identity, "update", "coordination.k8s.io", "leases", namespace, "another"},
		{identity, "update", "coordination.k8s.io", "leases", "kube-system", "kube-scheduler"},
		{identity, "patch", "flowcontrol.apiserver.k8s.io", "flowschemas/status", "", "extant"},
		{identity, "list", "example.com", "widgets", "", ""},
		{pki, "create", "", "secrets", namespace, ""},
		{pki, "get", "", "secrets", namespace, "extant-serving-cert"},
		{pki, "list", "", "pods", "", ""},
	} {
		if mayDo(t, denied.user, authorizationv1.ResourceAttributes{
			Verb: denied.verb, Group: denied.group, Resource: denied.resource, Namespace: denied.namespace, Name: denied.name,
		}) {
			t.Errorf("%+v is allowed", denied)
		}
	}
}

func TestAClusterRoleWithTheLabelLetsExtantObserveMore(t *testing.T) {
	roles := kubeClient(t).RbacV1().ClusterRoles()
	const name = "observe-widgets"
	mayList := func() bool {
		return mayDo(t, identity, authorizationv1.ResourceAttributes{Group: "example.com", Resource: "widgets", Verb: "list"})
	}
	if _, err := roles.Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"rbac.extant.dev/aggregate-to-observer": "true"}},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"example.com"}, Resources: []string{"widgets"}, Verbs: []string{"list", "watch"}}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = roles.Delete(context.Background(), name, metav1.DeleteOptions{}) })
	wanted := func(allowed bool) {
		t.Helper()
		eventually(t, soon, func(context.Context) string {
			if mayList() != allowed {
				return "the right did not change"
			}
			return ""
		})
	}
	wanted(true)
	// Applying the manifests again does not take the right away.
	kubectl(t, "", "apply", "-k", artifacts)
	if !mayList() {
		t.Error("the right is gone")
	}
	if err := roles.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	wanted(false)
}

func TestARightThatIsMissingAtTheStartIsNamed(t *testing.T) {
	other, err := env.serviceAccount(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	process := &controlplane.Process{
		Name: "without-rights", Path: env.program, Dir: env.dir,
		Args: override(env.extant.Args, "--secure-port=0", "--kubeconfig="+other.Kubeconfig,
			"--authentication-kubeconfig="+other.Kubeconfig, "--authorization-kubeconfig="+other.Kubeconfig),
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := process.Stop(); err != nil {
			t.Error(err)
		}
	}()
	eventually(t, soon, func(context.Context) string {
		log := process.Tail(10)
		if strings.Contains(log, "bind the Role extension-apiserver-authentication-reader in kube-system to Extant's ServiceAccount") {
			return ""
		}
		return "it says: " + log
	})
}

func TestExtantsRequestsAreInAFlowOfTheirOwn(t *testing.T) {
	schema, err := kubeClient(t).FlowcontrolV1().FlowSchemas().Get(t.Context(), "extant", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(env.extant.user.Config)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Get(env.plane.URL + "/api/v1/namespaces?limit=1")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("X-Kubernetes-Pf-Flowschema-Uid"); got != string(schema.UID) {
		t.Errorf("%s: flow schema %q, want %q", response.Status, got, schema.UID)
	}
}
