package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/kubernetes"

	"github.com/extant-project/extant/internal/observe"
	"github.com/extant-project/extant/internal/rbac"
)

const (
	// accessSeed makes the roles and the questions. Another seed, other roles.
	accessSeed      = 1
	accessQuestions = 2000
)

// TestAuthorizationIsThatOfTheAPIServer asks a real kube-apiserver and
// internal/rbac the same random questions about random roles.
func TestAuthorizationIsThatOfTheAPIServer(t *testing.T) {
	ctx, kube := t.Context(), kubeClient(t)
	source, err := observe.New(env.plane.Admin.Config)
	if err != nil {
		t.Fatal(err)
	}
	observing, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); source.Run(observing) }()
	t.Cleanup(func() { stop(); <-done })

	world := &accessWorld{Rand: rand.New(rand.NewPCG(accessSeed, accessSeed)), kube: kube}
	world.build(t)
	eventually(t, soon, func(context.Context) string {
		s := source.Snapshot()
		if _, ok := s.RoleBindings().Get(accessNamespaces[0], "last"); !ok || !source.Settled() {
			return "the last RoleBinding is not seen"
		}
		if _, ok := s.Pods().Get(accessNamespaces[1], "pod-n2"); !ok {
			return "the last pod is not seen"
		}
		return ""
	})

	authorizers := rbac.NewAuthorizers(rbac.Options{})
	var allowed, silent, unknown int
	for range accessQuestions {
		question := world.question()
		var decision authorizer.Decision
		// Both sides hear of changes by a watch.
		eventually(t, soon, func(ctx context.Context) string {
			review, err := kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, accessReview(question), metav1.CreateOptions{})
			if err != nil {
				return err.Error()
			}
			got, reason, err := authorizers.Of(source.Snapshot()).Authorize(ctx, question)
			if err != nil {
				if !strings.HasPrefix(question.User.GetName(), "system:node:") {
					return fmt.Sprintf("%s cannot be told: %v", accessText(question), err)
				}
				decision = authorizer.DecisionDeny // none of the two others
				return ""
			}
			decision = got
			if (got == authorizer.DecisionAllow) != review.Status.Allowed {
				return fmt.Sprintf("%s: got %v (%s), the API server says %v (%s)", accessText(question), got, reason, review.Status.Allowed, review.Status.Reason)
			}
			// Of several bindings that allow, or that lack their role, each names any.
			if got == authorizer.DecisionNoOpinion && reason != review.Status.Reason && !strings.Contains(reason, "[") {
				return fmt.Sprintf("%s: got %q, the API server says %q", accessText(question), reason, review.Status.Reason)
			}
			return ""
		})
		switch decision {
		case authorizer.DecisionAllow:
			allowed++
		case authorizer.DecisionNoOpinion:
			silent++
		default:
			unknown++
		}
	}
	t.Logf("%d allowed, %d not, %d unknown", allowed, silent, unknown)
	if allowed < accessQuestions/10 || silent < accessQuestions/10 || unknown > accessQuestions/20 {
		t.Error("the questions are too much alike")
	}
}

var (
	accessNamespaces = []string{"access-a", "access-b", "access-c"}
	accessGroups     = []string{"access-dev", "access-ops"}
	accessUsers      = []string{"alice", "bob", "carol"}
	accessAccounts   = []string{"robot", "worker"}
	accessNames      = []string{"one", "two", "robot", "worker", "n1", "n2", "pod-n1", "pod-n2"}
	accessVerbs      = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "bind", "*"}
	accessURLs       = []string{"/healthz", "/livez/etcd", "/livez/*", "/apis", "/x/y", "/x/y/*", "/x*", "*"}
	accessResources  = map[string][]string{
		"": {"pods", "pods/log", "pods/status", "pods/eviction", "configmaps", "secrets", "nodes", "nodes/status", "namespaces",
			"serviceaccounts", "serviceaccounts/token", "persistentvolumes", "persistentvolumeclaims", "persistentvolumeclaims/status", "services", "events"},
		"apps":                {"deployments", "deployments/scale", "statefulsets/scale"},
		"example.com":         {"widgets", "widgets/status", "widgets/scale"},
		"coordination.k8s.io": {"leases"},
		"storage.k8s.io":      {"csinodes", "csidrivers", "volumeattachments"},
		"resource.k8s.io":     {"resourceslices", "resourceclaims"},
		"certificates.k8s.io": {"podcertificaterequests", "clustertrustbundles", "certificatesigningrequests"},
	}
	accessAPIGroups = []string{"", "", "", "apps", "example.com", "coordination.k8s.io", "storage.k8s.io", "resource.k8s.io", "certificates.k8s.io"}
)

// accessWorld makes roles and questions.
type accessWorld struct {
	*rand.Rand
	kube kubernetes.Interface
}

func one[T any](w *accessWorld, of []T) T { return of[w.IntN(len(of))] }

func some(w *accessWorld, of []string) []string {
	var chosen []string
	for range 1 + w.IntN(3) {
		chosen = append(chosen, one(w, of))
	}
	return chosen
}

// build makes namespaces, nodes, pods on them, roles and bindings. They are
// taken away with the test.
func (w *accessWorld) build(t *testing.T) {
	t.Helper()
	for _, name := range accessNamespaces {
		create(t, w.kube.CoreV1().Namespaces(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	for _, node := range []string{"n1", "n2"} {
		create(t, w.kube.CoreV1().Nodes(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}})
	}
	for i, node := range []string{"n1", "n2"} {
		namespace, account := accessNamespaces[i], accessAccounts[i]
		create(t, w.kube.CoreV1().ServiceAccounts(namespace), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account}})
		create(t, w.kube.CoreV1().Pods(namespace), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "pod-" + node},
			Spec:       corev1.PodSpec{NodeName: node, ServiceAccountName: account, Containers: []corev1.Container{{Name: "c", Image: "i"}}},
		})
	}
	for i := range 24 {
		role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("access-%d", i), Labels: map[string]string{"access": one(w, accessNames)}}}
		if i%6 == 5 {
			role.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{MatchLabels: map[string]string{"access": one(w, accessNames)}}}}
		} else {
			role.Rules = w.rules(true)
		}
		create(t, w.kube.RbacV1().ClusterRoles(), role)
		create(t, w.kube.RbacV1().ClusterRoleBindings(), &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("access-%d", i)}, Subjects: w.subjects(), RoleRef: w.roleRef("ClusterRole"),
		})
	}
	for _, namespace := range accessNamespaces {
		for i := range 24 {
			create(t, w.kube.RbacV1().Roles(namespace), &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("access-%d", i)}, Rules: w.rules(false)})
			create(t, w.kube.RbacV1().RoleBindings(namespace), &rbacv1.RoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("access-%d", i)}, Subjects: w.subjects(), RoleRef: w.roleRef(one(w, []string{"Role", "ClusterRole"})),
			})
		}
	}
	create(t, w.kube.RbacV1().RoleBindings(accessNamespaces[0]), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "last"}, RoleRef: w.roleRef("Role"), Subjects: w.subjects(),
	})
}

// create makes an object and has it deleted after the test.
func create[T metav1.Object, C interface {
	Create(ctx context.Context, object T, options metav1.CreateOptions) (T, error)
	Delete(ctx context.Context, name string, options metav1.DeleteOptions) error
}](t *testing.T, client C, object T) {
	t.Helper()
	if _, err := client.Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		now := int64(0) // nobody else would end a pod of these nodes
		if err := client.Delete(ctx, object.GetName(), metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
			t.Error(err)
		}
	})
}

// roleRef may name a role that is not there.
func (w *accessWorld) roleRef(kind string) rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: fmt.Sprintf("access-%d", w.IntN(26))}
}

func (w *accessWorld) subjects() []rbacv1.Subject {
	var subjects []rbacv1.Subject
	for range 1 + w.IntN(3) {
		switch w.IntN(4) {
		case 0:
			subjects = append(subjects, rbacv1.Subject{Kind: "ServiceAccount", Name: one(w, accessAccounts), Namespace: one(w, accessNamespaces)})
		case 1:
			subjects = append(subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: "Group", Name: one(w, append([]string{"system:serviceaccounts:access-a"}, accessGroups...))})
		default:
			subjects = append(subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: "User", Name: one(w, append([]string{"system:node:n2", "system:serviceaccount:access-b:robot"}, accessUsers...))})
		}
	}
	return subjects
}

func (w *accessWorld) rules(clusterWide bool) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for range 1 + w.IntN(3) {
		rule := rbacv1.PolicyRule{Verbs: some(w, accessVerbs)}
		if clusterWide && w.IntN(5) == 0 {
			rule.NonResourceURLs = some(w, accessURLs)
			rules = append(rules, rule)
			continue
		}
		group := one(w, accessAPIGroups)
		rule.APIGroups = []string{group}
		rule.Resources = some(w, accessResources[group])
		switch w.IntN(8) {
		case 0:
			rule.APIGroups = append(rule.APIGroups, "*")
		case 1:
			rule.Resources = append(rule.Resources, "*/scale", "*/status", "pods/*")
		case 2:
			rule.Resources = append(rule.Resources, "*")
		case 3:
			rule.ResourceNames = some(w, accessNames)
		}
		rules = append(rules, rule)
	}
	return rules
}

// question is a request of somebody.
func (w *accessWorld) question() authorizer.AttributesRecord {
	who := &user.DefaultInfo{Name: one(w, accessUsers), Groups: []string{user.AllAuthenticated}}
	switch w.IntN(4) {
	case 0:
		namespace := one(w, accessNamespaces)
		who.Name = "system:serviceaccount:" + namespace + ":" + one(w, accessAccounts)
		who.Groups = append(who.Groups, "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	case 1:
		who.Name = "system:node:" + one(w, []string{"n1", "n2", "n3"})
		who.Groups = append(who.Groups, user.NodesGroup)
	}
	if w.IntN(3) == 0 {
		who.Groups = append(who.Groups, one(w, accessGroups))
	}
	if w.IntN(10) == 0 {
		return authorizer.AttributesRecord{User: who, Verb: one(w, []string{"get", "post", "list"}), Path: strings.ReplaceAll(one(w, accessURLs), "*", "z")}
	}
	group := one(w, accessAPIGroups)
	resource, subresource, _ := strings.Cut(one(w, accessResources[group]), "/")
	q := authorizer.AttributesRecord{
		User: who, Verb: one(w, accessVerbs[:len(accessVerbs)-1]), APIGroup: group, Resource: resource, Subresource: subresource, ResourceRequest: true,
	}
	if w.IntN(3) > 0 {
		q.Namespace = one(w, append([]string{corev1.NamespaceNodeLease, "default"}, accessNamespaces...))
	}
	if w.IntN(3) > 0 {
		q.Name = one(w, accessNames)
	}
	if q.IsReadOnly() && w.IntN(4) == 0 {
		q.FieldSelectorRequirements = fields.Requirements{{Field: "spec.nodeName", Operator: selection.Equals, Value: one(w, []string{"n1", "n2"})}}
	}
	return q
}

// accessReview asks the API server the question.
func accessReview(q authorizer.AttributesRecord) *authorizationv1.SubjectAccessReview {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: q.User.GetName(), Groups: q.User.GetGroups()}}
	if !q.ResourceRequest {
		review.Spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: q.Path, Verb: q.Verb}
		return review
	}
	review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
		Namespace: q.Namespace, Verb: q.Verb, Group: q.APIGroup, Resource: q.Resource, Subresource: q.Subresource, Name: q.Name,
	}
	for _, r := range q.FieldSelectorRequirements {
		review.Spec.ResourceAttributes.FieldSelector = &authorizationv1.FieldSelectorAttributes{
			Requirements: []metav1.FieldSelectorRequirement{{Key: r.Field, Operator: metav1.FieldSelectorOpIn, Values: []string{r.Value}}},
		}
	}
	return review
}

func accessText(q authorizer.AttributesRecord) string {
	if !q.ResourceRequest {
		return fmt.Sprintf("%s %v %s %s", q.User.GetName(), q.User.GetGroups(), q.Verb, q.Path)
	}
	return fmt.Sprintf("%s %v %s %s.%s/%s %s/%s %v", q.User.GetName(), q.User.GetGroups(), q.Verb, q.Resource, q.APIGroup, q.Subresource, q.Namespace, q.Name, q.FieldSelectorRequirements)
}
