package printers

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Hops are the columns of RequestReview: a row for each hop.
var Hops = Columns[*extant.RequestReview]{
	Definitions: []metav1.TableColumnDefinition{
		{Name: "Stage", Type: "string", Description: "The stage of the request's handling."},
		{Name: "Configuration", Type: "string", Description: "The object that registers the hook; for a policy the name of the policy."},
		{Name: "Hook", Type: "string", Description: "The name of the hook in it; for a policy the name of the binding."},
		{Name: "Match", Type: "string", Description: "Whether the request is one that the hook is registered for."},
		{Name: "Outcome", Type: "string", Description: "What comes of the hop."},
		{Name: "Backend", Type: "string", Description: "The Backend that is called."},
		{Name: "Available", Type: "string", Description: "Whether the Backend can be called."},
		{Name: "Reason", Type: "string", Priority: wide, Description: "Why the hook matches or not."},
		{Name: "Failure Policy", Type: "string", Priority: wide, Description: "What the API server does when the hook cannot be called."},
		{Name: "Timeout", Type: "string", Priority: wide, Description: "How long the API server waits for the hook."},
		{Name: "Extension", Type: "string", Priority: wide, Description: "The Extension that the hook belongs to."},
		{Name: "Sent As", Type: "string", Priority: wide, Description: "What the hook receives."},
		{Name: "Message", Type: "string", Priority: wide, Description: "Why, for people."},
	},
	Rows: func(review *extant.RequestReview) [][]any {
		rows := make([][]any, len(review.Status.Hops))
		for i := range review.Status.Hops {
			rows[i] = hopCells(&review.Status.Hops[i])
		}
		return rows
	},
	Further: withoutObjects,
}

// RequestReviews are the columns of Hops with the verdict, which the first row
// shows.
var RequestReviews = Columns[*extant.RequestReview]{
	Definitions: slices.Insert(slices.Clone(Hops.Definitions), verdictColumn,
		metav1.TableColumnDefinition{Name: "Verdict", Type: "string", Description: "What comes of the request. Shown in the first row."}),
	Rows: func(review *extant.RequestReview) [][]any {
		rows := Hops.Rows(review)
		for i := range rows {
			verdict := ""
			if i == 0 {
				verdict = orUnknown(review.Status.Verdict)
			}
			rows[i] = slices.Insert(rows[i], verdictColumn, any(verdict))
		}
		return rows
	},
	Further: withoutObjects,
}

// withoutObjects is a review of which only the metadata and the verdict are
// left.
func withoutObjects(review *extant.RequestReview) *extant.RequestReview {
	return &extant.RequestReview{ObjectMeta: review.ObjectMeta, Status: extant.RequestReviewStatus{Verdict: review.Status.Verdict}}
}

// verdictColumn is the place of the verdict: behind what is always shown.
const verdictColumn = 7

func hopCells(hop *extant.Hop) []any {
	timeout := none
	if hop.Timeout != nil {
		timeout = hop.Timeout.Duration.String()
	}
	return []any{
		string(hop.Stage),
		orNone(hop.Configuration),
		orNone(hop.Hook),
		orUnknown(hop.Match),
		orNone(string(hop.Outcome)),
		orNone(hop.Backend),
		orNone(string(hop.BackendAvailable)),
		orNone(string(hop.Reason)),
		orNone(hop.FailurePolicy),
		timeout,
		orNone(hop.Extension),
		sentAs(hop.SentAs),
		orNone(oneLine(hop.Message)),
	}
}

// sentAs prints a resource as kubectl names it: resource.version.group.
func sentAs(sent *extant.SentResource) string {
	if sent == nil {
		return none
	}
	return strings.TrimSuffix(strings.Join([]string{sent.Resource, sent.Version, sent.Group}, "."), ".")
}
