package validation

import (
	"fmt"
	"strings"
	"time"

	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	probeModes   = []extant.ProbeMode{extant.ProbeModeTLS, extant.ProbeModeTCP, extant.ProbeModeNone}
	failureModes = []extant.FailureMode{extant.FailureModeBlocks, extant.FailureModeSkips, extant.FailureModeDegrades, extant.FailureModeNone}
	operations   = []string{"CREATE", "UPDATE", "DELETE", "CONNECT", "GET", "LIST", "WATCH"}
	capabilities = []string{"PodNetwork", "ServiceNetwork", "ClusterDNS", "Scheduling"}
	// capabilityKinds are followed by the name of a driver or handler.
	capabilityKinds = []string{"Storage/", "Runtime/"}
)

const (
	maxComponents = 256
	maxItems      = 64
	// maxOwnerBytes is in bytes, not characters: the owner goes into metric
	// labels and pager messages.
	maxOwnerBytes = 256
)

// ValidateExtension validates a new extension.
func ValidateExtension(extension *extant.Extension) field.ErrorList {
	errs := apimachineryvalidation.ValidateObjectMeta(&extension.ObjectMeta, false, validateName, field.NewPath("metadata"))
	return append(errs, validateExtensionSpec(&extension.Spec, field.NewPath("spec"))...)
}

// ValidateExtensionUpdate validates a change of metadata and spec.
func ValidateExtensionUpdate(extension, old *extant.Extension) field.ErrorList {
	errs := apimachineryvalidation.ValidateObjectMetaUpdate(&extension.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	return append(errs, validateExtensionSpec(&extension.Spec, field.NewPath("spec"))...)
}

// ValidateExtensionStatusUpdate validates a change of status.
func ValidateExtensionStatusUpdate(extension, old *extant.Extension) field.ErrorList {
	path := field.NewPath("status")
	status := &extension.Status
	errs := apimachineryvalidation.ValidateObjectMetaUpdate(&extension.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	for i, point := range status.Points {
		errs = append(errs, oneOf(point.Pattern, patterns, path.Child("points").Index(i).Child("pattern"))...)
	}
	errs = append(errs, uniqueBy(status.Points, func(p extant.OccupiedPoint) string { return p.Name }, path.Child("points"))...)
	errs = append(errs, uniqueBy(status.Components, func(c extant.ComponentStatus) extant.ObjectReference {
		return extant.ObjectReference{Group: c.Group, Resource: c.Resource, Namespace: c.Namespace, Name: c.Name}
	}, path.Child("components"))...)
	errs = append(errs, uniqueBy(status.Provides, itself, path.Child("provides"))...)
	errs = append(errs, uniqueBy(status.Backends, itself, path.Child("backends"))...)
	errs = append(errs, optionalOneOf(status.FailureMode, failureModes, path.Child("failureMode"))...)
	errs = append(errs, optionalOneOf(status.RecoversUnaided, conditionStatuses, path.Child("recoversUnaided"))...)
	return append(errs, metav1validation.ValidateConditions(status.Conditions, path.Child("conditions"))...)
}

func itself(s string) string { return s }

func validateExtensionSpec(spec *extant.ExtensionSpec, path *field.Path) field.ErrorList {
	errs := text(spec.DisplayName, 256, path.Child("displayName"))
	errs = append(errs, text(spec.Description, 1024, path.Child("description"))...)
	if len(spec.Owner) > maxOwnerBytes {
		errs = append(errs, field.TooLong(path.Child("owner"), spec.Owner, maxOwnerBytes))
	}
	errs = append(errs, webURL(spec.Documentation, path.Child("documentation"))...)
	errs = append(errs, validateComponents(spec.Components, path.Child("components"))...)
	errs = append(errs, validateComponentSelector(spec.ComponentSelector, path.Child("componentSelector"))...)
	errs = append(errs, eachOf(spec.Needs, maxItems, validateNeed, path.Child("needs"))...)
	errs = append(errs, validateProvides(spec.Provides, path.Child("provides"))...)
	errs = append(errs, validateAcceptedRisks(spec.AcceptedRisks, path.Child("acceptedRisks"))...)
	return append(errs, validateProbe(spec.Probe, path.Child("probe"))...)
}

func validateComponents(components []extant.ObjectReference, path *field.Path) field.ErrorList {
	errs := eachOf(components, maxComponents, objectReference, path)
	return append(errs, uniqueBy(components, func(r extant.ObjectReference) extant.ObjectReference { return r }, path)...)
}

func validateComponentSelector(selector *metav1.LabelSelector, path *field.Path) field.ErrorList {
	if selector == nil {
		return nil
	}
	if len(selector.MatchLabels) == 0 && len(selector.MatchExpressions) == 0 {
		return field.ErrorList{field.Required(path, "an empty selector would match every object of the cluster: give matchLabels or matchExpressions")}
	}
	return metav1validation.ValidateLabelSelector(selector, metav1validation.LabelSelectorValidationOptions{}, path)
}

func validateNeed(need extant.Need, path *field.Path) field.ErrorList {
	errs := objectReference(need.Workload, path.Child("workload"))
	if len(need.Backends) == 0 && len(need.Operations) == 0 {
		errs = append(errs, field.Required(path, "backends or operations"))
	}
	errs = append(errs, eachOf(need.Backends, maxItems, subdomain, path.Child("backends"))...)
	return append(errs, eachOf(need.Operations, maxItems, validateOperation, path.Child("operations"))...)
}

func validateOperation(operation extant.Operation, path *field.Path) field.ErrorList {
	errs := oneOf(operation.Operation, operations, path.Child("operation"))
	errs = append(errs, groupName(operation.Group, path.Child("group"))...)
	if operation.Version != "" {
		errs = append(errs, segment(operation.Version, "", path.Child("version"))...)
	}
	errs = append(errs, resourceName(operation.Resource, path.Child("resource"))...)
	errs = append(errs, subresourceName(operation.Subresource, path.Child("subresource"))...)
	return append(errs, namespaceName(operation.Namespace, path.Child("namespace"))...)
}

func validateProvides(provides []string, path *field.Path) field.ErrorList {
	errs := eachOf(provides, maxItems, validateCapability, path)
	return append(errs, uniqueBy(provides, itself, path)...)
}

func validateCapability(capability string, path *field.Path) field.ErrorList {
	if isCapability(capability) {
		return nil
	}
	return oneOf(capability, append(capabilities[:len(capabilities):len(capabilities)], "Storage/<driver>", "Runtime/<handler>"), path)
}

func isCapability(capability string) bool {
	for _, kind := range capabilityKinds {
		if name, ok := strings.CutPrefix(capability, kind); ok {
			return len(validateName(name, false)) == 0
		}
	}
	for _, known := range capabilities {
		if capability == known {
			return true
		}
	}
	return false
}

func validateAcceptedRisks(risks []extant.AcceptedRisk, path *field.Path) field.ErrorList {
	errs := atMost(risks, maxItems, path)
	for i, risk := range risks {
		at := path.Index(i)
		if risk.Policy == "" {
			errs = append(errs, field.Required(at.Child("policy"), "the name of an ExtensionPolicy"))
		}
		if risk.Rule == "" {
			errs = append(errs, field.Required(at.Child("rule"), "the name of a rule"))
		}
		if strings.TrimSpace(risk.Reason) == "" {
			errs = append(errs, field.Required(at.Child("reason"), "why the risk is accepted"))
		}
		errs = append(errs, text(risk.Reason, 1024, at.Child("reason"))...)
	}
	return append(errs, uniqueBy(risks, func(r extant.AcceptedRisk) string { return r.Policy + "/" + r.Rule }, path)...)
}

func validateProbe(probe *extant.Probe, path *field.Path) field.ErrorList {
	if probe == nil {
		return nil
	}
	errs := oneOf(probe.Mode, probeModes, path.Child("mode"))
	errs = append(errs, between(probe.IntervalSeconds, 5, 3600, path.Child("intervalSeconds"))...)
	errs = append(errs, between(probe.TimeoutSeconds, 1, 30, path.Child("timeoutSeconds"))...)
	if probe.TimeoutSeconds > probe.IntervalSeconds {
		errs = append(errs, field.Invalid(path.Child("timeoutSeconds"), probe.TimeoutSeconds, "must not be longer than intervalSeconds"))
	}
	return errs
}

func between(value, least, most int32, path *field.Path) field.ErrorList {
	if value < least || value > most {
		return field.ErrorList{field.Invalid(path, value, fmt.Sprintf("must be between %d and %d", least, most))}
	}
	return nil
}

// WarningsForExtension warns of what is accepted but unwise at that time.
func WarningsForExtension(extension *extant.Extension, now time.Time) []string {
	var warnings []string
	for i, risk := range extension.Spec.AcceptedRisks {
		switch at := fmt.Sprintf("spec.acceptedRisks[%d]", i); {
		case risk.Until == nil:
			warnings = append(warnings, at+".until: is absent, so that the risk is accepted for ever")
		case risk.Until.Time.Before(now):
			warnings = append(warnings, at+".until: is in the past, so that the risk is not accepted")
		}
	}
	if extension.Spec.Probe != nil && extension.Spec.Probe.Mode == extant.ProbeModeNone {
		warnings = append(warnings, "spec.probe.mode: is None, so that nobody is told when the backends stop answering")
	}
	return warnings
}
