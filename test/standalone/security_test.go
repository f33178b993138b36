package standalone

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// maxMemory is what the Deployment lets a server have.
const maxMemory = 1 << 30

// peakMemory is the most memory that the server had at a time, where the system
// tells.
func peakMemory(t *testing.T, s *server) (bytes int, ok bool) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Process.Pid))
	if err != nil {
		return 0, false
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0, false
	}
	kilobytes, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10, true
}

// review is a RequestReview of an object that is written as it is.
func review(object string) string {
	return `{"apiVersion": "extant.dev/v1alpha1", "kind": "RequestReview", "spec": {"request": {"operation": "CREATE", "version": "v1",
		"resource": "pods", "namespace": "default", "object": ` + object + `}}}`
}

func nest(depth int, opening, inner, closing string) string {
	return strings.Repeat(opening, depth) + inner + strings.Repeat(closing, depth)
}

// TestBodiesThatMeanIllAreRefusedInFewWords sends what is made to fill the
// memory or the stack of a server, several at a time, and wants a Status for
// each, and the server to go on.
func TestBodiesThatMeanIllAreRefusedInFewWords(t *testing.T) {
	s := start(t, t.TempDir())
	config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	const deep = 1_000_000
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 12 {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	operations := `[` + strings.TrimSuffix(strings.Repeat(`{"op": "test", "path": "/spec", "value": null},`, 50_000), ",") + `]`
	for _, test := range []struct {
		name, method, path, contentType, body string
		// allowed: what is deep is not too deep, and may be answered.
		allowed bool
	}{
		{"a review larger than any", "POST", "requestreviews", "application/json", review(`{"a": "` + strings.Repeat("x", 5<<20) + `"}`), false},
		{"an extension larger than any", "POST", "extensions", "application/json", `{"metadata": {"name": "` + strings.Repeat("x", 5<<20) + `"}}`, false},
		{"lists in lists in a review", "POST", "requestreviews", "application/json", review(`{"a": ` + nest(deep, "[", "", "]") + `}`), false},
		{"objects in objects in a review", "POST", "requestreviews", "application/json", review(nest(deep/2, `{"a":`, "1", "}")), false},
		{"lists that never end", "POST", "requestreviews", "application/json", review(strings.Repeat("[", deep)), false},
		{"lists in lists where none belong", "POST", "extensions", "application/json", `{"metadata": {"name": "a", "labels": ` + nest(deep, "[", "", "]") + `}}`, false},
		{"as deep as JSON may be", "POST", "requestreviews", "application/json", review(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"a": ` + nest(9_000, "[", "", "]") + `}}`), true},
		{"lists in lists in YAML", "POST", "extensions", "application/yaml", "metadata: {name: a}\nspec: " + nest(deep, "[", "", "]"), false},
		{"blocks in blocks in YAML", "POST", "extensions", "application/yaml", strings.Repeat("- ", deep) + "a", false},
		{"a billion laughs", "POST", "extensions", "application/yaml", laughs, false},
		{"lists in lists in CBOR", "POST", "requestreviews", "application/cbor", "\xd9\xd9\xf7" + strings.Repeat("\x81", deep), false},
		{"a string of CBOR that says to be huge", "POST", "requestreviews", "application/cbor", "\xd9\xd9\xf7\x5b\x00\x00\x00\xff\xff\xff\xff\xff", false},
		{"a list of CBOR that says to be huge", "POST", "requestreviews", "application/cbor", "\xd9\xd9\xf7\x9b\x00\x00\x00\xff\xff\xff\xff\xff", false},
		{"what is no protobuf", "POST", "extensions", "application/vnd.kubernetes.protobuf", "k8s\x00" + strings.Repeat("\x0a\xff\xff\xff\xff\x0f", 1000), false},
		{"messages in messages", "POST", "extensions", "application/vnd.kubernetes.protobuf", "k8s\x00" + strings.Repeat("\x0b", deep), false},
		{"a patch of too many steps", "PATCH", "extensionpoints/rbac", "application/json-patch+json", operations, false},
		{"an apply of lists in lists", "PATCH", "extensions/a?fieldManager=a", "application/apply-patch+yaml", "metadata: {name: a}\nspec: " + nest(deep, "[", "", "]"), false},
		{"a merge of objects in objects", "PATCH", "extensionpoints/rbac", "application/merge-patch+json", nest(deep/2, `{"a":`, "1", "}"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var sending errgroup.Group
			for range 4 {
				sending.Go(func() error {
					request, err := http.NewRequestWithContext(t.Context(), test.method, config.Host+"/apis/extant.dev/v1alpha1/"+test.path, strings.NewReader(test.body))
					if err != nil {
						return err
					}
					request.Header.Set("Content-Type", test.contentType)
					request.Header.Set("Accept", "application/json")
					response, err := client.Do(request)
					if err != nil {
						return err
					}
					defer response.Body.Close()
					said, err := io.ReadAll(response.Body)
					if err != nil {
						return err
					}
					var status metav1.Status
					switch {
					case test.allowed && response.StatusCode == http.StatusCreated:
					case response.StatusCode < 400 || response.StatusCode >= 500:
						return fmt.Errorf("got %d: %.300s", response.StatusCode, said)
					case json.Unmarshal(said, &status) != nil || status.Kind != "Status" || status.Message == "":
						return fmt.Errorf("what is said is no Status: %.300s", said)
					case len(said) > 16<<10:
						return fmt.Errorf("%d bytes are said: %.300s", len(said), said)
					}
					return nil
				})
			}
			if err := sending.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	if peak, ok := peakMemory(t, s); ok {
		t.Logf("the server had %d MiB at most", peak>>20)
		if peak > maxMemory {
			t.Errorf("that is more than %d MiB", maxMemory>>20)
		}
	}
	if _, err := s.client.ExtantV1alpha1().ExtensionPoints().Get(t.Context(), "rbac", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	s.stop(t)
	if log := s.output.String(); bytes.Contains([]byte(log), []byte("panic")) {
		t.Error(log)
	}
}

// TestAPolicyThatCostsTooMuchIsStoppedAndSaysSo writes one that compiles and
// never ends, beside those that are shipped.
func TestAPolicyThatCostsTooMuchIsStoppedAndSaysSo(t *testing.T) {
	s := start(t, t.TempDir())
	const list = `["0","1","2","3","4","5","6","7","8","9"]`
	assert := `"x" != "y"`
	for i := range 9 {
		assert = fmt.Sprintf("%s.all(v%d, %s)", list, i, assert)
	}
	policies := s.client.ExtantV1alpha1().ExtensionPolicies()
	if _, err := policies.Create(t.Context(), &v1alpha1.ExtensionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "a-first"},
		Spec:       v1alpha1.ExtensionPolicySpec{Rules: []v1alpha1.PolicyRule{{Name: "endless", AppliesTo: "Hook", Assert: assert, Severity: "Error"}}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	condition := func(policy string) *metav1.Condition {
		found, err := policies.Get(t.Context(), policy, metav1.GetOptions{})
		if err != nil {
			return nil
		}
		return meta.FindStatusCondition(found.Status.Conditions, "Evaluated")
	}
	var stopped, others *metav1.Condition
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		stopped, others = condition("a-first"), condition("baseline")
		if stopped != nil && others != nil && stopped.Status == metav1.ConditionFalse && others.Status == metav1.ConditionTrue {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is %v, and baseline %v", stopped, others)
		}
	}
	if !strings.Contains(stopped.Message, "endless") || !strings.Contains(stopped.Message, "cost limit exceeded") {
		t.Errorf("it says: %s", stopped.Message)
	}
	s.stop(t)
}
