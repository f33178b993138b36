package truth

import (
	"slices"
	"strings"
	"testing"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// reviewOf is the review that an answer asks for.
func reviewOf(a *Answer) *extant.RequestReviewStatus {
	status := &extant.RequestReviewStatus{Verdict: extant.Verdict(a.Verdict)}
	webhooks := func(stage extant.Stage, calls []Call) {
		for _, call := range comparable(calls) {
			hop := extant.Hop{Stage: stage, Configuration: call.Configuration, Hook: call.Hook, Outcome: extant.OutcomeCalled}
			if call.Failed == "closed" {
				hop.Outcome = extant.OutcomeBlocks
				status.BlockedBy = append(status.BlockedBy, extant.HookReference{Configuration: call.Configuration, Hook: call.Hook})
			}
			if call.SentAs != nil {
				hop.SentAs = &call.SentAs.SentResource
			}
			status.Hops = append(status.Hops, hop)
		}
	}
	policies := func(stage extant.Stage, outcome extant.Outcome, names ...Finding) {
		for _, f := range names {
			status.Hops = append(status.Hops, extant.Hop{
				Stage: stage, Configuration: f.Policy, Hook: f.Binding, Outcome: outcome, Message: f.Message,
				Reason: extant.ReasonRuleMatched,
			})
		}
	}
	denying := extant.StageValidatingPolicy
	if stages := refusing[a.Cause]; len(stages) > 0 {
		denying = stages[0]
		if len(a.Policies.Denied) == 0 {
			policies(denying, extant.OutcomeDenies, Finding{Message: a.Message})
		}
	}
	for _, policy := range a.Policies.Mutated {
		policies(extant.StageMutatingPolicy, extant.OutcomeMutates, Finding{Policy: policy})
	}
	webhooks(extant.StageMutatingWebhook, a.Mutating)
	policies(denying, extant.OutcomeDenies, a.Policies.Denied...)
	policies(extant.StageValidatingPolicy, extant.OutcomeWarns, a.Policies.Warned...)
	policies(extant.StageValidatingPolicy, extant.OutcomeAudits, a.Policies.Audited...)
	for _, policy := range a.Policies.Evaluated {
		policies(extant.StageValidatingPolicy, extant.OutcomeAllows, Finding{Policy: policy})
	}
	webhooks(extant.StageValidatingWebhook, a.Validating)
	for i := range status.Hops {
		// What was not evaluated failed before: a condition, or a param.
		if hop := &status.Hops[i]; !slices.Contains(a.Policies.Evaluated, hop.Configuration) {
			hop.Reason = extant.ReasonError
		}
	}
	return status
}

func answers(t *testing.T) map[string]*Answer {
	t.Helper()
	scenarios, err := Requests()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*Answer{}
	for _, scenario := range scenarios {
		for i := range scenario.Cases {
			c := &scenario.Cases[i]
			name := scenario.Name + "/" + c.ID
			all[name+" allAvailable"] = c.Truth.AllAvailable
			if c.Truth.SomeDown != nil {
				all[name+" someDown"] = c.Truth.SomeDown
			}
		}
	}
	return all
}

func TestWhatHappenedAgreesWithItself(t *testing.T) {
	for name, answer := range answers(t) {
		compared := answer.Compare(reviewOf(answer))
		if len(compared.Disagreements) > 0 || compared.IsUnknown() {
			t.Errorf("%s: %s %v", name, strings.Join(compared.Disagreements, "; "), compared.Unknown)
		}
	}
}

func TestAReviewThatDiffersDisagrees(t *testing.T) {
	tests := map[string]func(*extant.RequestReviewStatus) (changed bool){
		"a hop is missing": func(s *extant.RequestReviewStatus) bool {
			i := slices.IndexFunc(s.Hops, func(hop extant.Hop) bool { return hop.Outcome != extant.OutcomeAllows })
			if i < 0 {
				return false
			}
			s.Hops = slices.Delete(s.Hops, i, i+1)
			return true
		},
		"another hook is called": func(s *extant.RequestReviewStatus) bool {
			s.Hops = append(s.Hops, extant.Hop{Stage: extant.StageValidatingWebhook, Configuration: "other", Outcome: extant.OutcomeCalled})
			return true
		},
		"another policy warns": func(s *extant.RequestReviewStatus) bool {
			s.Hops = append(s.Hops, extant.Hop{Stage: extant.StageValidatingPolicy, Configuration: "other", Outcome: extant.OutcomeWarns})
			return true
		},
		"the mutating hooks are in another order": func(s *extant.RequestReviewStatus) bool {
			mutating := func(hop extant.Hop) bool { return hop.Stage == extant.StageMutatingWebhook && isCalled(&hop) }
			i := slices.IndexFunc(s.Hops, mutating)
			if i < 0 || i+1 == len(s.Hops) || !mutating(s.Hops[i+1]) {
				return false
			}
			s.Hops[i], s.Hops[i+1] = s.Hops[i+1], s.Hops[i]
			return true
		},
		"a hook is sent another version": func(s *extant.RequestReviewStatus) bool {
			i := slices.IndexFunc(s.Hops, func(hop extant.Hop) bool { return hop.SentAs != nil })
			if i < 0 {
				return false
			}
			s.Hops[i].SentAs = &extant.SentResource{Version: "v0"}
			return true
		},
		"the verdict is another": func(s *extant.RequestReviewStatus) bool {
			s.Verdict = "Perhaps"
			return true
		},
		"Unknown has no reason": func(s *extant.RequestReviewStatus) bool {
			s.Verdict = extant.VerdictUnknown
			return true
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			tried := 0
			for of, answer := range answers(t) {
				status := reviewOf(answer)
				if !change(status) {
					continue
				}
				tried++
				if len(answer.Compare(status).Disagreements) == 0 {
					t.Errorf("%s: nobody noticed", of)
				}
			}
			if tried == 0 {
				t.Error("nothing was tried")
			}
		})
	}
}
