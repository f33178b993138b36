package validation

import (
	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// maxMessage is how long the message of a finding may be: those that an
// expression makes are cut there.
const maxMessage = 4096

// ValidateFinding validates a new finding.
func ValidateFinding(finding *extant.Finding) field.ErrorList {
	errs := apimachineryvalidation.ValidateObjectMeta(&finding.ObjectMeta, false, validateName, field.NewPath("metadata"))
	return append(errs, validateFindingSpec(&finding.Spec, field.NewPath("spec"))...)
}

// ValidateFindingUpdate validates a change. What a finding is about is what
// its name stands for, and does not change.
func ValidateFindingUpdate(finding, old *extant.Finding) field.ErrorList {
	path := field.NewPath("spec")
	errs := apimachineryvalidation.ValidateObjectMetaUpdate(&finding.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	errs = append(errs, validateFindingSpec(&finding.Spec, path)...)
	errs = append(errs, apimachineryvalidation.ValidateImmutableField(finding.Spec.Policy, old.Spec.Policy, path.Child("policy"))...)
	errs = append(errs, apimachineryvalidation.ValidateImmutableField(finding.Spec.Rule, old.Spec.Rule, path.Child("rule"))...)
	return append(errs, apimachineryvalidation.ValidateImmutableField(finding.Spec.Subject, old.Spec.Subject, path.Child("subject"))...)
}

func validateFindingSpec(spec *extant.FindingSpec, path *field.Path) field.ErrorList {
	errs := subdomain(spec.Policy, path.Child("policy"))
	errs = append(errs, ruleName(spec.Rule, path.Child("rule"))...)
	errs = append(errs, oneOf(spec.Severity, severities, path.Child("severity"))...)
	if spec.Extension != "" {
		errs = append(errs, subdomain(spec.Extension, path.Child("extension"))...)
	}
	errs = append(errs, validateFindingSubject(spec.Subject, path.Child("subject"))...)
	errs = append(errs, text(spec.Message, maxMessage, path.Child("message"))...)
	errs = append(errs, text(spec.Remediation, maxSentence, path.Child("remediation"))...)
	if spec.FirstSeen.IsZero() {
		errs = append(errs, field.Required(path.Child("firstSeen"), "when the breach was first seen"))
	}
	return errs
}

func validateFindingSubject(subject extant.FindingSubject, path *field.Path) field.ErrorList {
	if (subject.Kind == "") == (subject.Resource == "") {
		return field.ErrorList{field.Invalid(path, field.OmitValueType{}, "must have either kind, for an object of Extant, or resource, for one of the observed cluster")}
	}
	if subject.Kind != "" {
		errs := text(subject.Kind, 63, path.Child("kind"))
		return append(errs, required(subject.Name, path.Child("name"))...)
	}
	return objectReference(extant.ObjectReference{
		Group: subject.Group, Resource: subject.Resource, Namespace: subject.Namespace, Name: subject.Name,
	}, path)
}
