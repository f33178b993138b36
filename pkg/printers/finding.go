package printers

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Findings are the columns of Finding.
var Findings = Columns[*extant.Finding]{
	Definitions: []metav1.TableColumnDefinition{
		nameColumn(),
		{Name: "Severity", Type: "string", Description: "How bad it is: Error, Warning or Info."},
		{Name: "Extension", Type: "string", Description: "The extension that it is about."},
		{Name: "Rule", Type: "string", Description: "The rule that is broken."},
		{Name: "Subject", Type: "string", Description: "What breaks the rule."},
		{Name: "Message", Type: "string", Description: "What is wrong."},
		ageColumn(),
		{Name: "Accepted", Type: "boolean", Priority: wide, Description: "Whether the owner of the extension accepts it."},
	},
	Row: func(f *extant.Finding, now time.Time) []any {
		return []any{
			f.Name,
			string(f.Spec.Severity),
			orNone(f.Spec.Extension),
			f.Spec.Rule,
			subject(f.Spec.Subject),
			orNone(f.Spec.Message),
			since(f.CreationTimestamp, now),
			f.Spec.Accepted,
		}
	},
}

// subject prints what a finding is about as kubectl names objects, with the
// hook behind it.
func subject(s extant.FindingSubject) string {
	kind := s.Kind
	if kind == "" {
		kind = s.Resource
	}
	name := s.Name
	if s.Namespace != "" {
		name = s.Namespace + "/" + name
	}
	text := kind + "/" + name
	if s.Hook != "" {
		text += " " + s.Hook
	}
	return text
}
