package plugins

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// identity is what tells whether two entries are about one plugin: an agent
// knows its path, and the API does not.
type identity struct {
	kind v1alpha1.NodePluginType
	name string
}

func identityOf(plugin *v1alpha1.NodePlugin) identity { return identity{plugin.Type, plugin.Name} }

func comparePlugins(x, y v1alpha1.NodePlugin) int {
	return cmp.Or(strings.Compare(string(x.Type), string(y.Type)), strings.Compare(x.Name, y.Name))
}

// ownership is who wrote what of a report.
type ownership struct {
	// others is the plugins that somebody else reports, in otherEntries entries.
	others       sets.Set[identity]
	otherEntries int
	// version tells whether somebody else reports the kubelet's version.
	version bool
	// ours is what Extant applied from the API, as it is now.
	ours ours
}

// ours is what Extant applies to a report.
type ours struct {
	version string
	plugins []v1alpha1.NodePlugin
}

var (
	specField    = fieldpath.PathElement{FieldName: new("spec")}
	pluginsField = fieldpath.PathElement{FieldName: new("plugins")}
	versionField = fieldpath.PathElement{FieldName: new("kubeletVersion")}
)

// ownershipOf reads the managed fields of a report.
func ownershipOf(report *v1alpha1.NodePluginReport) (ownership, error) {
	o := ownership{others: sets.New[identity]()}
	applied := sets.New[identity]()
	for _, entry := range report.ManagedFields {
		if entry.FieldsV1 == nil {
			continue
		}
		fields := &fieldpath.Set{}
		if err := fields.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err != nil {
			return o, fmt.Errorf("could not read the managed fields of report %s: %w", report.Name, err)
		}
		spec := fields.WithPrefix(specField)
		plugins := pluginsIn(spec.WithPrefix(pluginsField))
		if entry.Manager == FieldManager {
			applied = applied.Union(plugins)
			if spec.Members.Has(versionField) {
				o.ours.version = report.Spec.KubeletVersion
			}
			continue
		}
		o.others = o.others.Union(plugins)
		o.version = o.version || spec.Members.Has(versionField)
	}
	for i := range report.Spec.Plugins {
		plugin := &report.Spec.Plugins[i]
		if applied.Has(identityOf(plugin)) && plugin.Path == "" {
			o.ours.plugins = append(o.ours.plugins, *plugin)
		} else {
			o.otherEntries++
		}
	}
	return o, nil
}

// pluginsIn returns the plugins that a set of fields of the list is about.
func pluginsIn(list *fieldpath.Set) sets.Set[identity] {
	plugins := sets.New[identity]()
	add := func(element fieldpath.PathElement) {
		if element.Key == nil {
			return
		}
		var plugin identity
		for _, field := range *element.Key {
			switch text, _ := field.Value.Unstructured().(string); field.Name {
			case "type":
				plugin.kind = v1alpha1.NodePluginType(text)
			case "name":
				plugin.name = text
			}
		}
		plugins.Insert(plugin)
	}
	list.Members.Iterate(add)
	list.Children.Iterate(add)
	return plugins
}

// agentManager is the field manager of Extant's agent on a node.
const agentManager = "extant-node-agent"

// mayBeNew tells whether an agent has reported so recently that its node may be
// one that is not observed yet.
func (c *Controller) mayBeNew(report *v1alpha1.NodePluginReport) bool {
	return report.Spec.ReportTime != nil && c.clock.Since(report.Spec.ReportTime.Time) < newNode
}

// extants tells whether nobody but Extant has written into a report: its agent
// is gone with its node, and may delete nothing.
func extants(report *v1alpha1.NodePluginReport) bool {
	for _, entry := range report.ManagedFields {
		if entry.Manager != FieldManager && entry.Manager != agentManager {
			return false
		}
	}
	return len(report.ManagedFields) > 0
}
