package validation

import (
	"regexp"

	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	nodePluginTypes = []extant.NodePluginType{extant.NodePluginCNI, extant.NodePluginCSI, extant.NodePluginFlexVolume, extant.NodePluginDevice,
		extant.NodePluginDynamicResource, extant.NodePluginCredentialProvider, extant.NodePluginRuntimeHandler, extant.NodePluginKubectl}
	nodePluginStates = []extant.NodePluginState{extant.NodePluginConfigured, extant.NodePluginRegistered, extant.NodePluginPresent, extant.NodePluginFailed}

	sha256Pattern = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

const maxPath = 4096

// ValidateNodePluginReport validates a new report.
func ValidateNodePluginReport(report *extant.NodePluginReport) field.ErrorList {
	errs := apimachineryvalidation.ValidateObjectMeta(&report.ObjectMeta, false, validateName, field.NewPath("metadata"))
	return append(errs, validateNodePluginReportSpec(&report.Spec, report.Name, field.NewPath("spec"))...)
}

// ValidateNodePluginReportUpdate validates a change.
func ValidateNodePluginReportUpdate(report, old *extant.NodePluginReport) field.ErrorList {
	errs := apimachineryvalidation.ValidateObjectMetaUpdate(&report.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	return append(errs, validateNodePluginReportSpec(&report.Spec, report.Name, field.NewPath("spec"))...)
}

func validateNodePluginReportSpec(spec *extant.NodePluginReportSpec, name string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch spec.NodeName {
	case "":
		errs = append(errs, field.Required(path.Child("nodeName"), "the name of the node, which is that of the report"))
	case name:
	default:
		errs = append(errs, field.Invalid(path.Child("nodeName"), spec.NodeName, "must be the name of the report"))
	}
	errs = append(errs, text(spec.KubeletVersion, extant.MaxNodePluginName, path.Child("kubeletVersion"))...)
	errs = append(errs, eachOf(spec.Plugins, extant.MaxNodePlugins, validateNodePlugin, path.Child("plugins"))...)
	return append(errs, uniqueBy(spec.Plugins, nodePluginKey, path.Child("plugins"))...)
}

// nodePluginKey is what tells a plugin of a node apart.
func nodePluginKey(plugin extant.NodePlugin) string {
	return string(plugin.Type) + " " + plugin.Name + " " + plugin.Path
}

func validateNodePlugin(plugin extant.NodePlugin, path *field.Path) field.ErrorList {
	errs := oneOf(plugin.Type, nodePluginTypes, path.Child("type"))
	errs = append(errs, required(plugin.Name, path.Child("name"))...)
	errs = append(errs, text(plugin.Name, extant.MaxNodePluginName, path.Child("name"))...)
	errs = append(errs, text(plugin.Version, extant.MaxNodePluginName, path.Child("version"))...)
	errs = append(errs, text(plugin.Path, maxPath, path.Child("path"))...)
	if plugin.SHA256 != "" && !sha256Pattern.MatchString(plugin.SHA256) {
		errs = append(errs, field.Invalid(path.Child("sha256"), plugin.SHA256, "must be 64 lower-case hexadecimal digits"))
	}
	return append(errs, oneOf(plugin.State, nodePluginStates, path.Child("state"))...)
}
