package printers

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// ExtensionPolicies are the columns of ExtensionPolicy.
var ExtensionPolicies = Columns[*extant.ExtensionPolicy]{
	Definitions: []metav1.TableColumnDefinition{
		nameColumn(),
		{Name: "Rules", Type: "integer", Description: "The number of rules."},
		{Name: "Violations", Type: "integer", Description: "The number of findings of the policy."},
		{Name: "Evaluated", Type: "string", Description: "Whether every rule could be evaluated: True, False or Unknown; Paused where none is."},
		ageColumn(),
		{Name: "Compiled", Type: "string", Priority: wide, Description: "Whether every rule compiles: True, False or Unknown."},
	},
	Row: func(p *extant.ExtensionPolicy, now time.Time) []any {
		evaluated := conditionStatus(p.Status.Conditions, extant.ConditionEvaluated)
		if p.Spec.Paused {
			evaluated = "Paused"
		}
		return []any{
			p.Name,
			int64(len(p.Spec.Rules)),
			int64(p.Status.Violations),
			evaluated,
			since(p.CreationTimestamp, now),
			conditionStatus(p.Status.Conditions, extant.ConditionCompiled),
		}
	},
}
