package truth

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// polled is by how much the times of two recoveries must differ to mean
// anything. They were polled every half second.
const polled = 0.6

// OutageComparison is a review of an outage held against what really happened.
type OutageComparison struct {
	// Disagreements are where the review is wrong.
	Disagreements []string
	// Unknown is what the review cannot tell, and why.
	Unknown []string

	outage *Outage
	spec   *extant.OutageReviewSpec
	status *extant.OutageReviewStatus
	// namespaces are those that the review could know.
	namespaces map[string]bool
}

// Compare holds the answer to a question against what happened. The question is
// Spec, or one that assumes more or less.
func (s *Outage) Compare(spec *extant.OutageReviewSpec, status *extant.OutageReviewStatus) *OutageComparison {
	c := &OutageComparison{outage: s, spec: spec, status: status, namespaces: s.namespaces()}
	c.recovers()
	c.stuck()
	c.waves()
	c.order()
	c.unreachable()
	c.backends()
	c.blocked()
	c.denied()
	c.allowed()
	c.vital()
	c.collateral()
	return c
}

// IsUnknown tells whether the review leaves anything open.
func (c *OutageComparison) IsUnknown() bool { return len(c.Unknown) > 0 }

func (c *OutageComparison) wrong(format string, args ...any) {
	c.Disagreements = append(c.Disagreements, fmt.Sprintf(format, args...))
}

// recovers compares the verdict. While backends hang nothing is lost, and
// whether they recover is not asked: the hang never ended.
func (c *OutageComparison) recovers() {
	verdict, reason := c.status.Recovery.RecoversUnaided, c.status.Recovery.Reason
	want := metav1.ConditionFalse
	if c.outage.Truth.RecoversUnaided {
		want = metav1.ConditionTrue
	}
	switch {
	case c.outage.Simulated == SimulatedHang:
		if verdict != metav1.ConditionUnknown {
			c.wrong("recoversUnaided is %s, and nothing was lost", verdict)
		}
	case verdict == metav1.ConditionUnknown && reason == "":
		c.wrong("recoversUnaided is Unknown without a reason")
	case verdict == metav1.ConditionUnknown:
		c.Unknown = append(c.Unknown, "recoversUnaided: "+reason)
	case verdict != want:
		c.wrong("recoversUnaided is %q (%s) and was %s", verdict, reason, want)
	}
}

// open tells whether the review says that it cannot tell what recovers. What
// it then lists as stuck or in waves is what it is sure of.
func (c *OutageComparison) open() bool {
	return c.status.Recovery.RecoversUnaided == metav1.ConditionUnknown
}

// stuck compares what does not come back.
func (c *OutageComparison) stuck() {
	left := slices.Clone(c.outage.Truth.Stuck)
	for _, stuck := range c.status.Recovery.Stuck {
		i := slices.IndexFunc(left, func(w RecordedWorkload) bool { return w.ObjectReference == stuck.ObjectReference })
		if i < 0 {
			c.wrong("%s is stuck, and was not", reference(stuck.ObjectReference))
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, workload := range left {
		if !c.open() {
			c.wrong("%s is not stuck, and was", reference(workload.ObjectReference))
		}
	}
}

// waves wants each workload that recovered in one wave, and none else.
func (c *OutageComparison) waves() {
	if c.outage.Simulated == SimulatedHang {
		return // Nothing was lost: what the recording calls recovered was never gone.
	}
	listed := map[extant.ObjectReference]int{}
	for i, wave := range c.status.Recovery.Waves {
		if wave.Wave != int32(i+1) {
			c.wrong("wave %d is at place %d", wave.Wave, i+1)
		}
		for _, workload := range wave.Workloads {
			listed[workload]++
			if listed[workload] > 1 {
				c.wrong("%s is in two waves", reference(workload))
			}
			if slices.ContainsFunc(c.outage.Truth.Stuck, func(w RecordedWorkload) bool { return w.ObjectReference == workload }) {
				c.wrong("%s is in wave %d, and did not recover", reference(workload), wave.Wave)
			}
		}
	}
	for _, workload := range c.outage.Truth.Recovered {
		if listed[workload.ObjectReference] == 0 && !c.open() {
			c.wrong("%s is in no wave, and recovered", reference(workload.ObjectReference))
		}
	}
}

func (c *OutageComparison) waveOf(workload extant.ObjectReference) (int32, bool) {
	for _, wave := range c.status.Recovery.Waves {
		if slices.Contains(wave.Workloads, workload) {
			return wave.Wave, true
		}
	}
	return 0, false
}

// order wants what came back later in a later wave. The same wave would say
// that neither waits for the other. In the recordings nothing but that made a
// workload wait: what needs nothing was ready at the first or second poll. A
// smaller difference than that of two polls says nothing, whichever the waves
// are: pods that start at once can come in two waves between two polls.
func (c *OutageComparison) order() {
	for _, first := range c.outage.Truth.Recovered {
		for _, second := range c.outage.Truth.Recovered {
			if second.Seconds-first.Seconds < polled {
				continue
			}
			before, listed := c.waveOf(first.ObjectReference)
			after, both := c.waveOf(second.ObjectReference)
			if listed && both && after <= before {
				c.wrong("%s is in wave %d and %s in wave %d, and it came %.1f s later",
					reference(first.ObjectReference), before, reference(second.ObjectReference), after, second.Seconds-first.Seconds)
			}
		}
	}
}

// unreachable compares which backends have no endpoint at the end. One that
// never had any may be listed or not: the recording counts no loss, and it has
// no ready endpoint at the end either. While backends hang they keep their
// endpoints, and the recording counts only those that answer.
func (c *OutageComparison) unreachable() {
	if c.outage.Simulated == SimulatedHang {
		return
	}
	said := c.status.Recovery.Unreachable
	for _, backend := range c.outage.Truth.Backends {
		lost := backend.ReadyBefore > 0 && backend.ReadyAfter == 0
		listed := slices.Contains(said, backend.Name)
		switch {
		case lost && !listed && !c.open():
			c.wrong("backend %s is reachable, and was not", backend.Name)
		case listed && backend.ReadyAfter > 0:
			c.wrong("backend %s is unreachable, and was not", backend.Name)
		}
	}
	for _, name := range said {
		if !slices.ContainsFunc(c.outage.Truth.Backends, func(b RecordedBackend) bool { return b.Name == name }) {
			c.wrong("backend %s is unreachable, and nobody calls it", name)
		}
	}
}

// backends wants each backend that came back in one wave, not before the
// earliest wave of a workload, and none that did not.
func (c *OutageComparison) backends() {
	if c.outage.Simulated == SimulatedHang {
		return
	}
	for _, backend := range c.outage.Truth.Backends {
		waves := 0
		for _, wave := range c.status.Recovery.Waves {
			if slices.Contains(wave.Backends, backend.Name) {
				waves++
			}
		}
		gone := backend.ReadyBefore > 0 && backend.ReadyDuring == 0
		switch {
		case waves > 1:
			c.wrong("backend %s is in %d waves", backend.Name, waves)
		case waves > 0 && backend.ReadyAfter == 0:
			c.wrong("backend %s is in a wave, and did not come back", backend.Name)
		case waves == 0 && gone && backend.ReadyAfter > 0 && !c.open():
			c.wrong("backend %s is in no wave, and came back", backend.Name)
		}
	}
}

func reference(r extant.ObjectReference) string {
	return strings.Join([]string{r.Resource, r.Namespace, r.Name}, "/")
}
