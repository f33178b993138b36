package printers

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// ExtensionPoints are the columns of ExtensionPoint.
var ExtensionPoints = Columns[*extant.ExtensionPoint]{
	Definitions: []metav1.TableColumnDefinition{
		nameColumn(),
		{Name: "Pattern", Type: "string", Description: "How an extension takes part at the point."},
		{Name: "Caller", Type: "string", Description: "The component that calls or reads the extension."},
		{Name: "On Failure", Type: "string", Description: "What the caller does when the extension is absent."},
		{Name: "Extensions", Type: "integer", Description: "The number of extensions that occupy the point."},
		{Name: "Hooks", Type: "integer", Description: "The number of hooks or objects registered at the point."},
		{Name: "Region", Type: "string", Priority: wide, Description: "The region of the extension-point map."},
		{Name: "Since", Type: "string", Priority: wide, Description: "The first Kubernetes version with the point."},
		{Name: "Summary", Type: "string", Priority: wide, Description: "What the point is."},
	},
	Row: func(p *extant.ExtensionPoint, _ time.Time) []any {
		return []any{
			p.Name,
			string(p.Spec.Pattern),
			p.Spec.Caller,
			string(p.Spec.OnFailure),
			int64(p.Status.Extensions),
			int64(p.Status.Hooks),
			string(p.Spec.Region),
			orNone(p.Spec.Availability.Since),
			orNone(p.Spec.Summary),
		}
	},
}
