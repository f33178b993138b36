package validation

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	outageModes   = []extant.OutageMode{extant.ModePodsLost, extant.ModeNodesDown, extant.ModeRestarted, extant.ModeUnreachable}
	outageDetails = []extant.OutageDetail{extant.DetailSummary, extant.DetailFull}
)

// maxLost bounds each list of what a review takes to be lost.
const maxLost = 1024

// ValidateOutageReview says what is wrong with a review, as far as it can be
// told without the observed cluster.
func ValidateOutageReview(review *extant.OutageReview) field.ErrorList {
	path := field.NewPath("spec")
	errs := validateOutage(&review.Spec.Down, path.Child("down"))
	errs = append(errs, validateOutageAssumptions(&review.Spec.Assume, path.Child("assume"))...)
	return append(errs, oneOf(review.Spec.Detail, outageDetails, path.Child("detail"))...)
}

func validateOutage(down *extant.Outage, path *field.Path) field.ErrorList {
	errs := oneOf(down.Mode, outageModes, path.Child("mode"))
	if down.Everything && down.Mode == extant.ModeUnreachable {
		errs = append(errs, field.Forbidden(path.Child("everything"), "must be false with mode Unreachable: when nothing answers, the API server doesn't either"))
	}
	named := len(down.Backends) + len(down.Services) + len(down.Namespaces) + len(down.Nodes) + len(down.Extensions) + len(down.Deleted)
	if named == 0 && !down.Everything {
		errs = append(errs, field.Required(path, "what is lost: backends, services, namespaces, nodes, extensions, deleted or everything"))
	}
	errs = append(errs, eachOf(down.Backends, maxLost, subdomain, path.Child("backends"))...)
	errs = append(errs, eachOf(down.Services, maxLost, serviceName, path.Child("services"))...)
	errs = append(errs, eachOf(down.Namespaces, maxLost, requiredNamespaceName, path.Child("namespaces"))...)
	errs = append(errs, eachOf(down.Nodes, maxLost, subdomain, path.Child("nodes"))...)
	errs = append(errs, eachOf(down.Extensions, maxLost, subdomain, path.Child("extensions"))...)
	return append(errs, eachOf(down.Deleted, maxLost, objectReference, path.Child("deleted"))...)
}

func validateOutageAssumptions(assume *extant.OutageAssumptions, path *field.Path) field.ErrorList {
	errs := eachOf(assume.Provides, maxItems, validateProvision, path.Child("provides"))
	errs = append(errs, eachOf(assume.Needs, maxItems, validateNeed, path.Child("needs"))...)
	errs = append(errs, optionalOneOf(assume.WatchCache, watchCacheStates, path.Child("watchCache"))...)
	if assume.StartupSeconds != nil && *assume.StartupSeconds < 0 {
		errs = append(errs, field.Invalid(path.Child("startupSeconds"), *assume.StartupSeconds, "must be 0 or more"))
	}
	return errs
}

func validateProvision(provision extant.Provision, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch {
	case provision.Extension == "" && provision.Workload == nil:
		errs = append(errs, field.Required(path, "extension or workload: who provides the capability"))
	case provision.Extension != "" && provision.Workload != nil:
		errs = append(errs, field.Forbidden(path.Child("workload"), "must be absent with extension: only one provides the capability"))
	case provision.Extension != "":
		errs = append(errs, subdomain(provision.Extension, path.Child("extension"))...)
	default:
		errs = append(errs, objectReference(*provision.Workload, path.Child("workload"))...)
	}
	return append(errs, validateCapability(provision.Capability, path.Child("capability"))...)
}

// serviceName requires the namespace and the name of a Service.
func serviceName(service extant.ServiceName, path *field.Path) field.ErrorList {
	errs := requiredNamespaceName(service.Namespace, path.Child("namespace"))
	return append(errs, subdomain(service.Name, path.Child("name"))...)
}
