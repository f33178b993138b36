package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/extant-project/extant/internal/plugin"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
	"github.com/extant-project/extant/test/controlplane"
)

const createConfigMap = `
apiVersion: extant.dev/v1alpha1
kind: RequestReview
spec:
  request:
    operation: CREATE
    version: v1
    resource: configmaps
    namespace: default
    object: {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}, data: {replicas: "5"}}
`

// mayAsk is what everybody who asks needs.
var mayAsk = rbacv1.PolicyRule{APIGroups: []string{"extant.dev"}, Resources: []string{"requestreviews"}, Verbs: []string{"create"}}

// newAsker returns a user who may ask, and has further rights.
func newAsker(t *testing.T, name string, rights ...rbacv1.PolicyRule) *controlplane.User {
	t.Helper()
	user := newUser(t, name)
	if err := grant(t.Context(), kubeClient(t), "test-"+name, name, append(rights, mayAsk)...); err != nil {
		t.Fatal(err)
	}
	// The authorizer of the cluster learns of it a moment later.
	eventually(t, soon, func(context.Context) string {
		_, complaint, _ := runKubectl(t, user, "", "auth", "can-i", "create", "requestreviews.extant.dev")
		answer, _, _ := runKubectl(t, user, "", "auth", "can-i", "create", "requestreviews.extant.dev")
		if strings.TrimSpace(answer) != "yes" {
			return answer + complaint
		}
		return ""
	})
	return user
}

// ask reviews the creation of a ConfigMap by the generated clientset.
func ask(t *testing.T, asker *controlplane.User, named *authenticationv1.UserInfo) (*v1alpha1.RequestReview, error) {
	t.Helper()
	clientset, err := versioned.NewForConfig(asker.Config)
	if err != nil {
		t.Fatal(err)
	}
	return clientset.ExtantV1alpha1().RequestReviews().Create(t.Context(), &v1alpha1.RequestReview{Spec: v1alpha1.RequestReviewSpec{
		User: named,
		Request: v1alpha1.ReviewedRequest{Operation: v1alpha1.OperationCreate, Version: "v1", Resource: "configmaps", Namespace: "default",
			Object: runtime.RawExtension{Raw: []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"replicas":"5"}}`)}},
	}}, metav1.CreateOptions{})
}

func TestAReviewIsOfTheCallersOwnRequest(t *testing.T) {
	may := newAsker(t, "may-create", rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}})
	mayNot := newAsker(t, "may-not-create")
	for user, want := range map[*controlplane.User]v1alpha1.Outcome{may: v1alpha1.OutcomeAllows, mayNot: v1alpha1.OutcomeDenies} {
		review, err := ask(t, user, nil)
		if err != nil {
			t.Fatal(err)
		}
		if hop := review.Status.Hops[0]; hop.Stage != v1alpha1.StageAuthorization || hop.Outcome != want {
			t.Errorf("got %s %s (%s), want %s", hop.Stage, hop.Outcome, hop.Message, want)
		}
		if review.Status.Observed.Source != "live" || review.Status.Observed.Time.IsZero() {
			t.Errorf("observed: %v", review.Status.Observed)
		}
	}
}

func TestNamingAUserNeedsTheRightToImpersonate(t *testing.T) {
	impersonate := func(group, resource string, names ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, ResourceNames: names, Verbs: []string{"impersonate"}}
	}
	namer := newAsker(t, "namer",
		impersonate("", "users", "bob"), impersonate("", "groups", "dev"), impersonate("", "serviceaccounts", "robot"),
		impersonate("authentication.k8s.io", "uids", "7"), impersonate("authentication.k8s.io", "userextras/scopes", "read"))
	for _, test := range []struct {
		name  string
		named authenticationv1.UserInfo
		want  string
	}{
		{"all of it", authenticationv1.UserInfo{Username: "bob", UID: "7", Groups: []string{"dev"}, Extra: map[string]authenticationv1.ExtraValue{"scopes": {"read"}}}, ""},
		{"a service account", authenticationv1.UserInfo{Username: "system:serviceaccount:default:robot"}, ""},
		{"another user", authenticationv1.UserInfo{Username: "alice"}, `cannot impersonate resource "users" in API group ""`},
		{"another group", authenticationv1.UserInfo{Username: "bob", Groups: []string{"dev", "system:masters"}}, `groups "system:masters" is forbidden`},
		{"another service account", authenticationv1.UserInfo{Username: "system:serviceaccount:default:admin"}, `cannot impersonate resource "serviceaccounts" in API group "" in the namespace "default"`},
		{"another UID", authenticationv1.UserInfo{Username: "bob", UID: "8"}, `cannot impersonate resource "uids" in API group "authentication.k8s.io"`},
		{"another value", authenticationv1.UserInfo{Username: "bob", Extra: map[string]authenticationv1.ExtraValue{"scopes": {"read", "write"}}}, `cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ask(t, namer, &test.named)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && !apierrors.IsForbidden(err):
				t.Errorf("got %v, want 403", err)
			case test.want != "":
				wantIn(t, err.Error(), test.want)
			}
		})
	}
}

// limitPolicy allows a ConfigMap as many replicas as a param says.
func limitPolicy(t *testing.T, name string) {
	t.Helper()
	ctx, kube := t.Context(), kubeClient(t)
	policies, bindings := kube.AdmissionregistrationV1().ValidatingAdmissionPolicies(), kube.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings()
	_, err := kube.CoreV1().ConfigMaps("default").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"most": "3"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := policies.Create(ctx, &admissionregistrationv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			ParamKind: &admissionregistrationv1.ParamKind{APIVersion: "v1", Kind: "ConfigMap"},
			MatchConstraints: &admissionregistrationv1.MatchResources{ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionregistrationv1.RuleWithOperations{
					Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
					Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
				},
			}}},
			Validations: []admissionregistrationv1.Validation{{
				Expression:        "!has(object.data) || !('replicas' in object.data) || int(object.data.replicas) <= int(params.data.most)",
				MessageExpression: "'at most ' + params.data.most + ' replicas'",
			}},
		},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := bindings.Create(ctx, &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: name, ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
			ParamRef: &admissionregistrationv1.ParamRef{Name: name, Namespace: "default", ParameterNotFoundAction: ptr.To(admissionregistrationv1.DenyAction)},
		},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		_ = bindings.Delete(ctx, name, metav1.DeleteOptions{})
		_ = policies.Delete(ctx, name, metav1.DeleteOptions{})
		_ = kube.CoreV1().ConfigMaps("default").Delete(ctx, name, metav1.DeleteOptions{})
	})
}

func TestWhatAPolicySaysOfItsParamsIsWithheldFromWhoMayNotReadThem(t *testing.T) {
	configMaps := func(verbs ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: verbs}
	}
	param := configMaps("get")
	param.ResourceNames = []string{"limit"}
	lend(t, "test-extant-params", param)
	reader, writer := newAsker(t, "param-reader", configMaps("create", "get")), newAsker(t, "param-writer", configMaps("create"))
	limitPolicy(t, "limit")
	for user, want := range map[*controlplane.User]string{reader: "at most 3 replicas", writer: "withheld"} {
		eventually(t, soon, func(context.Context) string {
			review, err := ask(t, user, nil)
			if err != nil {
				return err.Error()
			}
			said, err := json.Marshal(review.Status)
			if err != nil || review.Status.Verdict != v1alpha1.VerdictDenied || !strings.Contains(string(said), want) {
				return "want Denied, and " + want + ":\n" + string(said)
			}
			if want == "withheld" && strings.Contains(string(said), "at most 3") {
				t.Errorf("it is shown to who may not read it: %s", said)
			}
			return ""
		})
	}
}

func TestKubectlAsksForAReview(t *testing.T) {
	for output, want := range map[string][]string{
		"yaml":                        {"kind: RequestReview", "verdict: ", "- match: Matched", "stage: Authorization"},
		"json":                        {`"kind": "RequestReview"`},
		"jsonpath={.status.verdict}":  {"Allowed"},
		"name":                        {"requestreview.extant.dev/"},
		"go-template={{.apiVersion}}": {"extant.dev/v1alpha1"},
	} {
		got := kubectl(t, createConfigMap, "create", "-f", "-", "-o", output)
		wantIn(t, got, want...)
		if strings.Contains(got, "managedFields") {
			t.Errorf("-o %s prints managedFields:\n%s", output, got)
		}
	}
	wantIn(t, kubectl(t, createConfigMap, "create", "-f", "-"), "created")
	wantIn(t, kubectl(t, createConfigMap, "create", "--dry-run=server", "-f", "-", "-o", "jsonpath={.status.verdict}"), "Allowed")
	wantIn(t, kubectlFails(t, env.plane.Admin, "", "get", "requestreviews"), "MethodNotAllowed")
	wantIn(t, kubectl(t, "", "explain", "requestreview.spec.user"), "impersonate")
}

func TestAReviewWithMistakesIsRefusedWithItsFields(t *testing.T) {
	for change, want := range map[string]string{
		"operation: CREATE => operation: PATCH":        "spec.request.operation: Unsupported value",
		"resource: configmaps => resource: gadgets":    "spec.request.resource",
		"kind: ConfigMap => kind: Secret":              "spec.request.object",
		"name: a => name: [a]":                         "spec.request.object.metadata.name",
		"namespace: default\n => namespace: nowhere\n": "spec.request.object.metadata.namespace",
	} {
		from, to, _ := strings.Cut(change, " => ")
		complaint := kubectlFails(t, env.plane.Admin, strings.Replace(createConfigMap, from, to, 1), "create", "-f", "-")
		wantIn(t, complaint, "is invalid", want)
	}
}

func TestAPostThatAcceptsATableGetsTheHops(t *testing.T) {
	client, err := rest.HTTPClientFor(env.plane.Admin.Config)
	if err != nil {
		t.Fatal(err)
	}
	review := []byte(`{"apiVersion":"extant.dev/v1alpha1","kind":"RequestReview","spec":{"request":{"operation":"GET","version":"v1","resource":"pods","namespace":"default","name":"a"}}}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, env.plane.Admin.Config.Host+"/apis/extant.dev/v1alpha1/requestreviews", bytes.NewReader(review))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var table metav1.Table
	if err := json.NewDecoder(response.Body).Decode(&table); err != nil {
		t.Fatal(err)
	}
	if table.Kind != "Table" || len(table.Rows) == 0 || table.Rows[0].Cells[0] != "Authorization" {
		t.Errorf("got %d: %v", response.StatusCode, table)
	}
}

func TestThePluginAsksTheCluster(t *testing.T) {
	file := filepath.Join(t.TempDir(), "review.yaml")
	if err := os.WriteFile(file, []byte(createConfigMap), 0o600); err != nil {
		t.Fatal(err)
	}
	streams, _, out, complaint := genericiooptions.NewTestIOStreams()
	code := plugin.Main(t.Context(), []string{"--kubeconfig=" + env.plane.Admin.Kubeconfig, "review", "-f", file}, streams)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, complaint)
	}
	wantIn(t, out.String(), "Allowed", "STAGE", "Authorization")

	nobody := newUser(t, "plugin-nobody")
	if code := plugin.Main(t.Context(), []string{"--kubeconfig=" + nobody.Kubeconfig, "review", "-f", file}, streams); code != 1 {
		t.Errorf("exit code %d for somebody who may not ask", code)
	}
	wantIn(t, complaint.String(), `Error from server (Forbidden): requestreviews.extant.dev is forbidden: User "plugin-nobody" cannot create`)
}
