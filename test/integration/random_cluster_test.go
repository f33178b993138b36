package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/internal/scenario/random"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/test/truth"
)

// collections are where the objects of a random cluster are posted to.
var collections = map[string]string{
	"Namespace": "/api/v1/namespaces", "ConfigMap": "/api/v1/namespaces/%s/configmaps",
	"CustomResourceDefinition":         "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
	"ClusterRole":                      "/apis/rbac.authorization.k8s.io/v1/clusterroles",
	"ClusterRoleBinding":               "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
	"MutatingWebhookConfiguration":     "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
	"ValidatingWebhookConfiguration":   "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
	"MutatingAdmissionPolicy":          "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies",
	"MutatingAdmissionPolicyBinding":   "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings",
	"ValidatingAdmissionPolicy":        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
	"ValidatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
}

// install creates an object and tells whether it is one that the API server
// takes: not everything that is drawn is valid. A policy that was just removed
// may still refuse it.
func (w *wire) install(t *testing.T, object runtime.Object) (valid bool) {
	t.Helper()
	accessor, err := meta.Accessor(object)
	if err != nil {
		t.Fatal(err)
	}
	collection := collections[object.GetObjectKind().GroupVersionKind().Kind]
	if accessor.GetNamespace() != "" {
		collection = fmt.Sprintf(collection, accessor.GetNamespace())
	}
	body, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, soon, func(ctx context.Context) string {
		r, err := w.do(ctx, w.admin, http.MethodPost, collection, "", body)
		if err != nil {
			return err.Error()
		}
		valid = r.code < 300 || r.code == http.StatusConflict
		if refused := bytes.Contains(r.body, []byte("denied request")); !valid && (refused || r.code != http.StatusUnprocessableEntity) {
			return messageOf(r.body)
		}
		return ""
	})
	return valid
}

func messageOf(body []byte) string {
	var status struct{ Message string }
	if json.Unmarshal(body, &status) != nil {
		return string(body)
	}
	return status.Message
}

// remove deletes an object again, which a policy that was just removed may
// still refuse.
func (w *wire) remove(t *testing.T, object runtime.Object) {
	t.Helper()
	accessor, err := meta.Accessor(object)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, soon, func(ctx context.Context) string {
		r, err := w.do(ctx, w.admin, http.MethodDelete, collections[object.GetObjectKind().GroupVersionKind().Kind]+"/"+accessor.GetName(), "", nil)
		if err != nil {
			return err.Error()
		}
		if r.code >= 300 && r.code != http.StatusNotFound {
			return messageOf(r.body)
		}
		return ""
	})
}

// removeAll removes objects again.
func (w *wire) removeAll(t *testing.T, objects []runtime.Object) {
	t.Helper()
	for _, object := range objects {
		w.remove(t, object)
	}
}

// foundations installs what all random clusters have: custom kinds, rights,
// and one policy with params. Without that, kube-apiserver would stop to read
// ConfigMaps with the first cluster's policies and never begin again, and select
// params by their labels from what it once knew.
func (w *wire) foundations(t *testing.T, review reviewer) (installed []runtime.Object) {
	t.Helper()
	lend(t, "test-extant-configmaps", rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "list", "watch"}})
	for _, object := range random.Access() {
		w.install(t, object)
	}
	for _, definition := range random.Definitions() {
		w.install(t, definition)
		eventually(t, soon, func(ctx context.Context) string {
			return w.established(ctx, definition)
		})
	}
	eventually(t, soon, func(ctx context.Context) string {
		// The viewer's right is the last that was given.
		r, err := w.do(ctx, w.clients["viewer"], http.MethodGet, "/apis/random.example/v1/gadgets", "", nil)
		if err != nil || r.code != http.StatusOK {
			return fmt.Sprintf("the viewer can not see gadgets: %v %v", err, r)
		}
		return ""
	})
	constant := &random.Cluster{}
	g := random.New(0, "constant", w.endpoints(0))
	markers := g.Mark(constant)
	installed = w.populate(t, g, constant)
	w.waitSynced(t, markers, review)
	return installed
}

// endpoints serves hooks, every so manieth, if any, where they can be down.
func (w *wire) endpoints(dying int) func(mutating bool, configuration, hook string) random.Endpoint {
	served := 0
	return func(mutating bool, configuration, hook string) random.Endpoint {
		path := "validating/" + configuration + "/" + hook
		if mutating {
			path = "mutating/" + configuration + "/" + hook
		}
		server := w.recorder
		if served++; dying > 0 && served%dying == 0 && hook != random.MarkerHook {
			server = w.dying
		}
		config := server.clientConfig(path)
		return random.Endpoint{URL: *config.URL, CABundle: config.CABundle}
	}
}

func (w *wire) established(ctx context.Context, definition *apiextensionsv1.CustomResourceDefinition) string {
	for _, version := range definition.Spec.Versions {
		if !version.Served {
			continue
		}
		path := fmt.Sprintf("/apis/%s/%s/%s", definition.Spec.Group, version.Name, definition.Spec.Names.Plural)
		r, err := w.do(ctx, w.admin, http.MethodGet, path, "", nil)
		if err != nil || r.code != http.StatusOK {
			return fmt.Sprintf("%s is not served: %v %v", path, err, r)
		}
	}
	return ""
}

// populate installs a cluster: what is there before, then webhooks, then
// policies, whose own kinds no policy sees. What is not valid is left out.
func (w *wire) populate(t *testing.T, g *random.Generator, c *random.Cluster) (installed []runtime.Object) {
	t.Helper()
	for _, namespace := range c.Namespaces {
		w.install(t, namespace)
		w.store(t, random.ServiceAccount(namespace.Name))
	}
	for _, param := range c.Params {
		w.install(t, param)
	}
	if len(c.Namespaces) > 1 {
		for _, object := range g.Objects(c) {
			w.store(t, object)
		}
	}
	for _, configuration := range c.Configurations() {
		if w.install(t, configuration) {
			installed = append(installed, configuration)
		}
	}
	// What others may refuse to have removed is removed last.
	slices.Reverse(installed)
	return installed
}

// store creates an object that requests are about.
func (w *wire) store(t *testing.T, object random.Object) {
	t.Helper()
	eventually(t, soon, func(ctx context.Context) string {
		r, err := w.do(ctx, w.admin, http.MethodPost, object.Collection, "", object.Body)
		switch {
		case err != nil:
			return err.Error()
		case r.code < 300 || r.code == http.StatusConflict:
			return ""
		case bytes.Contains(r.body, []byte("violates PodSecurity")):
			return "" // then it is not there
		}
		return object.Path + ": " + messageOf(r.body)
	})
}

// waitSynced waits until kube-apiserver and Extant know the markers of a
// cluster, which are the newest objects of their kinds.
func (w *wire) waitSynced(t *testing.T, m *random.Markers, review reviewer) {
	t.Helper()
	probe := m.Probe()
	spec := &extant.RequestReviewSpec{Request: probe.Review, User: &probe.User, Assume: extant.RequestAssumptions{Backends: extant.BackendsAllAvailable}}
	refused := ""
	eventually(t, soon, func(ctx context.Context) string {
		w.recorder.take()
		r, err := w.do(ctx, w.admin, probe.Method, probe.Path, "", probe.Body)
		switch {
		case ctx.Err() != nil && refused != "":
			return refused
		case err != nil:
			return err.Error()
		case r.code >= 300:
			refused = "the marker is refused: " + messageOf(r.body)
			return refused
		}
		var missing []string
		calls := w.recorder.take()
		for _, hook := range []string{"mutating", "validating"} {
			path := hook + "/" + m.Name + "/" + random.MarkerHook
			if !slices.ContainsFunc(calls, func(call recordedCall) bool { return call.Hook == path }) {
				missing = append(missing, path)
			}
		}
		if !slices.Contains(marks(r.body), m.Name) {
			missing = append(missing, "the mutating policy")
		}
		if !slices.ContainsFunc(r.warnings, func(warning string) bool { return strings.Contains(warning, m.Name) }) {
			missing = append(missing, "the validating policy")
		}
		if len(missing) > 0 {
			return fmt.Sprintf("kube-apiserver does not know %v", missing)
		}
		return ""
	})
	eventually(t, soon, func(ctx context.Context) string {
		status, err := review(ctx, spec)
		if err != nil {
			return err.Error()
		}
		answer := truth.Answer{
			Verdict:    truth.Verdict(extant.VerdictAllowed),
			Mutating:   []truth.Call{{Configuration: m.Name, Hook: random.MarkerHook}},
			Validating: []truth.Call{{Configuration: m.Name, Hook: random.MarkerHook}},
			Policies:   truth.Policies{Mutated: []string{m.Name}, Evaluated: []string{m.Name}, Warned: []truth.Finding{{Policy: m.Name, Binding: m.Name}}},
		}
		if len(answer.Compare(status).Disagreements) > 0 {
			return "Extant does not know them:\n" + truth.SideBySide(&answer, status)
		}
		return ""
	})
}
