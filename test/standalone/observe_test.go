package standalone

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const hooks = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: my-hook}
webhooks:
- name: check.example.com
  clientConfig: {service: {namespace: tools, name: check}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  sideEffects: None
  admissionReviewVersions: [v1]
---
this is: [broken
`

// unreachable is the kubeconfig of a cluster that does not answer.
const unreachable = `{"apiVersion": "v1", "kind": "Config", "current-context": "a",
"clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1:1"}}], "contexts": [{"name": "a", "context": {"cluster": "a"}}]}`

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// backends waits until the server knows that many backends.
func backends(t *testing.T, s *server, want int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		list, err := s.client.ExtantV1alpha1().Backends().List(t.Context(), metav1.ListOptions{})
		if err == nil && len(list.Items) == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d backends are wanted: %v, %v", want, list, err)
		}
	}
}

func TestAFolderWithABrokenFileIsReadAndReadAgain(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "hooks.yaml"), hooks)
	write(t, filepath.Join(dir, "pod.yaml"), "apiVersion: v1\nkind: Pod\nmetadata: {namespace: tools, name: x}\nspec: oops\n")
	s := start(t, t.TempDir(), "--observe-from="+dir)
	backends(t, s, 1)
	first, _, _ := strings.Cut(hooks, "---")
	write(t, filepath.Join(dir, "more.yaml"), strings.NewReplacer("my-hook", "another", "name: check}", "name: other}").Replace(first))
	backends(t, s, 2)
	s.stop(t)
	output := s.output.String()
	for _, want := range []string{
		"It observes the dump at " + dir + ", version v1.37.2.",
		"dump: Malformed: hooks.yaml:11: ",
		"pods: Malformed: pod.yaml:1: spec must not be a string",
		"Stopped.\n",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("%q is not said:\n%s", want, output)
		}
	}
}

func TestAnEmptyDumpIsSaidToBeEmpty(t *testing.T) {
	s := start(t, t.TempDir(), "--observe-from=-")
	s.stop(t)
	for _, want := range []string{"It observes the dump on standard input", "No object of Kubernetes is there."} {
		if !strings.Contains(s.output.String(), want) {
			t.Errorf("%q is not said:\n%s", want, s.output)
		}
	}
}

func TestAClusterThatCannotBeReachedIsWaitedForAndThenAGap(t *testing.T) {
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	write(t, kubeconfig, unreachable)
	s := start(t, t.TempDir(), "--observe-kubeconfig="+kubeconfig)
	s.stop(t)
	for _, want := range []string{
		"Waiting until the cluster at https://127.0.0.1:1 is read",
		"apiservices.apiregistration.k8s.io: NotSynced: the API server cannot be reached",
	} {
		if !strings.Contains(s.output.String(), want) {
			t.Errorf("%q is not said:\n%s", want, s.output)
		}
	}
}
