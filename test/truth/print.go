package truth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// SideBySide prints what happened, the review, and where they disagree, for
// whoever looks into it.
func SideBySide(answer *Answer, status *extant.RequestReviewStatus) string {
	var b strings.Builder
	fmt.Fprintf(&b, "recorded: %s %s %d %s\n", answer.Verdict, answer.Cause, answer.Code, answer.Message)
	for _, call := range slices.Concat(answer.Mutating, answer.Validating) {
		fmt.Fprintf(&b, "  %s %s", call.Configuration, call.Hook)
		if call.SentAs != nil {
			fmt.Fprintf(&b, " as %s/%s %s", call.SentAs.Group, call.SentAs.Version, call.SentAs.Resource)
		}
		fmt.Fprintf(&b, " failed=%q round=%d repeat=%t\n", call.Failed, call.Round, call.Repeat)
	}
	fmt.Fprintf(&b, "  policies: %+v\n", answer.Policies)
	fmt.Fprintf(&b, "reviewed: %s %s\n", status.Verdict, status.Message)
	for i := range status.Hops {
		hop := &status.Hops[i]
		fmt.Fprintf(&b, "  %s %s %s: %s %s, %s", hop.Stage, hop.Configuration, hop.Hook, hop.Match, hop.Reason, hop.Outcome)
		if hop.SentAs != nil {
			fmt.Fprintf(&b, " as %s/%s %s", hop.SentAs.Group, hop.SentAs.Version, hop.SentAs.Resource)
		}
		fmt.Fprintf(&b, " %s %s\n", hop.Message, hop.Patch)
	}
	fmt.Fprintf(&b, "  blockedBy: %v\n", status.BlockedBy)
	for _, problem := range answer.Compare(status).Disagreements {
		fmt.Fprintf(&b, "DISAGREES: %s\n", problem)
	}
	return b.String()
}
