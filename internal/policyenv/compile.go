package policyenv

import (
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// CallLimit bounds what one evaluation of one expression may cost, in the units
// of Kubernetes' own limits: about a hundredth of a second. A rule is evaluated
// for every hook, where an admission policy is for one request.
const CallLimit = celconfig.PerCallLimit / 10

// Rule is a rule whose expressions compile.
type Rule struct {
	// Variable is what they see.
	Variable *Variable
	// Match and Message are nil where the rule has none.
	Match, Assert, Message cel.Program
}

// Compile compiles the expressions of a rule. The errors name the field, the
// position in the expression and the cause. What validation refuses without
// looking into expressions (an unknown subject, no assertion) is not reported
// again.
func Compile(rule *extant.PolicyRule, path *field.Path) (*Rule, field.ErrorList) {
	variable, ok := Of(rule.AppliesTo)
	if !ok {
		return nil, nil
	}
	compiled := &Rule{Variable: variable}
	var errs field.ErrorList
	for _, expression := range []struct {
		name, text string
		of         *cel.Type
		program    *cel.Program
	}{
		{"match", rule.Match, cel.BoolType, &compiled.Match},
		{"assert", rule.Assert, cel.BoolType, &compiled.Assert},
		{"messageExpression", rule.MessageExpression, cel.StringType, &compiled.Message},
	} {
		if strings.TrimSpace(expression.text) == "" {
			continue
		}
		program, err := variable.compile(expression.text, expression.of)
		if err != nil {
			errs = append(errs, field.Invalid(path.Child(expression.name), expression.text, err.Error()))
			continue
		}
		*expression.program = program
	}
	if len(errs) > 0 || compiled.Assert == nil {
		return nil, errs
	}
	return compiled, nil
}

func (v *Variable) compile(expression string, of *cel.Type) (cel.Program, error) {
	checked, issues := v.environment.Compile(expression)
	if err := issues.Err(); err != nil {
		return nil, fmt.Errorf("compilation failed: %w", err)
	}
	if !checked.OutputType().IsExactType(of) {
		return nil, fmt.Errorf("must evaluate to %s, not to %s", of, checked.OutputType())
	}
	if err := checkFormats(checked); err != nil {
		return nil, err
	}
	program, err := v.environment.Program(checked, cel.CostLimit(CallLimit), cel.InterruptCheckFrequency(celconfig.CheckFrequency))
	if err != nil {
		return nil, fmt.Errorf("cannot be evaluated: %w", err)
	}
	return program, nil
}
