package integration

import (
	"context"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/test/controlplane"
)

// may asks the API server whether somebody may do something in the group.
func may(t *testing.T, user, verb, resource string) bool {
	t.Helper()
	return mayDo(t, user, authorizationv1.ResourceAttributes{Group: "extant.dev", Resource: resource, Verb: verb})
}

func mayDo(t *testing.T, user string, what authorizationv1.ResourceAttributes) bool {
	t.Helper()
	review, err := kubeClient(t).AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &what},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return review.Status.Allowed
}

// inRole makes a user who has one of the roles for people.
func inRole(t *testing.T, role string) *controlplane.User {
	t.Helper()
	user := newUser(t, "in-"+role)
	if err := bind(t.Context(), kubeClient(t), role, "in-"+role); err != nil {
		t.Fatal(err)
	}
	eventually(t, soon, func(context.Context) string {
		answer, complaint, err := runKubectl(t, user, "", "auth", "can-i", "--list")
		if err != nil {
			return complaint
		}
		for _, resource := range []string{"extensions.extant.dev", "requestreviews.extant.dev", "*.extant.dev"} {
			if slices.Contains(strings.Fields(answer), resource) {
				return ""
			}
		}
		return "its rights are: " + answer
	})
	return user
}

func TestTheRolesForPeopleAllowWhatTheirNamesSay(t *testing.T) {
	for _, role := range []string{"extant-viewer", "extant-reviewer", "extant-editor", "extant-admin"} {
		inRole(t, role)
	}
	const viewer, reviewer, editor, admin = "in-extant-viewer", "in-extant-reviewer", "in-extant-editor", "in-extant-admin"
	for _, right := range []struct {
		verb, resource string
		who            []string
	}{
		{"list", "extensions", []string{viewer, editor, admin}},
		{"watch", "backends", []string{viewer, editor, admin}},
		{"get", "extensionpoints", []string{viewer, editor, admin}},
		{"create", "extensions", []string{editor, admin}},
		{"patch", "extensions", []string{editor, admin}},
		{"deletecollection", "extensions", []string{editor, admin}},
		{"update", "extensionpoints", []string{editor, admin}},
		{"delete", "backends", []string{admin}},
		{"list", "findings", []string{viewer, editor, admin}},
		{"create", "extensionpolicies", []string{editor, admin}},
		{"update", "findings", []string{admin}},
		{"update", "nodepluginreports", []string{admin}},
		{"patch", "componentconfigurations", []string{admin}},
		{"patch", "extensions/status", []string{admin}},
		{"create", "requestreviews", []string{reviewer, admin}},
		{"create", "outagereviews", []string{reviewer, admin}},
		{"list", "requestreviews", []string{admin}},
	} {
		for _, user := range []string{viewer, reviewer, editor, admin, "nobody-in-particular"} {
			if got, want := may(t, user, right.verb, right.resource), slices.Contains(right.who, user); got != want {
				t.Errorf("%s may %s %s: got %t, want %t", user, right.verb, right.resource, got, want)
			}
		}
	}
}

func TestWhatIsServedCanBeReadByViewersOrAskedByReviewers(t *testing.T) {
	kube := kubeClient(t)
	rules := map[string][]rbacv1.PolicyRule{}
	for _, name := range []string{"extant-viewer", "extant-reviewer"} {
		role, err := kube.RbacV1().ClusterRoles().Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		rules[name] = role.Rules
	}
	served, err := kube.Discovery().ServerResourcesForGroupVersion("extant.dev/v1alpha1")
	if err != nil {
		t.Fatal(err)
	}
	for _, resource := range served.APIResources {
		role := "extant-reviewer"
		if slices.Contains(resource.Verbs, "list") {
			role = "extant-viewer"
		} else if resource.Group != "" || slices.Contains(resource.Verbs, "patch") {
			continue // a subresource
		}
		if !slices.Contains(rules[role][0].Resources, resource.Name) {
			t.Errorf("%s has no right to %s", role, resource.Name)
		}
	}
}

func TestAnOverlayAddsTheRolesToThoseOfTheCluster(t *testing.T) {
	kube := kubeClient(t)
	for _, role := range []string{"view", "edit", "admin"} {
		if err := bind(t.Context(), kube, role, "cluster-"+role); err != nil {
			t.Fatal(err)
		}
	}
	rights := []struct{ user, verb, resource string }{
		{"cluster-view", "list", "extensions"},
		{"cluster-edit", "patch", "extensions"},
		{"cluster-edit", "create", "requestreviews"},
		{"cluster-admin", "delete", "backends"},
	}
	want := func(allowed bool) {
		t.Helper()
		eventually(t, soon, func(context.Context) string {
			for _, right := range rights {
				if may(t, right.user, right.verb, right.resource) != allowed {
					return right.user + " " + right.verb + " " + right.resource
				}
			}
			return ""
		})
	}
	want(false)
	kubectl(t, "", "apply", "-k", artifacts+"/overlays/aggregate-roles")
	t.Cleanup(func() { _, _, _ = env.runKubectl(context.Background(), env.plane.Admin, "", "apply", "-k", artifacts) })
	want(true)
	if may(t, "cluster-view", "create", "requestreviews") || may(t, "cluster-view", "patch", "extensions") {
		t.Error("view writes or asks")
	}
	kubectl(t, "", "apply", "-k", artifacts)
	want(false)
}
