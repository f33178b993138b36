package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/rest"
)

// askerOf returns an Asker of a cluster that answers each path with a text.
func askerOf(t *testing.T, answer func(path string, body *json.Decoder) (int, any)) *Asker {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code, content := answer(r.URL.Path, json.NewDecoder(r.Body))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(content)
	}))
	t.Cleanup(server.Close)
	asker, err := NewAsker(&rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}})
	if err != nil {
		t.Fatal(err)
	}
	return asker
}

func TestTheClusterSaysWhoMayDoWhat(t *testing.T) {
	attributes := authorizer.AttributesRecord{
		User: &user.DefaultInfo{Name: "alice", UID: "7", Groups: []string{"dev"}, Extra: map[string][]string{"k": {"v"}}},
		Verb: "create", APIGroup: "apps", APIVersion: "v1", Resource: "deployments", Subresource: "scale", Namespace: "shop", Name: "web", ResourceRequest: true,
	}
	for _, test := range []struct {
		name    string
		status  authorizationv1.SubjectAccessReviewStatus
		want    authorizer.Decision
		unknown bool
	}{
		{"allowed", authorizationv1.SubjectAccessReviewStatus{Allowed: true, Reason: "by a role"}, authorizer.DecisionAllow, false},
		{"allowed in spite of an error", authorizationv1.SubjectAccessReviewStatus{Allowed: true, EvaluationError: "x"}, authorizer.DecisionAllow, false},
		{"denied", authorizationv1.SubjectAccessReviewStatus{Denied: true}, authorizer.DecisionDeny, false},
		{"no opinion", authorizationv1.SubjectAccessReviewStatus{}, authorizer.DecisionNoOpinion, false},
		{"an error", authorizationv1.SubjectAccessReviewStatus{EvaluationError: "the webhook is away"}, authorizer.DecisionNoOpinion, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var asked authorizationv1.SubjectAccessReview
			asker := askerOf(t, func(_ string, body *json.Decoder) (int, any) {
				if err := body.Decode(&asked); err != nil {
					t.Error(err)
				}
				return http.StatusCreated, &authorizationv1.SubjectAccessReview{TypeMeta: asked.TypeMeta, Status: test.status}
			})
			decision, reason, err := asker.Authorize(t.Context(), attributes)
			if decision != test.want || (err != nil) != test.unknown || reason != test.status.Reason {
				t.Errorf("got %v, %q, %v", decision, reason, err)
			}
			spec, resource := asked.Spec, asked.Spec.ResourceAttributes
			if got, want := fmt.Sprint(spec.User, spec.UID, spec.Groups, spec.Extra), "alice7[dev] map[k:[v]]"; got != want {
				t.Errorf("asked about %q, want %q", got, want)
			}
			if got := strings.Join([]string{resource.Verb, resource.Group, resource.Version, resource.Resource, resource.Subresource, resource.Namespace, resource.Name}, " "); got != "create apps v1 deployments scale shop web" {
				t.Errorf("asked whether one may %s", got)
			}
		})
	}
}

func TestParamsAreReadWhereTheyMayBe(t *testing.T) {
	configMaps := schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	status := func(code int, reason metav1.StatusReason) (int, any) {
		return code, &metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: string(reason)}
	}
	item := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "limit", "namespace": "policy"}}
	asker := askerOf(t, func(path string, _ *json.Decoder) (int, any) {
		switch path {
		case "/api/v1/namespaces/policy/configmaps/limit":
			return http.StatusOK, item
		case "/api/v1/namespaces/policy/configmaps/none":
			return status(http.StatusNotFound, metav1.StatusReasonNotFound)
		case "/api/v1/namespaces/policy/configmaps":
			return http.StatusOK, map[string]any{"apiVersion": "v1", "kind": "ConfigMapList", "metadata": map[string]any{}, "items": []any{item}}
		case "/api/v1/namespaces/large/configmaps":
			return http.StatusOK, map[string]any{"apiVersion": "v1", "kind": "ConfigMapList", "metadata": map[string]any{"continue": "more"}, "items": []any{item}}
		case "/api/v1/namespaces/closed/configmaps/limit":
			return status(http.StatusForbidden, metav1.StatusReasonForbidden)
		default:
			t.Errorf("%s was asked for", path)
			return status(http.StatusInternalServerError, metav1.StatusReasonInternalError)
		}
	})
	get := func(resource schema.GroupVersionResource, namespace, name string) (string, error) {
		found, err := asker.Get(context.Background(), resource, namespace, name)
		if found == nil {
			return "", err
		}
		return found.GetName(), err
	}
	if name, err := get(configMaps, "policy", "limit"); name != "limit" || err != nil {
		t.Errorf("one that is there: %q, %v", name, err)
	}
	if name, err := get(configMaps, "policy", "none"); name != "" || err != nil {
		t.Errorf("one that is not there: %q, %v", name, err)
	}
	if _, err := get(configMaps, "closed", "limit"); err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("a forbidden one: %v", err)
	}
	if _, err := get(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, "policy", "limit"); err == nil {
		t.Error("a Secret was read")
	}
	if all, err := asker.List(t.Context(), configMaps, "policy", labels.Everything()); len(all) != 1 || err != nil {
		t.Errorf("a list: %v, %v", all, err)
	}
	if _, err := asker.List(t.Context(), configMaps, "large", labels.Everything()); err == nil {
		t.Error("half a list was taken for all of it")
	}
}
