package finding

import (
	"fmt"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// digits is a list of ten.
const digits = `["0","1","2","3","4","5","6","7","8","9"]`

// nested is an assertion over so many nested lists of ten.
func nested(depth int, inner string) string {
	var outer strings.Builder
	for i := range depth {
		fmt.Fprintf(&outer, "%s.all(v%d, ", digits, i)
	}
	return outer.String() + inner + strings.Repeat(")", depth)
}

// TestAnExpensiveRuleIsStoppedAndTheOthersAreEvaluated: whoever may write
// policies must not be able to keep those of others from being evaluated.
func TestAnExpensiveRuleIsStoppedAndTheOthersAreEvaluated(t *testing.T) {
	hook := inventory.Hook{
		Point: "validating-admission-webhook", Resource: "validatingwebhookconfigurations", Object: "guard", Name: "pods.guard", FailurePolicy: "Fail",
		ValidatingConfiguration: &admissionregistrationv1.ValidatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: "guard"}, Webhooks: []admissionregistrationv1.ValidatingWebhook{{Name: "pods.guard"}},
		},
	}
	for _, test := range []struct{ name, assert, words string }{
		{"a comprehension that never ends", nested(9, `v0 + v8 != "x"`), "operation cancelled: actual cost limit exceeded"},
		{"strings that grow", `"` + strings.Repeat("x", 1000) + `".replace("x", "` + strings.Repeat("y", 1000) + `").replace("y", "` + strings.Repeat("z", 1000) + `") == ""`, "the string would be longer"},
		{"questions without number", nested(2, `[v0+v1+"0",v0+v1+"1",v0+v1+"2",v0+v1+"3",v0+v1+"4",v0+v1+"5",v0+v1+"6",v0+v1+"7",v0+v1+"8",v0+v1+"9",v0+v1+"a",v0+v1+"b"].all(n, !hook.intercepts("CREATE", "", "pods", n))`), "more than 1024 kinds of requests"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := NewEngine(requestpath.NewEngine())
			rule := func(name, assert string) extant.PolicyRule {
				return extant.PolicyRule{Name: name, AppliesTo: extant.PolicySubjectHook, Assert: assert, Severity: extant.FindingError}
			}
			policy := &extant.ExtensionPolicy{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: extant.ExtensionPolicySpec{Rules: []extant.PolicyRule{
				rule("a-expensive", test.assert), rule("b-plain", `hook.failurePolicy == "Ignore"`), rule("c-asking", `hook.intercepts("CREATE", "", "pods", "shop")`),
			}}}
			result, err := e.Evaluate(t.Context(), Input{
				Observed: requestpath.Observed{Snapshot: cluster.NewBuilder("live").Snapshot(), Inventory: &inventory.Inventory{Hooks: []inventory.Hook{hook}}, Time: noon},
				Policies: []*extant.ExtensionPolicy{policy},
			})
			if err != nil {
				t.Fatal(err)
			}
			failed := result.Policies["p"].Failed
			if len(failed) != 1 || failed[0].Rule != "a-expensive" || !strings.Contains(failed[0].Message, test.words) {
				t.Errorf("what fails is %+v", failed)
			}
			if len(result.Findings) != 2 || result.Findings[0].Spec.Rule == "a-expensive" {
				t.Errorf("found %+v", result.Findings)
			}
			if n := len(e.facts.answers); n > maxQuestions+1 {
				t.Errorf("%d answers are kept", n)
			}
		})
	}
}
