package printers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant"
)

func TestTheHopsOfAReviewAreItsRows(t *testing.T) {
	review := &extant.RequestReview{
		ObjectMeta: metav1.ObjectMeta{Name: "mine"},
		Spec:       extant.RequestReviewSpec{Request: extant.ReviewedRequest{Object: runtime.RawExtension{Raw: []byte("{}")}}},
		Status: extant.RequestReviewStatus{Verdict: extant.VerdictBlocked, Hops: []extant.Hop{
			{Stage: extant.StageAuthorization, Match: extant.Matched, Outcome: extant.OutcomeAllows, Reason: extant.ReasonAuthorizer},
			{Stage: extant.StageValidatingWebhook, Configuration: "guard", Hook: "pods.guard", Match: extant.Matched, Outcome: extant.OutcomeBlocks,
				Backend: "guard.guards.443", BackendAvailable: metav1.ConditionFalse, FailurePolicy: "Fail", Reason: extant.ReasonRuleMatched,
				Timeout: &metav1.Duration{Duration: 5 * time.Second}, SentAs: &extant.SentResource{Group: "apps", Version: "v1", Resource: "deployments"},
				Message: "it is\ndown"},
		}},
	}
	table, err := RequestReviews.ConvertToTable(t.Context(), review, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, column := range table.ColumnDefinitions {
		got = append(got, strings.ToUpper(column.Name))
	}
	lines := []string{strings.Join(got, "|")}
	for _, row := range table.Rows {
		lines = append(lines, strings.ReplaceAll(strings.Trim(fmt.Sprintf("%q", row.Cells), "[]"), `" "`, "|"))
	}
	want := []string{
		"STAGE|CONFIGURATION|HOOK|MATCH|OUTCOME|BACKEND|AVAILABLE|VERDICT|REASON|FAILURE POLICY|TIMEOUT|EXTENSION|SENT AS|MESSAGE",
		`"Authorization|<none>|<none>|Matched|Allows|<none>|<none>|Blocked|Authorizer|<none>|<none>|<none>|<none>|<none>"`,
		`"ValidatingWebhook|guard|pods.guard|Matched|Blocks|guard.guards.443|False||RuleMatched|Fail|5s|<none>|deployments.v1.apps|it is down"`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if table.Rows[0].Object.Object != runtime.Object(review) {
		t.Error("the first row has another object")
	}
	if second := table.Rows[1].Object.Object.(*extant.RequestReview); second.Name != "mine" || second.Spec.Request.Object.Raw != nil || second.Status.Hops != nil {
		t.Errorf("the second row repeats the review: %v", second)
	}
}
