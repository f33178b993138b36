package printers

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Extensions are the columns of Extension.
var Extensions = Columns[*extant.Extension]{
	Definitions: []metav1.TableColumnDefinition{
		nameColumn(),
		{Name: "Points", Type: "integer", Description: "The number of extension points that the extension occupies."},
		{Name: "Available", Type: "string", Description: "Whether its backends and workloads are up: True, False or Unknown."},
		{Name: "On Failure", Type: "string", Description: "The worst that happens when its backends are lost: Blocks, Skips, Degrades or None."},
		{Name: "Recovers", Type: "string", Description: "Whether the cluster gets it back without a human when all its backends are lost at once."},
		{Name: "Findings", Type: "string", Description: "The number of findings by severity: E for Error, W for Warning, I for Info."},
		ageColumn(),
		{Name: "Owner", Type: "string", Priority: wide, Description: "Who to call."},
		{Name: "Blocks", Type: "string", Priority: wide, Description: "What the API server refuses when all backends are lost."},
		{Name: "Backends", Type: "string", Priority: wide, Description: "The backends that its hooks call."},
	},
	Row: func(e *extant.Extension, now time.Time) []any {
		return []any{
			e.Name,
			int64(len(e.Status.Points)),
			conditionStatus(e.Status.Conditions, extant.ConditionAvailable),
			orUnknown(e.Status.FailureMode),
			orUnknown(e.Status.RecoversUnaided),
			findings(e.Status.Findings),
			since(e.CreationTimestamp, now),
			orNone(e.Spec.Owner),
			orNone(e.Status.Blocks),
			orNone(strings.Join(e.Status.Backends, ",")),
		}
	},
}

func conditionStatus(conditions []metav1.Condition, conditionType string) string {
	if condition := meta.FindStatusCondition(conditions, conditionType); condition != nil {
		return string(condition.Status)
	}
	return string(metav1.ConditionUnknown)
}

// findings prints the counts that are not zero, the worst first.
func findings(counts *extant.FindingCounts) string {
	if counts == nil {
		return unknown
	}
	var parts []string
	for _, severity := range []struct {
		count  int32
		letter string
	}{{counts.Error, "E"}, {counts.Warning, "W"}, {counts.Info, "I"}} {
		if severity.count > 0 {
			parts = append(parts, fmt.Sprintf("%d%s", severity.count, severity.letter))
		}
	}
	if len(parts) == 0 {
		return "0"
	}
	return strings.Join(parts, " ")
}
