package dump

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/extant-project/extant/internal/cluster"
)

const staticHook = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: a.static.k8s.io}
webhooks: [{name: h.example.com, clientConfig: {url: "https://127.0.0.1:9443/"}, sideEffects: None, admissionReviewVersions: [v1]}]
`

const staticPolicy = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p.static.k8s.io}
spec: {matchConstraints: {resourceRules: []}, validations: [{expression: "true"}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: b.static.k8s.io}
spec: {policyName: p.static.k8s.io, validationActions: [Deny]}
`

func TestStaticAdmissionIsWhatAnAPIServerLoads(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"webhooks, policies and bindings", staticHook + "---" + staticPolicy, ""},
		{"another name", strings.ReplaceAll(staticHook, "a.static.k8s.io", "a"), `the name of validatingwebhookconfigurations "a" does not end in .static.k8s.io`},
		{"a service", strings.ReplaceAll(staticHook, `url: "https://127.0.0.1:9443/"`, "service: {namespace: a, name: b}"), `the webhook "h.example.com" of "a.static.k8s.io" is not called by a URL, and a static one has to be`},
		{"params", strings.ReplaceAll(staticPolicy, "matchConstraints:", "paramKind: {apiVersion: v1, kind: ConfigMap}, matchConstraints:"), `"p.static.k8s.io" has params, and what is static cannot have any`},
		{"a policy of the API", strings.ReplaceAll(staticPolicy, "policyName: p", "policyName: q"), `the binding "b.static.k8s.io" names the policy "q.static.k8s.io", which is not among the manifests`},
		{"another kind", "apiVersion: v1\nkind: Node\nmetadata: {name: a.static.k8s.io}\n", `nodes "a.static.k8s.io" is no webhook configuration, policy or binding`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "static.yaml")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{dir, file} {
				declared, err := StaticAdmission(path)
				got := ""
				if err != nil {
					got = err.Error()
				}
				if got != c.want {
					t.Errorf("%s: %q, not %q", path, got, c.want)
				}
				if c.want == "" && len(declared) != 3 {
					t.Errorf("%s: %d objects are declared", path, len(declared))
				}
			}
		})
	}
	if _, err := StaticAdmission("absent"); err == nil {
		t.Error("a path at which nothing is, is no error")
	}
}

// staticHooks are the static webhooks of a cluster by the names of their
// configurations, with what is said of the manifests.
func staticHooks(snapshot *cluster.Snapshot) string {
	var said []string
	for configuration := range snapshot.ValidatingWebhookConfigurations().All() {
		said = append(said, configuration.Name)
	}
	for _, gap := range snapshot.Gaps() {
		if gap.Resource == cluster.StaticManifests {
			said = append(said, gap.Message)
		}
	}
	return strings.Join(said, "; ")
}

func TestDeclaredManifestsAreReadAgainAndStandWhereTheyCannotBe(t *testing.T) {
	observed, err := FromFS(Example())
	if err != nil {
		t.Fatal(err)
	}
	without := staticHooks(observed.Snapshot())
	dir := t.TempDir()
	file := filepath.Join(dir, "hooks.yaml")
	if _, err := Declare(t.Context(), observed, dir, Options{}); err == nil || err.Error() != "there are no manifests in it" {
		t.Errorf("an empty folder: %v", err)
	}
	write(t, file, staticHook)
	source, err := Declare(t.Context(), observed, dir, Options{Settle: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	changed, stop := source.Subscribe()
	defer stop()
	want := func(want string) {
		t.Helper()
		deadline := time.After(time.Minute)
		for {
			select {
			case <-changed:
				if staticHooks(source.Snapshot()) == want {
					return
				}
			case <-deadline:
				t.Fatalf("the cluster has %q, not %q", staticHooks(source.Snapshot()), want)
			}
		}
	}
	want("a.static.k8s.io; " + without)
	first := source.Snapshot()
	if source.Snapshot() != first {
		t.Error("what is the same is made anew")
	}
	write(t, file, strings.ReplaceAll(staticHook, "a.static.k8s.io", "b.static.k8s.io"))
	want("b.static.k8s.io; " + without)
	write(t, file, strings.ReplaceAll(staticHook, "a.static.k8s.io", "b"))
	want("b.static.k8s.io; " + without + `; the declared manifests could not be read again: the name of validatingwebhookconfigurations "b" does not end in .static.k8s.io; what was read before stands`)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	want(without)
	if hooks := staticHooks(first); !strings.HasPrefix(hooks, "a.static.k8s.io") {
		t.Errorf("an earlier snapshot has changed: %s", hooks)
	}
}
