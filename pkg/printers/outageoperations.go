package printers

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Intercepted are the columns of what an OutageReview says of operations: first
// those that are refused, then those that go through late or without a hook.
var Intercepted = Columns[*extant.OutageReview]{
	Definitions: []metav1.TableColumnDefinition{
		{Name: "Operations", Type: "string", Description: "What requests do."},
		{Name: "Resource", Type: "string", Description: "The resource as resource.group; * means all."},
		{Name: "Namespaces", Type: "string", Description: "In how many namespaces."},
		{Name: "Objects", Type: "string", Description: "All, or only some of them, by their labels or by conditions."},
		{Name: "Effect", Type: "string", Description: "Refused, Skipped (it goes through without the hook) or by how much it is late."},
		{Name: "By", Type: "string", Description: "The objects that register the hooks."},
		{Name: "Versions", Type: "string", Priority: wide, Description: "The version of the API group."},
		{Name: "Hooks", Type: "string", Priority: wide, Description: "The hooks, with the Backends that they call."},
		{Name: "Names", Type: "string", Priority: wide, Description: "The names of the namespaces."},
	},
	Rows: func(review *extant.OutageReview) [][]any {
		var rows [][]any
		for i := range review.Status.Blocked {
			rows = addOperation(rows, operationCells(&review.Status.Blocked[i], "Refused"))
		}
		for i := range review.Status.Degraded {
			degraded := &review.Status.Degraded[i]
			effect := string(degraded.Effect)
			if degraded.Delay != nil {
				effect += " " + degraded.Delay.Duration.String()
			}
			rows = addOperation(rows, operationCells(&degraded.InterceptedOperation, effect))
		}
		return rows
	},
	Further: withoutAnswer,
}

// addOperation adds a row, or its operation to the row that says the same of
// others.
func addOperation(rows [][]any, cells []any) [][]any {
	for _, row := range rows {
		if slices.Equal(row[1:], cells[1:]) {
			row[0] = fmt.Sprintf("%s,%s", row[0], cells[0])
			return rows
		}
	}
	return append(rows, cells)
}

func operationCells(operation *extant.InterceptedOperation, effect string) []any {
	objects, version := "all", operation.Version
	if operation.Conditional {
		objects = "some"
	}
	if version == "" {
		version = "all"
	}
	namespaces, names := none, none
	if set := operation.Namespaces; set != nil {
		namespaces, names = fmt.Sprint(set.Count), orNone(strings.Join(set.Names, ", "))
		if set.All {
			namespaces = "all"
		}
	}
	return []any{
		string(operation.Operation),
		resourceName(operation.Resource, operation.Subresource, operation.Group),
		namespaces,
		objects,
		effect,
		orNone(configurations(operation.By)),
		version,
		orNone(hooks(operation.By)),
		names,
	}
}

// Impaired are the columns of the vital operations that are not Allowed.
var Impaired = Columns[*extant.OutageReview]{
	Definitions: []metav1.TableColumnDefinition{
		{Name: "Operation", Type: "string", Description: "An operation that keeps a cluster alive."},
		{Name: "Verdict", Type: "string", Description: "Blocked, Delayed or Unknown."},
		{Name: "By", Type: "string", Description: "The objects that register the hooks."},
		{Name: "Hooks", Type: "string", Priority: wide, Description: "The hooks, with the Backends that they call."},
		{Name: "Message", Type: "string", Priority: wide, Description: "Why, for people."},
	},
	Rows: func(review *extant.OutageReview) [][]any {
		var rows [][]any
		for _, vital := range review.Status.Vital {
			if vital.Verdict != extant.VitalAllowed {
				rows = append(rows, []any{vital.Name, orUnknown(vital.Verdict), orNone(configurations(vital.By)), orNone(hooks(vital.By)), orNone(oneLine(vital.Message))})
			}
		}
		return rows
	},
	Further: withoutAnswer,
}

// Consequences are the columns of what the cluster's own controllers cannot do.
var Consequences = Columns[*extant.OutageReview]{
	Definitions: []metav1.TableColumnDefinition{
		{Name: "Effect", Type: "string", Description: "What stops."},
		{Name: "Scope", Type: "string", Description: "What it is limited to: an API group, a resource, a namespace, or the whole cluster."},
		{Name: "When", Type: "string", Description: "At once, or when the controller manager starts again."},
		{Name: "By", Type: "string", Description: "The objects that register the hooks."},
		{Name: "Because", Type: "string", Description: "Why, for people."},
	},
	Rows: func(review *extant.OutageReview) [][]any {
		rows := make([][]any, len(review.Status.Collateral))
		for i, collateral := range review.Status.Collateral {
			scope, when := collateral.Scope, "at once"
			if scope == "" {
				scope = "cluster"
			}
			if collateral.Latent {
				when = "at a restart"
			}
			rows[i] = []any{string(collateral.Effect), scope, when, orNone(configurations(collateral.By)), orNone(oneLine(collateral.Because))}
		}
		return rows
	},
	Further: withoutAnswer,
}
