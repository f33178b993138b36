package printers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// NodePluginReports are the columns of NodePluginReport.
var NodePluginReports = Columns[*extant.NodePluginReport]{
	Definitions: []metav1.TableColumnDefinition{
		nameColumn(),
		{Name: "CNI", Type: "string", Description: "The network plugins."},
		{Name: "CSI", Type: "string", Description: "The storage drivers."},
		{Name: "Device", Type: "string", Description: "The device plugins and the drivers of dynamic resource allocation."},
		{Name: "FlexVolume", Type: "string", Description: "The FlexVolume drivers."},
		{Name: "Runtimes", Type: "string", Description: "The handlers of the container runtime."},
		{Name: "Reported", Type: "string", Description: "How long ago the node was last looked at."},
		ageColumn(),
	},
	Row: func(r *extant.NodePluginReport, now time.Time) []any {
		reported := unknown
		if r.Spec.ReportTime != nil {
			reported = since(*r.Spec.ReportTime, now)
		}
		return []any{
			r.Name,
			plugins(r, extant.NodePluginCNI),
			plugins(r, extant.NodePluginCSI),
			plugins(r, extant.NodePluginDevice, extant.NodePluginDynamicResource),
			plugins(r, extant.NodePluginFlexVolume),
			plugins(r, extant.NodePluginRuntimeHandler),
			reported,
			since(r.CreationTimestamp, now),
		}
	},
}

// plugins prints the names of a node's plugins of some types: the first three,
// and how many more.
func plugins(report *extant.NodePluginReport, types ...extant.NodePluginType) string {
	const shown = 3
	var names []string
	for _, plugin := range report.Spec.Plugins {
		if slices.Contains(types, plugin.Type) {
			names = append(names, plugin.Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	switch {
	case len(names) == 0:
		return none
	case len(names) > shown:
		return fmt.Sprintf("%s + %d more", strings.Join(names[:shown], ","), len(names)-shown)
	}
	return strings.Join(names, ",")
}
