package truth

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Comparison is a review held against what really happened.
type Comparison struct {
	// Disagreements are where the review is wrong.
	Disagreements []string
	// Unknown is why the review cannot tell something: the message of each hop
	// that is Unknown, and that of the verdict.
	Unknown []string

	answer *Answer
	status *extant.RequestReviewStatus
}

// Compare holds a review against what happened. For what the review calls
// Unknown it must give a reason; everything else must be as it was.
func (a *Answer) Compare(status *extant.RequestReviewStatus) *Comparison {
	c := &Comparison{answer: a, status: status}
	c.unknowns()
	if a.Verdict != Other && status.Verdict != extant.VerdictUnknown && string(status.Verdict) != string(a.Verdict) {
		c.wrong("the verdict is %s and was %s: %s", status.Verdict, a.Verdict, a.Message)
	}
	c.mutating()
	c.validating()
	c.blockedBy()
	c.cause()
	c.mutated()
	c.evaluated()
	c.findings("denied", a.Policies.Denied, extant.OutcomeDenies)
	c.findings("warned", a.Policies.Warned, extant.OutcomeWarns)
	c.findings("audited", a.Policies.Audited, extant.OutcomeAudits)
	return c
}

// IsUnknown tells whether the review leaves anything open.
func (c *Comparison) IsUnknown() bool { return len(c.Unknown) > 0 }

func (c *Comparison) wrong(format string, args ...any) {
	c.Disagreements = append(c.Disagreements, fmt.Sprintf(format, args...))
}

// unknowns collects what is Unknown, and refuses what has no reason.
func (c *Comparison) unknowns() {
	if c.status.Verdict == extant.VerdictUnknown {
		c.Unknown = append(c.Unknown, c.status.Message)
		if c.status.Message == "" {
			c.wrong("the verdict is Unknown without a reason")
		}
	}
	for i := range c.status.Hops {
		hop := &c.status.Hops[i]
		if hop.Outcome != extant.OutcomeUnknown {
			continue
		}
		c.Unknown = append(c.Unknown, hop.Message)
		if hop.Message == "" {
			c.wrong("%s is Unknown without a reason", nameOf(hop))
		}
	}
}

// hops are those of a stage.
func (c *Comparison) hops(stage extant.Stage) iter.Seq[*extant.Hop] {
	return func(yield func(*extant.Hop) bool) {
		for i := range c.status.Hops {
			if hop := &c.status.Hops[i]; hop.Stage == stage && !yield(hop) {
				return
			}
		}
	}
}

func nameOf(hop *extant.Hop) string {
	return strings.Join(slices.DeleteFunc([]string{string(hop.Stage), hop.Configuration, hop.Hook}, func(s string) bool { return s == "" }), " ")
}

// comparable are the calls that a review is to list: not those that failed
// open, nor what is asked a second time.
func comparable(calls []Call) []Call {
	return slices.DeleteFunc(slices.Clone(calls), func(call Call) bool {
		return call.Failed == "open" || call.Round > 0 || call.Repeat
	})
}

func (call *Call) is(hop *extant.Hop) bool {
	return call.Configuration == hop.Configuration && call.Hook == hop.Hook
}

// mutating compares calls of mutating webhooks, which have an order. A hop that
// is Unknown may have been called.
func (c *Comparison) mutating() {
	left := comparable(c.answer.Mutating)
	for hop := range c.hops(extant.StageMutatingWebhook) {
		if next := len(left) > 0 && left[0].is(hop); next && mayBeCalled(hop) {
			c.call(&left[0], hop)
			left = left[1:]
			continue
		}
		if isCalled(hop) && c.answer.Verdict != Other {
			c.wrong("%s is %s, and was not called next", nameOf(hop), hop.Outcome)
		}
	}
	for _, call := range left {
		c.wrong("%s %s is not called next, and was", call.Configuration, call.Hook)
	}
}

// validating compares calls of validating webhooks, which have no order.
func (c *Comparison) validating() {
	left := comparable(c.answer.Validating)
	for hop := range c.hops(extant.StageValidatingWebhook) {
		i := slices.IndexFunc(left, func(call Call) bool { return call.is(hop) })
		switch {
		case i >= 0 && mayBeCalled(hop):
			c.call(&left[i], hop)
			left = slices.Delete(left, i, i+1)
		case isCalled(hop) && c.answer.Verdict != Other:
			c.wrong("%s is %s, and was not called", nameOf(hop), hop.Outcome)
		}
	}
	for _, call := range left {
		c.wrong("%s %s is not called, and was", call.Configuration, call.Hook)
	}
}

func isCalled(hop *extant.Hop) bool {
	return hop.Outcome == extant.OutcomeCalled || hop.Outcome == extant.OutcomeBlocks
}

func mayBeCalled(hop *extant.Hop) bool {
	return isCalled(hop) || hop.Outcome == extant.OutcomeUnknown
}

// call compares a call with its hop.
func (c *Comparison) call(call *Call, hop *extant.Hop) {
	if hop.Outcome == extant.OutcomeUnknown {
		return
	}
	if (hop.Outcome == extant.OutcomeBlocks) != (call.Failed == "closed") {
		c.wrong("%s is %s, and the call failed %q", nameOf(hop), hop.Outcome, call.Failed)
	}
	if call.SentAs == nil {
		return
	}
	if hop.SentAs == nil || *hop.SentAs != call.SentAs.SentResource {
		c.wrong("%s is sent as %v, and was as %v", nameOf(hop), hop.SentAs, call.SentAs.SentResource)
	}
}

// blockedBy wants the hook that the error names, and none that was not tried.
func (c *Comparison) blockedBy() {
	if c.answer.Verdict == Other || c.status.Verdict == extant.VerdictUnknown {
		return
	}
	listed := func(all []extant.HookReference, configuration, hook string) bool {
		return slices.ContainsFunc(all, func(r extant.HookReference) bool { return r.Configuration == configuration && r.Hook == hook })
	}
	for _, blocker := range c.answer.BlockedBy {
		if !listed(c.status.BlockedBy, blocker.Configuration, blocker.Hook) {
			c.wrong("blockedBy lacks %s %s", blocker.Configuration, blocker.Hook)
		}
	}
	var failed []extant.HookReference
	for _, call := range slices.Concat(c.answer.Mutating, c.answer.Validating) {
		if call.Failed == "closed" {
			failed = append(failed, extant.HookReference{Configuration: call.Configuration, Hook: call.Hook})
		}
	}
	for _, blocker := range c.status.BlockedBy {
		if !listed(failed, blocker.Configuration, blocker.Hook) {
			c.wrong("blockedBy has %s %s, which did not block", blocker.Configuration, blocker.Hook)
		}
	}
}
