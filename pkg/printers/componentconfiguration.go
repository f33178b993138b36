package printers

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// ComponentConfigurations are the columns of ComponentConfiguration.
var ComponentConfigurations = Columns[*extant.ComponentConfiguration]{
	Definitions: []metav1.TableColumnDefinition{
		nameColumn(),
		{Name: "Component", Type: "string", Description: "The component."},
		{Name: "Version", Type: "string", Description: "The version of the component."},
		{Name: "Source", Type: "string", Description: "Where the settings were seen."},
		{Name: "Changed", Type: "integer", Description: "The number of settings that differ from their defaults."},
		{Name: "Drift", Type: "integer", Description: "The number of instances of the component whose settings differ from these."},
	},
	Row: func(c *extant.ComponentConfiguration, _ time.Time) []any {
		version, source := c.Spec.Version, c.Spec.Source
		if version == "" {
			version = unknown
		}
		if source == "" {
			source = unknown
		}
		return []any{
			c.Name,
			c.Spec.Component,
			version,
			source,
			int64(len(c.Status.Changed)),
			int64(len(c.Status.DriftsFrom)),
		}
	},
}
