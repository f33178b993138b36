package truth

import (
	"slices"
	"strings"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// refusing is the stages that refuse for a cause.
var refusing = map[Cause][]extant.Stage{
	CauseAuthorization:       {extant.StageAuthorization},
	CauseMutatingPolicy:      {extant.StageMutatingPolicy},
	CauseMatchConditionError: {extant.StageMutatingWebhook, extant.StageValidatingWebhook},
	CausePodSecurity:         {extant.StagePodSecurity},
	CauseValidatingPolicy:    {extant.StageValidatingPolicy},
}

// cause wants a request refused at the stage that refused it.
func (c *Comparison) cause() {
	stages := refusing[c.answer.Cause]
	if len(stages) == 0 || c.status.Verdict != extant.VerdictDenied {
		return
	}
	for _, stage := range stages {
		for hop := range c.hops(stage) {
			switch hop.Outcome {
			case extant.OutcomeDenies, extant.OutcomeErrors, extant.OutcomeUnknown:
				return
			}
		}
	}
	c.wrong("no hop refuses at %v, which refused: %s", stages, c.answer.Message)
}

// mutated compares which mutating policies changed something. The mark of a
// policy is only seen on an object that came through.
func (c *Comparison) mutated() {
	for _, policy := range c.answer.Policies.Mutated {
		if !c.has(extant.StageMutatingPolicy, policy, extant.OutcomeMutates, extant.OutcomeUnknown) {
			c.wrong("the policy %s does not mutate, and did", policy)
		}
	}
	if c.answer.Verdict != Verdict(extant.VerdictAllowed) {
		return
	}
	for hop := range c.hops(extant.StageMutatingPolicy) {
		if hop.Outcome == extant.OutcomeMutates && !slices.Contains(c.answer.Policies.Mutated, hop.Configuration) {
			c.wrong("%s mutates, and did not", nameOf(hop))
		}
	}
}

// evaluated compares which validating policies had their validations
// evaluated. That a policy denies for another reason than its validations,
// such as a missing param, says nothing.
func (c *Comparison) evaluated() {
	evaluated := []extant.Outcome{extant.OutcomeAllows, extant.OutcomeDenies, extant.OutcomeWarns, extant.OutcomeAudits, extant.OutcomeErrors}
	for _, policy := range c.answer.Policies.Evaluated {
		if !c.has(extant.StageValidatingPolicy, policy, append(evaluated, extant.OutcomeUnknown)...) {
			c.wrong("the policy %s is not evaluated, and was", policy)
		}
	}
	if c.answer.Verdict == Other {
		return
	}
	for hop := range c.hops(extant.StageValidatingPolicy) {
		if slices.Contains(evaluated, hop.Outcome) && hop.Reason == extant.ReasonRuleMatched && !slices.Contains(c.answer.Policies.Evaluated, hop.Configuration) {
			c.wrong("%s is evaluated, and was not", nameOf(hop))
		}
	}
}

// has tells whether a policy has one of the outcomes under any binding.
func (c *Comparison) has(stage extant.Stage, policy string, outcomes ...extant.Outcome) bool {
	for hop := range c.hops(stage) {
		if hop.Configuration == policy && slices.Contains(outcomes, hop.Outcome) {
			return true
		}
	}
	return false
}

// findings wants a hop for each finding, and a finding for each hop of that
// outcome. A denial is one of several, by chance; what denies, by a validation
// or an error, may warn or audit besides.
func (c *Comparison) findings(what string, findings []Finding, outcome extant.Outcome) {
	for _, f := range findings {
		if !c.found(f, outcome) {
			c.wrong("no hop of %s %s that is %s says: %s", f.Policy, f.Binding, outcome, f.Message)
		}
	}
	if c.answer.Verdict == Other || outcome == extant.OutcomeDenies {
		return
	}
	for hop := range c.hops(extant.StageValidatingPolicy) {
		if hop.Outcome == outcome && !slices.ContainsFunc(findings, func(f Finding) bool {
			return f.Policy == hop.Configuration && f.Binding == hop.Hook
		}) {
			c.wrong("%s is %s, and nothing was %s", nameOf(hop), outcome, what)
		}
	}
}

func (c *Comparison) found(f Finding, outcome extant.Outcome) bool {
	stronger := map[extant.Outcome][]extant.Outcome{
		extant.OutcomeDenies: {extant.OutcomeErrors},
		extant.OutcomeWarns:  {extant.OutcomeDenies, extant.OutcomeErrors},
		extant.OutcomeAudits: {extant.OutcomeDenies, extant.OutcomeErrors, extant.OutcomeWarns},
	}
	// How the API server begins some messages says nothing that the hop's
	// reason does not, and what is wrong with a policy itself it says in words
	// that name the library's own parts.
	message := strings.TrimPrefix(f.Message, "failed to configure binding: ")
	if f.Binding == "" {
		message = ""
	}
	for _, stage := range []extant.Stage{extant.StageMutatingPolicy, extant.StageValidatingPolicy} {
		for hop := range c.hops(stage) {
			if hop.Configuration != f.Policy || f.Binding != "" && hop.Hook != f.Binding {
				continue
			}
			if hop.Outcome == extant.OutcomeUnknown {
				return true
			}
			if (hop.Outcome == outcome || slices.Contains(stronger[outcome], hop.Outcome)) && strings.Contains(hop.Message, message) {
				return true
			}
		}
	}
	return false
}
