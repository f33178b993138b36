package validation

import (
	"net/url"
	"strings"

	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	backendReasons = []extant.BackendReason{extant.BackendProbeSucceeded, extant.BackendServiceNotFound,
		extant.BackendNoReadyEndpoints, extant.BackendConnectFailed, extant.BackendTLSFailed, extant.BackendNotProbed}
	failurePolicies = []string{"Fail", "Ignore"}
)

// maxSamples is how many probes a status keeps.
const maxSamples = 60

// ValidateBackend validates a new backend.
func ValidateBackend(backend *extant.Backend) field.ErrorList {
	errs := apimachineryvalidation.ValidateObjectMeta(&backend.ObjectMeta, false, validateName, field.NewPath("metadata"))
	return append(errs, validateBackendSpec(&backend.Spec, field.NewPath("spec"))...)
}

// ValidateBackendUpdate validates a change of metadata and spec.
func ValidateBackendUpdate(backend, old *extant.Backend) field.ErrorList {
	errs := apimachineryvalidation.ValidateObjectMetaUpdate(&backend.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	return append(errs, validateBackendSpec(&backend.Spec, field.NewPath("spec"))...)
}

// ValidateBackendStatusUpdate validates a change of status.
func ValidateBackendStatusUpdate(backend, old *extant.Backend) field.ErrorList {
	path := field.NewPath("status")
	status := &backend.Status
	errs := apimachineryvalidation.ValidateObjectMetaUpdate(&backend.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	errs = append(errs, optionalOneOf(status.Available, conditionStatuses, path.Child("available"))...)
	errs = append(errs, optionalOneOf(status.Reason, backendReasons, path.Child("reason"))...)
	errs = append(errs, atMost(status.Samples, maxSamples, path.Child("samples"))...)
	for i, caller := range status.Callers {
		errs = append(errs, oneOf(caller.TrustedByCABundle, conditionStatuses, path.Child("callers").Index(i).Child("trustedByCABundle"))...)
	}
	return append(errs, metav1validation.ValidateConditions(status.Conditions, path.Child("conditions"))...)
}

func validateBackendSpec(spec *extant.BackendSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	forms := 0
	for _, present := range []bool{spec.Service != nil, spec.URL != "", spec.Socket != ""} {
		if present {
			forms++
		}
	}
	if forms != 1 {
		errs = append(errs, field.Required(path, "exactly one of service, url and socket"))
	}
	if spec.Service != nil {
		errs = append(errs, validateServiceReference(spec.Service, path.Child("service"))...)
	}
	if spec.URL != "" {
		if u, err := url.Parse(spec.URL); err != nil || u.Host == "" || u.Scheme != "https" || u.User != nil || strings.Trim(u.Path, "/") != "" {
			errs = append(errs, field.Invalid(path.Child("url"), spec.URL, "must be https://host:port, without user, path or query"))
		}
	}
	if spec.Socket != "" && !strings.HasPrefix(spec.Socket, "unix:///") {
		errs = append(errs, field.Invalid(path.Child("socket"), spec.Socket, "must be unix:/// with an absolute path"))
	}
	for i, caller := range spec.Callers {
		errs = append(errs, validateBackendCaller(caller, path.Child("callers").Index(i))...)
	}
	return errs
}

func validateServiceReference(service *extant.ServiceReference, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if service.Namespace == "" {
		errs = append(errs, field.Required(path.Child("namespace"), "the namespace of the Service"))
	}
	errs = append(errs, namespaceName(service.Namespace, path.Child("namespace"))...)
	if service.Name == "" {
		errs = append(errs, field.Required(path.Child("name"), "the name of the Service"))
	}
	for _, message := range validation.IsValidPortNum(int(service.Port)) {
		errs = append(errs, field.Invalid(path.Child("port"), service.Port, message))
	}
	return errs
}

func validateBackendCaller(caller extant.Caller, path *field.Path) field.ErrorList {
	errs := required(caller.Point, path.Child("point"))
	errs = append(errs, required(caller.Resource, path.Child("resource"))...)
	errs = append(errs, required(caller.Object, path.Child("object"))...)
	errs = append(errs, optionalOneOf(caller.FailurePolicy, failurePolicies, path.Child("failurePolicy"))...)
	return append(errs, apimachineryvalidation.ValidateNonnegativeField(int64(caller.TimeoutSeconds), path.Child("timeoutSeconds"))...)
}
