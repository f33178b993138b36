package requestpath

import (
	"time"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// effects are what can come of a hop. Where something is not known there are
// several.
type effects struct {
	// passes: the request goes on.
	passes bool
	// denies: the request is refused by a decision or an error.
	denies bool
	// blocks: the request is refused because a backend is down.
	blocks bool
}

// certain effects of a hop.
var (
	passing  = effects{passes: true}
	denying  = effects{denies: true}
	blocking = effects{blocks: true}
)

// or returns the effects of which any can come.
func (e effects) or(other effects) effects {
	return effects{e.passes || other.passes, e.denies || other.denies, e.blocks || other.blocks}
}

// flow follows a request from hop to hop, as far as it comes.
type flow struct {
	hops []extant.Hop
	// possible are the ends that the request can have come to before this hop;
	// passes tells whether it can have come to here.
	possible effects
	message  string
	latency  time.Duration
	// unsure are what was not known, for people.
	unsure []string
	// handedOver: an aggregated server can have been asked.
	handedOver bool
	// unauthorized says why it is not known whether the request is authorized.
	// What comes later is what comes of it if it is.
	unauthorized string
}

func newFlow() *flow { return &flow{possible: passing, hops: make([]extant.Hop, 0, 8)} }

// reached tells whether a request comes to the next hop: surely, or never.
func (f *flow) reached() (surely, never bool) {
	return !f.possible.denies && !f.possible.blocks, !f.possible.passes
}

// pass adds a hop that comes before everything that is added later.
func (f *flow) pass(hop extant.Hop, e effects) {
	all, longest := passing, time.Duration(0)
	f.add(hop, e, &all, &longest)
	f.leave(all, longest)
}

// together adds hops all of which the API server takes whatever comes of the
// others.
func (f *flow) together(hops []extant.Hop, each []effects) {
	all, longest := passing, time.Duration(0)
	for i := range hops {
		f.add(hops[i], each[i], &all, &longest)
	}
	f.leave(all, longest)
}

// add adds a hop, and to what can come of all that are taken with it.
func (f *flow) add(hop extant.Hop, e effects, all *effects, longest *time.Duration) {
	surely, never := f.reached()
	switch {
	case hop.Match == extant.NotMatched:
	case never:
		hop.Outcome = extant.OutcomeNotReached
	default:
		f.explain(&hop, e)
		if !surely && hop.Outcome != extant.OutcomeUnknown {
			hop.Outcome, hop.Reason = extant.OutcomeUnknown, extant.ReasonUndetermined
			hop.Message = "whether the request comes to here is not known"
		}
		all.passes = all.passes && e.passes
		all.denies = all.denies || e.denies
		all.blocks = all.blocks || e.blocks
		if hop.Timeout != nil {
			*longest = max(*longest, hop.Timeout.Duration)
		}
	}
	f.hops = append(f.hops, hop)
}

// leave goes on from hops to what comes later.
func (f *flow) leave(all effects, longest time.Duration) {
	if _, never := f.reached(); never {
		return
	}
	f.latency += longest
	f.possible = effects{passes: all.passes, denies: f.possible.denies || all.denies, blocks: f.possible.blocks || all.blocks}
}

// refuse ends the request, surely, by something that is no hop.
func (f *flow) refuse(message string) {
	if !f.possible.passes {
		return
	}
	if f.message == "" {
		f.message = message
	}
	f.possible = effects{denies: true, blocks: f.possible.blocks}
}

// explain keeps the message of what refuses first, and what is not known.
func (f *flow) explain(hop *extant.Hop, e effects) {
	if !e.denies && !e.blocks {
		return
	}
	if !e.passes && f.message == "" {
		f.message = nameOf(hop) + ": " + hop.Message
	}
	if e.passes || e.denies && e.blocks {
		f.unsure = append(f.unsure, nameOf(hop)+": "+hop.Message)
	}
}

// nameOf names a hop for people.
func nameOf(hop *extant.Hop) string {
	name := string(hop.Stage)
	if hop.Configuration != "" {
		name += " " + hop.Configuration
	}
	if hop.Hook != "" {
		name += "/" + hop.Hook
	}
	return name
}

// verdict is what comes of the request.
func (f *flow) verdict() extant.Verdict {
	verdict := f.admitted()
	if f.unauthorized != "" && verdict != extant.VerdictDenied {
		return extant.VerdictUnknown
	}
	return verdict
}

// admitted is what comes of the request if it is authorized.
func (f *flow) admitted() extant.Verdict {
	switch f.possible {
	case passing:
		return extant.VerdictAllowed
	case denying:
		return extant.VerdictDenied
	case blocking:
		return extant.VerdictBlocked
	default:
		return extant.VerdictUnknown
	}
}
