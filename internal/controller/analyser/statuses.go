package analyser

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/controller/apply"
	"github.com/extant-project/extant/internal/finding"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	fields "github.com/extant-project/extant/pkg/generated/applyconfiguration/extant/v1alpha1"
)

// applyOptions make a write take over what others wrote into its fields.
var applyOptions = metav1.ApplyOptions{FieldManager: FieldManager, Force: true}

// maxConditionMessage is how long the message of a condition may be.
const maxConditionMessage = 32768

// planExtensions returns the writes of the counts of findings, and of whether
// each extension is compliant.
func (c *Controller) planExtensions(extensions []*extant.Extension, standing []extant.FindingSpec, result *finding.Result, now metav1.Time) []func(context.Context) error {
	counts := map[string]*extant.FindingCounts{}
	for _, extension := range extensions {
		counts[extension.Name] = &extant.FindingCounts{}
	}
	for i := range standing {
		if count, ok := counts[standing[i].Extension]; ok {
			add(count, &standing[i])
		}
	}
	var writes []func(context.Context) error
	for _, stored := range extensions {
		if apply.LeftAlone(stored) {
			continue
		}
		count := counts[stored.Name]
		conditions := apply.Transition([]metav1.Condition{compliant(count, result.Unevaluated.Has(stored.Name))}, stored.Status.Conditions, stored.Generation, now)
		if equality.Semantic.DeepEqual(count, stored.Status.Findings) && equality.Semantic.DeepEqual(conditions, apply.Own(stored.Status.Conditions, conditions)) {
			continue
		}
		status := &v1alpha1.ExtensionStatus{
			Findings:   &v1alpha1.FindingCounts{Error: count.Error, Warning: count.Warning, Info: count.Info, Accepted: count.Accepted},
			Conditions: conditions,
		}
		writes = append(writes, func(ctx context.Context) error { return c.applyExtension(ctx, stored.Name, status) })
	}
	return writes
}

func add(count *extant.FindingCounts, of *extant.FindingSpec) {
	switch {
	case of.Accepted:
		count.Accepted++
	case of.Severity == extant.FindingError:
		count.Error++
	case of.Severity == extant.FindingWarning:
		count.Warning++
	default:
		count.Info++
	}
}

// compliant tells whether an extension breaks no rule that matters. What could
// not be evaluated is not known to be kept.
func compliant(count *extant.FindingCounts, unevaluated bool) metav1.Condition {
	condition := metav1.Condition{Type: extant.ConditionCompliant, Status: metav1.ConditionTrue, Reason: "NoFindings"}
	switch {
	case count.Error+count.Warning > 0:
		condition.Status, condition.Reason = metav1.ConditionFalse, "Findings"
		condition.Message = fmt.Sprintf("%d errors, %d warnings", count.Error, count.Warning)
	case unevaluated:
		condition.Status, condition.Reason = metav1.ConditionUnknown, "NotEvaluated"
		condition.Message = "some rules could not be evaluated: see the policies' condition Evaluated"
	case count.Accepted > 0:
		condition.Message = fmt.Sprintf("%d findings are accepted", count.Accepted)
	}
	return condition
}

func (c *Controller) applyExtension(ctx context.Context, name string, status *v1alpha1.ExtensionStatus) error {
	configuration, err := apply.ConfigurationOf[fields.ExtensionStatusApplyConfiguration](status)
	if err != nil {
		return err
	}
	_, err = c.Client.Extensions().ApplyStatus(ctx, fields.Extension(name).WithStatus(configuration), applyOptions)
	return written(err, "extension")
}

// planPolicies returns the writes of what came of each policy.
func (c *Controller) planPolicies(policies []*extant.ExtensionPolicy, standing []extant.FindingSpec, result *finding.Result, now metav1.Time) []func(context.Context) error {
	violations := map[string]int32{}
	for i := range standing {
		violations[standing[i].Policy]++
	}
	var writes []func(context.Context) error
	for _, stored := range policies {
		if apply.LeftAlone(stored) {
			continue
		}
		of := result.Policies[stored.Name]
		wanted := []metav1.Condition{compiled(of.NotCompiled), evaluated(&of, stored.Spec.Paused)}
		conditions := apply.Transition(wanted, stored.Status.Conditions, stored.Generation, now)
		count := violations[stored.Name]
		if count == stored.Status.Violations && equality.Semantic.DeepEqual(conditions, apply.Own(stored.Status.Conditions, conditions)) {
			continue
		}
		status := &v1alpha1.ExtensionPolicyStatus{Violations: count, Conditions: conditions}
		writes = append(writes, func(ctx context.Context) error { return c.applyPolicy(ctx, stored.Name, status) })
	}
	return writes
}

func compiled(failures []finding.Failure) metav1.Condition {
	if len(failures) == 0 {
		return metav1.Condition{Type: extant.ConditionCompiled, Status: metav1.ConditionTrue, Reason: "EveryRule"}
	}
	return metav1.Condition{Type: extant.ConditionCompiled, Status: metav1.ConditionFalse, Reason: "NotCompiled", Message: told(failures)}
}

func evaluated(of *finding.PolicyResult, paused bool) metav1.Condition {
	condition := metav1.Condition{Type: extant.ConditionEvaluated, Status: metav1.ConditionTrue, Reason: "EveryRule"}
	switch {
	case paused:
		condition.Status, condition.Reason, condition.Message = metav1.ConditionFalse, "Paused", "spec.paused is true"
	case len(of.Failed) > 0:
		condition.Status, condition.Reason, condition.Message = metav1.ConditionFalse, "NotEvaluated", told(of.Failed)
	case len(of.NotCompiled) > 0:
		condition.Status, condition.Reason, condition.Message = metav1.ConditionFalse, "NotCompiled", "rules that do not compile are not evaluated"
	}
	return condition
}

// told says what failed: the first rules, each with the first subject.
func told(failures []finding.Failure) string {
	const shown = 5
	var parts []string
	for i, f := range failures {
		if i == shown {
			parts = append(parts, fmt.Sprintf("and %d more rules", len(failures)-shown))
			break
		}
		part := "rule " + f.Rule
		if f.Subject != "" {
			part += " for " + f.Subject
		}
		if f.More > 0 {
			part += fmt.Sprintf(" and %d more", f.More)
		}
		parts = append(parts, part+": "+f.Message)
	}
	message := strings.Join(parts, "; ")
	return strings.ToValidUTF8(message[:min(len(message), maxConditionMessage)], "")
}

func (c *Controller) applyPolicy(ctx context.Context, name string, status *v1alpha1.ExtensionPolicyStatus) error {
	configuration, err := apply.ConfigurationOf[fields.ExtensionPolicyStatusApplyConfiguration](status)
	if err != nil {
		return err
	}
	_, err = c.Client.ExtensionPolicies().ApplyStatus(ctx, fields.ExtensionPolicy(name).WithStatus(configuration), applyOptions)
	return written(err, "policy")
}

// written counts a write. What was deleted meanwhile needs none; the informer
// brings the news.
func written(err error, what string) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil {
		countWrite(what)
	}
	return err
}
