package outage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// recovery says what comes back, in which order, and what does not.
func (a *analysis) recovery() extant.Recovery {
	if a.loss.Mode == extant.ModeUnreachable {
		return extant.Recovery{RecoversUnaided: metav1.ConditionUnknown, Reason: "nothing is lost: it is over when the backends answer again"}
	}
	recovery := extant.Recovery{Waves: a.wavesOf()}
	reasons := &reasons{first: slices.Clone(a.loss.doubts)}
	waiting := map[*recipe]waiting{}
	verdict := yes
	if a.outcome.doubtful {
		verdict = unknown
	}
	for _, w := range a.loss.workloads {
		fate := a.outcome.workload(w)
		verdict = verdict.and(fate)
		switch fate {
		case no:
			c := a.recipes.of[w]
			held, ok := waiting[c]
			if !ok {
				held = a.waitingFor(c)
				waiting[c] = held
			}
			recovery.Stuck = append(recovery.Stuck, held.stuck(w))
		case unknown:
			c := a.recipes.of[w]
			reasons.add(func() string { return a.whyUnknown(w.String(), w, c.placing, c.running) })
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.loss.backends)) {
		fate := a.outcome.backend(name)
		verdict = verdict.and(fate)
		switch fate {
		case no:
			recovery.Unreachable = append(recovery.Unreachable, name)
		case unknown:
			reasons.add(func() string { return a.whyUnknown("backend "+name, nil, a.publications[a.loss.backends[name]]) })
		}
	}
	if denied := a.deniedForGood(); denied != "" {
		verdict = no
		reasons.add(func() string { return denied })
	}
	recovery.RecoversUnaided, recovery.Reason = a.summary(verdict, &recovery, reasons)
	recovery.Deadlocks = a.deadlocks()
	return recovery
}

// wavesOf are the waves of what surely comes back.
func (a *analysis) wavesOf() []extant.RecoveryWave {
	byNumber := map[int]*extant.RecoveryWave{}
	at := func(number int) *extant.RecoveryWave {
		if byNumber[number] == nil {
			byNumber[number] = &extant.RecoveryWave{Wave: int32(number)}
		}
		return byNumber[number]
	}
	for _, w := range a.loss.workloads {
		if a.outcome.workload(w) == yes {
			wave := at(a.outcome.wave(func(r *run) int { return r.waves[a.recipes.of[w]] }))
			wave.Workloads = append(wave.Workloads, w.ObjectReference)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.loss.backends)) {
		if a.outcome.backend(name) == yes {
			wave := at(a.outcome.wave(func(r *run) int { return r.answered[name] }))
			wave.Backends = append(wave.Backends, name)
		}
	}
	var waves []extant.RecoveryWave
	for _, number := range slices.Sorted(maps.Keys(byNumber)) {
		waves = append(waves, *byNumber[number])
	}
	return waves
}

// waiting is what the workloads of one kind wait for that never comes.
type waiting struct {
	lacking   []*requirement
	blockedBy []extant.HookReference
}

func (a *analysis) waitingFor(c *recipe) waiting {
	r := a.last()
	found := waiting{lacking: r.pending(c)}
	for _, q := range found.lacking {
		found.blockedBy = append(found.blockedBy, r.blockers(q)...)
	}
	found.blockedBy = distinctReferences(found.blockedBy)
	return found
}

// stuck says that a workload waits.
func (f *waiting) stuck(w *workload) extant.StuckObject {
	stuck := extant.StuckObject{ObjectReference: w.ObjectReference, BlockedBy: slices.Clone(f.blockedBy)}
	var messages []string
	for _, q := range f.lacking {
		if q.passage != nil {
			if needed := q.passage.of(w).needed(); !slices.Contains(stuck.Needs, needed) {
				stuck.Needs = append(stuck.Needs, needed)
			}
		}
		if message := q.because.of(w); !slices.Contains(messages, message) {
			messages = append(messages, message)
		}
	}
	stuck.Message = strings.Join(messages, "; ")
	return stuck
}

// last is the most hopeful reading of what is left at the end.
func (a *analysis) last() *run { return a.outcome.hopeful[len(a.outcome.hopeful)-1] }

// whyUnknown says why it is not known whether something comes back.
func (a *analysis) whyUnknown(what string, w *workload, requirements ...[]requirement) string {
	if len(a.outcome.race) > 0 {
		var names []string
		for _, c := range a.outcome.race {
			names = append(names, c.name)
		}
		return fmt.Sprintf("%s: it depends on how long pods take to start (assume.startupSeconds) whether %s can renew leases in time", what, strings.Join(names, " and "))
	}
	r := a.outcome.sure[len(a.outcome.sure)-1]
	if lacking := r.lacking(requirements...); len(lacking) > 0 {
		q := lacking[0]
		why := q.because.of(w)
		if q.passage != nil && q.passage.because != "" {
			why += ": " + q.passage.because
		}
		return what + ": " + why
	}
	return what + ": what it waits for may not come back"
}

// deniedForGood says what is refused for good because of what is deleted.
func (a *analysis) deniedForGood() string {
	for i := range a.observed.Inventory.Hooks {
		hook := &a.observed.Inventory.Hooks[i]
		if !a.hookDeleted(hook) && a.paramDeleted(hook) {
			return fmt.Sprintf("the policy %s refuses what its binding %s matches: its param is deleted", hook.Object, hook.Name)
		}
	}
	return ""
}

// summary is the verdict with the reason for it.
func (a *analysis) summary(verdict truth, recovery *extant.Recovery, reasons *reasons) (metav1.ConditionStatus, string) {
	switch verdict {
	case yes:
		if len(a.loss.workloads)+len(a.loss.backends) == 0 {
			return metav1.ConditionTrue, "nothing is lost"
		}
		return metav1.ConditionTrue, fmt.Sprintf("everything that is lost is back after %s", count(len(recovery.Waves), "wave"))
	case unknown:
		return metav1.ConditionUnknown, reasons.String()
	}
	var parts []string
	if n := len(recovery.Stuck); n > 0 {
		parts = append(parts, fmt.Sprintf("%s stuck", count(n, "workload")))
	}
	if n := len(recovery.Unreachable); n > 0 {
		parts = append(parts, fmt.Sprintf("%s without a ready endpoint", count(n, "backend")))
	}
	if denied := a.deniedForGood(); denied != "" {
		parts = append(parts, denied)
	}
	return metav1.ConditionFalse, strings.Join(parts, ", ")
}

// reasons are the first few of many, and how many there are besides.
type reasons struct {
	first []string
	more  int
}

// maxReasons is how many reasons people read.
const maxReasons = 3

// add adds a reason, of which the words are asked for where they are told.
func (r *reasons) add(words func() string) {
	if len(r.first) < maxReasons {
		r.first = append(r.first, words())
	} else {
		r.more++
	}
}

// String is the reasons in one line.
func (r *reasons) String() string {
	told, more := r.first, r.more
	if len(told) > maxReasons {
		told, more = told[:maxReasons], more+len(told)-maxReasons
	}
	line := strings.Join(told, "; ")
	if more > 0 {
		line += fmt.Sprintf("; and %d more", more)
	}
	return line
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
