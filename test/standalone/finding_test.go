package standalone

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// rule is the one that the cluster breaks.
const rule = "intercepts-own-backend"

// found waits until the findings of the rule are as they are wanted, and
// returns the first.
func found(t *testing.T, s *server, wanted func([]v1alpha1.Finding) bool) *v1alpha1.Finding {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		list, err := s.client.ExtantV1alpha1().Findings().List(t.Context(), metav1.ListOptions{FieldSelector: "spec.policy=baseline"})
		var of []v1alpha1.Finding
		if err == nil {
			for _, f := range list.Items {
				if f.Spec.Rule == rule {
					of = append(of, f)
				}
			}
			if wanted(of) {
				if len(of) == 0 {
					return nil
				}
				return &of[0]
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("findings of %s: %v, %v", rule, of, err)
		}
	}
}

func one(of []v1alpha1.Finding) bool  { return len(of) == 1 }
func none(of []v1alpha1.Finding) bool { return len(of) == 0 }

// TestAFindingIsThereForAsLongAsItsCause takes one through its life: it is
// found, accepted, there after a restart as it was, and gone with its cause.
func TestAFindingIsThereForAsLongAsItsCause(t *testing.T) {
	dir, data := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "cluster.yaml"), guarded)
	s := start(t, data, "--observe-from="+dir)
	first := found(t, s, one)
	if first.Spec.Extension != "guard" || first.Spec.Severity != "Error" || first.Spec.Subject.Hook != "pods.guard.example" || first.Spec.Accepted {
		t.Errorf("got %+v", first.Spec)
	}
	api := s.client.ExtantV1alpha1()
	accept := `{"spec":{"acceptedRisks":[{"policy":"baseline","rule":"` + rule + `","reason":"on purpose"}]}}`
	if _, err := api.Extensions().Patch(t.Context(), "guard", types.MergePatchType, []byte(accept), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	found(t, s, func(of []v1alpha1.Finding) bool { return one(of) && of[0].Spec.Accepted })
	if err := api.ExtensionPolicies().Delete(t.Context(), "strict", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	edit := `{"spec":{"paused":false,"rules":[{"name":"slow-timeout","severity":"Info"}]}}`
	if _, err := api.ExtensionPolicies().Patch(t.Context(), "baseline", types.StrategicMergePatchType, []byte(edit), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	s.stop(t)

	s = start(t, data, "--observe-from="+dir)
	again := found(t, s, one)
	if again.Name != first.Name || again.UID != first.UID || !again.Spec.FirstSeen.Equal(&first.Spec.FirstSeen) || !again.Spec.Accepted {
		t.Errorf("after a restart it is %+v, and was %+v", again, first)
	}
	write(t, filepath.Join(dir, "cluster.yaml"), strings.Replace(guarded, "failurePolicy: Fail", "failurePolicy: Ignore", 1))
	found(t, s, none)
	api = s.client.ExtantV1alpha1()
	if _, err := api.ExtensionPolicies().Get(t.Context(), "strict", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a policy that was deleted is there again: %v", err)
	}
	baseline, err := api.ExtensionPolicies().Get(t.Context(), "baseline", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range baseline.Spec.Rules {
		if r.Name == "slow-timeout" && r.Severity != "Info" {
			t.Error("what an administrator edited is put back")
		}
	}
}

func TestAPolicyThatDoesNotCompileIsRefused(t *testing.T) {
	s := start(t, t.TempDir())
	_, err := s.client.ExtantV1alpha1().ExtensionPolicies().Create(t.Context(), &v1alpha1.ExtensionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "mine"},
		Spec:       v1alpha1.ExtensionPolicySpec{Rules: []v1alpha1.PolicyRule{{Name: "a", AppliesTo: "Hook", Assert: "hook.nme == ''", Severity: "Error"}}},
	}, metav1.CreateOptions{})
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.rules[0].assert: Invalid value: \"hook.nme == ''\": compilation failed: ERROR: <input>:1:5: undefined field 'nme'") {
		t.Errorf("got %v", err)
	}
}
