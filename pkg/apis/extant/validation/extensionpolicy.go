package validation

import (
	"slices"
	"strings"

	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/internal/policyenv"
	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	policySubjects = []extant.PolicySubject{extant.PolicySubjectHook, extant.PolicySubjectBackend, extant.PolicySubjectExtension,
		extant.PolicySubjectNodePluginReport, extant.PolicySubjectComponentConfiguration}
	severities = []extant.FindingSeverity{extant.FindingError, extant.FindingWarning, extant.FindingInfo}
)

const (
	maxRules      = 128
	maxExpression = 8192
	maxSentence   = 1024
)

// ValidateExtensionPolicy validates a new policy.
func ValidateExtensionPolicy(policy *extant.ExtensionPolicy) field.ErrorList {
	errs := apimachineryvalidation.ValidateObjectMeta(&policy.ObjectMeta, false, validateName, field.NewPath("metadata"))
	return append(errs, validateExtensionPolicySpec(&policy.Spec, nil, field.NewPath("spec"))...)
}

// ValidateExtensionPolicyUpdate validates a change of metadata and spec. Rules
// that are stored already and do not change need not compile: after an upgrade
// they might not.
func ValidateExtensionPolicyUpdate(policy, old *extant.ExtensionPolicy) field.ErrorList {
	errs := apimachineryvalidation.ValidateObjectMetaUpdate(&policy.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	return append(errs, validateExtensionPolicySpec(&policy.Spec, old.Spec.Rules, field.NewPath("spec"))...)
}

// ValidateExtensionPolicyStatusUpdate validates a change of status.
func ValidateExtensionPolicyStatusUpdate(policy, old *extant.ExtensionPolicy) field.ErrorList {
	path := field.NewPath("status")
	errs := apimachineryvalidation.ValidateObjectMetaUpdate(&policy.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	errs = append(errs, metav1validation.ValidateConditions(policy.Status.Conditions, path.Child("conditions"))...)
	return append(errs, apimachineryvalidation.ValidateNonnegativeField(int64(policy.Status.Violations), path.Child("violations"))...)
}

func validateExtensionPolicySpec(spec *extant.ExtensionPolicySpec, stored []extant.PolicyRule, path *field.Path) field.ErrorList {
	validate := func(rule extant.PolicyRule, path *field.Path) field.ErrorList {
		errs := validatePolicyRule(rule, path)
		// What is too long is not worth the time that compiling it takes.
		tooLong := max(len(rule.Match), len(rule.Assert), len(rule.MessageExpression)) > maxExpression
		if !tooLong && !slices.Contains(stored, rule) {
			_, wrong := policyenv.Compile(&rule, path)
			errs = append(errs, wrong...)
		}
		return errs
	}
	errs := eachOf(spec.Rules, maxRules, validate, path.Child("rules"))
	if len(spec.Rules) > maxRules {
		return errs
	}
	return append(errs, uniqueBy(spec.Rules, func(r extant.PolicyRule) string { return r.Name }, path.Child("rules"))...)
}

func validatePolicyRule(rule extant.PolicyRule, path *field.Path) field.ErrorList {
	errs := ruleName(rule.Name, path.Child("name"))
	errs = append(errs, oneOf(rule.AppliesTo, policySubjects, path.Child("appliesTo"))...)
	errs = append(errs, text(rule.Match, maxExpression, path.Child("match"))...)
	if strings.TrimSpace(rule.Assert) == "" {
		errs = append(errs, field.Required(path.Child("assert"), "CEL of type bool: what must be true"))
	}
	errs = append(errs, text(rule.Assert, maxExpression, path.Child("assert"))...)
	if rule.Message != "" && rule.MessageExpression != "" {
		errs = append(errs, field.Invalid(path.Child("messageExpression"), rule.MessageExpression, "must be empty where message is set"))
	}
	errs = append(errs, text(rule.Message, maxSentence, path.Child("message"))...)
	errs = append(errs, text(rule.MessageExpression, maxExpression, path.Child("messageExpression"))...)
	errs = append(errs, oneOf(rule.Severity, severities, path.Child("severity"))...)
	errs = append(errs, text(rule.Remediation, maxSentence, path.Child("remediation"))...)
	return append(errs, webURL(rule.Documentation, path.Child("documentation"))...)
}

// ruleName requires the name of a rule.
func ruleName(value string, path *field.Path) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(path, "the name of the rule")}
	}
	var errs field.ErrorList
	for _, message := range validation.IsDNS1123Label(value) {
		errs = append(errs, field.Invalid(path, value, message))
	}
	return errs
}
