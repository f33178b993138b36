package prober

import (
	"bytes"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// state is what is known of one backend. The controller's lock guards it.
type state struct {
	target *target
	// pure is what the snapshot tells.
	pure *extant.BackendStatus
	// answers is the newest answer of each endpoint.
	answers map[string]answer
	// shown is the verdict to write; nil before the first.
	shown *verdict
	// believed is whether the backend was available last, and doubted that a
	// probe since contradicts it.
	believed metav1.ConditionStatus
	doubted  bool
	samples  samples
	// probed is when the newest probe was made.
	probed time.Time
	pace   pace
	// running: a probe is under way; again: its target changed meanwhile.
	running, again bool
	// next is the endpoint that the next round begins with.
	next int
	// applied is what was written last, and written the time of the newest probe
	// in it.
	applied *v1alpha1.Backend
	written time.Time
}

// newState begins with what is stored, so that a replica that takes over goes on
// where the one before ended.
func newState(stored *v1alpha1.Backend, recent bool) *state {
	s := &state{}
	if stored == nil {
		return s
	}
	s.samples = samples(slices.Clone(stored.Status.Samples))
	s.wrote(stored)
	if recent {
		s.believed = stored.Status.Available
	}
	return s
}

// wrote notes what is stored.
func (s *state) wrote(stored *v1alpha1.Backend) {
	if at := stored.Status.LastProbeTime; at != nil {
		s.written = at.Time
	}
}

// aim sets what is to be called. It tells whether that differs, so that a probe
// is due.
func (s *state) aim(t *target, pure *extant.BackendStatus) (changed, due bool) {
	before := s.target
	changed = before == nil || !sameTarget(before, t) ||
		s.pure.Available != pure.Available || s.pure.Reason != pure.Reason || s.pure.Message != pure.Message
	due = t.skip == "" && (before == nil || before.skip != "" || !sameEndpoints(before, t))
	s.target, s.pure = t, pure
	if t.skip != "" && pure.Available == metav1.ConditionUnknown {
		// Nobody looks any more. Where there is nothing to look at, what the
		// certificate said last still does.
		s.shown, s.answers = nil, nil
	}
	return changed, due
}

func sameEndpoints(x, y *target) bool {
	return x.probe == y.probe && x.serverName == y.serverName && slices.Equal(x.endpoints, y.endpoints) && slices.Equal(x.protocols, y.protocols)
}

func sameTarget(x, y *target) bool {
	return sameEndpoints(x, y) && x.skip == y.skip && x.doubt == y.doubt && x.mute == y.mute &&
		slices.EqualFunc(x.callers, y.callers, func(x, y caller) bool {
			return x.resource == y.resource && x.object == y.object && x.hook == y.hook && x.insecure == y.insecure && bytes.Equal(x.bundle, y.bundle)
		})
}

// record takes in what a round found. It returns when the next one is due, and
// whether there is something to write.
func (s *state) record(r round, judges *judges, now time.Time) (delay time.Duration, news bool) {
	s.running = false
	s.answers = r.kept(s.answers, s.target, now)
	for endpoint := range s.answers {
		if !slices.Contains(s.target.endpoints, endpoint) {
			delete(s.answers, endpoint)
		}
	}
	if len(s.answers) == 0 {
		return 0, false // others are there by now
	}
	if len(s.target.endpoints) > endpointsPerRound {
		s.next = (s.next + endpointsPerRound) % len(s.target.endpoints)
	}
	s.probed = r.at
	v := decide(s.target, s.answers, judges, now)
	failure := ""
	if v.available != metav1.ConditionTrue && v.failed() {
		failure = v.message
	}
	s.samples = s.samples.with(r.at, r.slowest(), failure)

	contradicts := s.believed == metav1.ConditionTrue && v.available == metav1.ConditionFalse && !s.doubted
	if s.doubted = contradicts; !contradicts {
		news = s.shown == nil || !v.equals(s.shown)
		s.shown, s.believed = &v, v.available
	}
	news = news || s.probed.Sub(s.written) >= inventory.ResultsWritten || s.written.After(s.probed)
	return s.pace.next(v.failed(), contradicts, s.target.interval()), news
}

// reconsider judges the same answers for other callers.
func (s *state) reconsider(judges *judges, now time.Time) {
	if s.shown == nil || len(s.answers) == 0 || s.target.skip != "" {
		return
	}
	if v := decide(s.target, s.answers, judges, now); v.reason != extant.BackendNotProbed {
		s.shown, s.believed = &v, v.available
	}
}
