package plugins

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/extant-project/extant/internal/plugins"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	fields "github.com/extant-project/extant/pkg/generated/applyconfiguration/extant/v1alpha1"
)

// wanted is what is to be applied for a node, and whether it differs from what
// is: all that is known but the plugins that somebody else reports. What became
// hidden stays as it was.
func (c *Controller) wanted(known *plugins.Report, stored *v1alpha1.NodePluginReport) (_ *fields.NodePluginReportApplyConfiguration, differs bool, _ error) {
	owned := ownership{}
	if stored != nil {
		var err error
		if owned, err = ownershipOf(stored); err != nil {
			return nil, false, err
		}
	}
	want := ours{version: known.KubeletVersion}
	if owned.version {
		want.version = ""
	}
	for i := range known.Plugins {
		plugin := v1alpha1.NodePlugin{}
		if err := v1alpha1.Convert_extant_NodePlugin_To_v1alpha1_NodePlugin(&known.Plugins[i], &plugin, nil); err != nil {
			return nil, false, err
		}
		if !owned.others.Has(identityOf(&plugin)) {
			want.plugins = append(want.plugins, plugin)
		}
	}
	for _, before := range owned.ours.plugins {
		same := func(plugin v1alpha1.NodePlugin) bool { return identityOf(&plugin) == identityOf(&before) }
		if slices.Contains(c.known.Hidden, extant.NodePluginType(before.Type)) && !owned.others.Has(identityOf(&before)) && !slices.ContainsFunc(want.plugins, same) {
			want.plugins = append(want.plugins, before)
		}
	}
	slices.SortFunc(want.plugins, comparePlugins)
	want.plugins = want.plugins[:min(len(want.plugins), max(0, extant.MaxNodePlugins-owned.otherEntries))]
	spec := fields.NodePluginReportSpec().WithNodeName(known.Node)
	if want.version != "" {
		spec.WithKubeletVersion(want.version)
	}
	for _, plugin := range want.plugins {
		spec.WithPlugins(fields.NodePlugin().WithType(plugin.Type).WithName(plugin.Name).WithState(plugin.State))
	}
	differs = stored == nil || want.version != owned.ours.version || !slices.Equal(want.plugins, owned.ours.plugins)
	return fields.NodePluginReport(known.Node).WithSpec(spec), differs, nil
}

// apply writes without force: where somebody else has written the same entry
// meanwhile, theirs stands, and the informer brings the news.
func (c *Controller) apply(ctx context.Context, wanted *fields.NodePluginReportApplyConfiguration, first bool) error {
	_, err := c.client.NodePluginReports().Apply(ctx, wanted, metav1.ApplyOptions{FieldManager: FieldManager})
	if apierrors.IsConflict(err) {
		return nil
	}
	if err == nil && first {
		klog.FromContext(ctx).V(2).Info("Reported what the API knows of a node's plugins", "node", klog.KRef("", *wanted.Name))
	}
	return err
}

// delete deletes a report that nobody wrote into since it was looked at.
func (c *Controller) delete(ctx context.Context, gone *v1alpha1.NodePluginReport) error {
	err := c.client.NodePluginReports().Delete(ctx, gone.Name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &gone.UID, ResourceVersion: &gone.ResourceVersion},
	})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
