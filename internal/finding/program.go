package finding

import (
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types/ref"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/extant-project/extant/internal/policyenv"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// ruleBudget bounds what a rule may cost over all subjects in one pass: about
// as long as Kubernetes lets all expressions of one request run.
const ruleBudget = celconfig.RuntimeCELCostBudget

var errBudget = errors.New("the rule costs too much over all that it applies to, and is not evaluated for the rest: make its expressions cheaper, or narrow match")

// source is what a program is compiled from.
type source struct {
	appliesTo              extant.PolicySubject
	match, assert, message string
}

func sourceOf(rule *extant.PolicyRule) source {
	return source{rule.AppliesTo, rule.Match, rule.Assert, rule.MessageExpression}
}

// program is a compiled rule, or why it does not compile.
type program struct {
	rule *policyenv.Rule
	err  error
}

// compile compiles a rule, once.
func (e *Engine) compile(rule *extant.PolicyRule) *program {
	key := sourceOf(rule)
	if known, ok := e.compiled[key]; ok {
		return known
	}
	compiled, errs := policyenv.Compile(rule, nil)
	p := &program{rule: compiled, err: errs.ToAggregate()}
	if p.err == nil && compiled == nil {
		p.err = fmt.Errorf("it applies to nothing that is known: %q", rule.AppliesTo)
	}
	e.compiled[key] = p
	return p
}

// outcome is what came of a rule for one subject.
type outcome struct {
	broken  bool
	message string
	err     error
	// epochs are those of the facts that the evaluation read; zero for those
	// that it did not.
	epochs epochs
	// timed: it read how late it is.
	timed bool
}

// outcome evaluates a rule for a subject, unless nothing that it read then has
// changed since.
func (e *Engine) outcome(p *program, s *subject, budget *uint64) outcome {
	if known, ok := s.outcomes[p]; ok && !known.timed && e.facts.unchanged(known.epochs) {
		return known
	}
	if *budget == 0 {
		return outcome{err: errBudget}
	}
	s.asked = asked{}
	found := evaluate(p.rule, s, budget)
	found.epochs, found.timed = e.facts.read(s.asked), s.asked.time
	s.outcomes[p] = found
	return found
}

func evaluate(rule *policyenv.Rule, s *subject, budget *uint64) outcome {
	input := map[string]any{rule.Variable.Name: s.value}
	if rule.Match != nil {
		concerns, err := run(rule.Match, input, budget)
		if err != nil {
			return outcome{err: fmt.Errorf("match: %w", err)}
		}
		if concerns.Value() != true {
			return outcome{}
		}
	}
	holds, err := run(rule.Assert, input, budget)
	if err != nil {
		return outcome{err: fmt.Errorf("assert: %w", err)}
	}
	if holds.Value() == true {
		return outcome{}
	}
	found := outcome{broken: true}
	if rule.Message != nil {
		// A message that cannot be made is no reason to keep quiet.
		if text, err := run(rule.Message, input, budget); err == nil {
			found.message, _ = text.Value().(string)
		}
	}
	return found
}

// run evaluates an expression and takes its cost off the budget.
func run(p cel.Program, input map[string]any, budget *uint64) (ref.Val, error) {
	value, details, err := p.Eval(input)
	var cost uint64
	switch {
	case details != nil && details.ActualCost() != nil:
		cost = *details.ActualCost()
	case err != nil:
		cost = policyenv.CallLimit
	}
	*budget -= min(*budget, cost)
	return value, err
}
