package validation

import (
	"strings"

	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	patterns = []extant.Pattern{extant.PatternConfiguration, extant.PatternPolicyAPI, extant.PatternAPI,
		extant.PatternController, extant.PatternWebhook, extant.PatternBinaryPlugin}
	regions = []extant.Region{extant.RegionClient, extant.RegionAPIAccess, extant.RegionAPIResources,
		extant.RegionScheduling, extant.RegionControllers, extant.RegionNetwork, extant.RegionNode}
	onFailures = []extant.OnFailure{extant.OnFailureBlocks, extant.OnFailureSkips, extant.OnFailureDegrades,
		extant.OnFailureConfigurable}
	nodePlugins = []string{"CNI", "CSI", "FlexVolume", "Device", "DynamicResource", "CredentialProvider",
		"RuntimeHandler", "Kubectl"}
)

// maxExtensionNames is how many names a point's status lists.
const maxExtensionNames = 20

// ValidateExtensionPoint validates a new point.
func ValidateExtensionPoint(point *extant.ExtensionPoint) field.ErrorList {
	errs := apimachineryvalidation.ValidateObjectMeta(&point.ObjectMeta, false, validateName, field.NewPath("metadata"))
	return append(errs, validateExtensionPointSpec(&point.Spec, field.NewPath("spec"))...)
}

// ValidateExtensionPointUpdate validates a change of metadata and spec.
func ValidateExtensionPointUpdate(point, old *extant.ExtensionPoint) field.ErrorList {
	errs := apimachineryvalidation.ValidateObjectMetaUpdate(&point.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	return append(errs, validateExtensionPointSpec(&point.Spec, field.NewPath("spec"))...)
}

// ValidateExtensionPointStatusUpdate validates a change of status.
func ValidateExtensionPointStatusUpdate(point, old *extant.ExtensionPoint) field.ErrorList {
	path := field.NewPath("status")
	errs := apimachineryvalidation.ValidateObjectMetaUpdate(&point.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	errs = append(errs, optionalOneOf(point.Status.Supported, conditionStatuses, path.Child("supported"))...)
	errs = append(errs, apimachineryvalidation.ValidateNonnegativeField(int64(point.Status.Extensions), path.Child("extensions"))...)
	errs = append(errs, apimachineryvalidation.ValidateNonnegativeField(int64(point.Status.Hooks), path.Child("hooks"))...)
	return append(errs, atMost(point.Status.ExtensionNames, maxExtensionNames, path.Child("extensionNames"))...)
}

func validateExtensionPointSpec(spec *extant.ExtensionPointSpec, path *field.Path) field.ErrorList {
	errs := oneOf(spec.Pattern, patterns, path.Child("pattern"))
	errs = append(errs, oneOf(spec.Region, regions, path.Child("region"))...)
	errs = append(errs, validateCaller(spec.Caller, path.Child("caller"))...)
	errs = append(errs, text(spec.Summary, 256, path.Child("summary"))...)
	errs = append(errs, sentences(spec.UseWhen, path.Child("useWhen"))...)
	errs = append(errs, sentences(spec.TradeOffs, path.Child("tradeOffs"))...)
	errs = append(errs, sentences(spec.Limits, path.Child("limits"))...)
	errs = append(errs, atMost(spec.RegisteredBy, 16, path.Child("registeredBy"))...)
	for i, registration := range spec.RegisteredBy {
		errs = append(errs, validateRegistration(registration, path.Child("registeredBy").Index(i))...)
	}
	errs = append(errs, uniqueBy(spec.RegisteredBy, func(r extant.Registration) extant.Registration { return r }, path.Child("registeredBy"))...)
	errs = append(errs, oneOf(spec.OnFailure, onFailures, path.Child("onFailure"))...)
	errs = append(errs, validateAvailability(spec.Availability, path.Child("availability"))...)
	return append(errs, webURL(spec.Documentation, path.Child("documentation"))...)
}

func validateCaller(caller string, path *field.Path) field.ErrorList {
	if caller == "" {
		return field.ErrorList{field.Required(path, "the component that calls or reads the extension, such as kube-apiserver")}
	}
	var errs field.ErrorList
	for _, message := range validation.IsDNS1123Label(caller) {
		errs = append(errs, field.Invalid(path, caller, message))
	}
	return errs
}

// validateRegistration requires exactly one of the forms that a registration
// can have.
func validateRegistration(r extant.Registration, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	setting := r.Component != "" || r.Flag != "" || r.ConfigField != ""
	object := r.Resource != "" || r.Group != ""
	forms := 0
	for _, present := range []bool{object, setting, r.NamespaceLabel != "", r.NodePlugin != ""} {
		if present {
			forms++
		}
	}
	if forms != 1 {
		return field.ErrorList{field.Invalid(path, field.OmitValueType{}, "must have exactly one form: group and resource, component and flag, component and configField, namespaceLabel, or nodePlugin")}
	}
	switch {
	case object:
		errs = append(errs, groupName(r.Group, path.Child("group"))...)
		errs = append(errs, validateObservable(r.Group, r.Resource, path.Child("resource"))...)
	case setting:
		errs = append(errs, validateSetting(r, path)...)
	case r.NamespaceLabel != "":
		errs = append(errs, metav1validation.ValidateLabelName(r.NamespaceLabel, path.Child("namespaceLabel"))...)
	default:
		errs = append(errs, oneOf(r.NodePlugin, nodePlugins, path.Child("nodePlugin"))...)
	}
	return errs
}

// validateObservable refuses what Extant must not be made to watch: secrets are
// secret even by their metadata, events are a flood, and everything at once is
// both.
func validateObservable(group, resource string, path *field.Path) field.ErrorList {
	switch {
	case resource == "*":
		return field.ErrorList{field.Forbidden(path, "every resource cannot be observed: name one")}
	case strings.Contains(resource, "/"):
		return field.ErrorList{field.Forbidden(path, "subresources cannot be observed")}
	case group == "" && resource == "secrets":
		return field.ErrorList{field.Forbidden(path, "secrets are not observed")}
	case resource == "events" && (group == "" || group == "events.k8s.io"):
		return field.ErrorList{field.Forbidden(path, "events are not observed")}
	}
	return resourceName(resource, path)
}

func validateSetting(r extant.Registration, path *field.Path) field.ErrorList {
	errs := validateCaller(r.Component, path.Child("component"))
	switch {
	case (r.Flag == "") == (r.ConfigField == ""):
		errs = append(errs, field.Invalid(path, field.OmitValueType{}, "must have either flag or configField beside component"))
	case r.Flag != "" && (!strings.HasPrefix(r.Flag, "-") || strings.ContainsAny(r.Flag, " =")):
		errs = append(errs, field.Invalid(path.Child("flag"), r.Flag, "must be a flag with its leading dashes and without a value"))
	}
	errs = append(errs, text(r.Flag, 128, path.Child("flag"))...)
	return append(errs, text(r.ConfigField, 256, path.Child("configField"))...)
}

func validateAvailability(a extant.Availability, path *field.Path) field.ErrorList {
	errs := minorVersion(a.Since, path.Child("since"))
	errs = append(errs, minorVersion(a.DeprecatedIn, path.Child("deprecatedIn"))...)
	errs = append(errs, minorVersion(a.RemovedIn, path.Child("removedIn"))...)
	return append(errs, text(a.ReplacedBy, 256, path.Child("replacedBy"))...)
}

func minorVersion(value string, path *field.Path) field.ErrorList {
	if value == "" {
		return nil
	}
	if v, err := version.ParseMajorMinor(value); err != nil || v.String() != value {
		return field.ErrorList{field.Invalid(path, value, `must be a minor version such as "1.30"`)}
	}
	return nil
}

// WarningsForExtensionPoint warns of what is accepted but unwise.
func WarningsForExtensionPoint(point *extant.ExtensionPoint) []string {
	var warnings []string
	if len(point.Spec.RegisteredBy) == 0 && point.Labels[extant.LabelOrigin] != extant.OriginBuiltin {
		warnings = append(warnings, "spec.registeredBy: is empty, so that nothing will ever be found at this point")
	}
	if point.Spec.Summary == "" {
		warnings = append(warnings, "spec.summary: is empty, so that nobody learns what the point is for")
	}
	return warnings
}
