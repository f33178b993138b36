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
	reasons := slices.Clone(a.loss.doubts)
	verdict := yes
	if a.outcome.doubtful {
		verdict = unknown
	}
	for _, w := range a.loss.workloads {
		fate := a.outcome.workload(w)
		verdict = verdict.and(fate)
		switch fate {
		case no:
			recovery.Stuck = append(recovery.Stuck, a.stuck(w))
		case unknown:
			reasons = append(reasons, a.whyUnknown(w.String(), a.recipes[w].all()))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.loss.backends)) {
		fate := a.outcome.backend(name)
		verdict = verdict.and(fate)
		switch fate {
		case no:
			recovery.Unreachable = append(recovery.Unreachable, name)
		case unknown:
			reasons = append(reasons, a.whyUnknown("backend "+name, a.publications[a.loss.backends[name]]))
		}
	}
	if denied := a.deniedForGood(); denied != "" {
		verdict = no
		reasons = append(reasons, denied)
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
			wave := at(a.outcome.wave(func(r *run) int { return r.waves[w] }))
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

// stuck says what a workload waits for that never comes.
func (a *analysis) stuck(w *workload) extant.StuckObject {
	stuck := extant.StuckObject{ObjectReference: w.ObjectReference}
	r := a.last()
	var messages []string
	for _, q := range r.lacking(r.pending(w)) {
		if q.passage != nil {
			if needed := q.passage.operation.needed(); !slices.Contains(stuck.Needs, needed) {
				stuck.Needs = append(stuck.Needs, needed)
			}
		}
		stuck.BlockedBy = append(stuck.BlockedBy, r.blockers(q)...)
		if message := q.because.String(); !slices.Contains(messages, message) {
			messages = append(messages, message)
		}
	}
	stuck.BlockedBy = distinctReferences(stuck.BlockedBy)
	stuck.Message = strings.Join(messages, "; ")
	return stuck
}

// last is the most hopeful reading of what is left at the end.
func (a *analysis) last() *run { return a.outcome.hopeful[len(a.outcome.hopeful)-1] }

// whyUnknown says why it is not known whether something comes back.
func (a *analysis) whyUnknown(what string, requirements []requirement) string {
	if len(a.outcome.race) > 0 {
		var names []string
		for _, c := range a.outcome.race {
			names = append(names, c.name)
		}
		return fmt.Sprintf("%s: it depends on how long pods take to start (assume.startupSeconds) whether %s can renew leases in time", what, strings.Join(names, " and "))
	}
	r := a.outcome.sure[len(a.outcome.sure)-1]
	if lacking := r.lacking(requirements); len(lacking) > 0 {
		q := lacking[0]
		why := q.because.String()
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
func (a *analysis) summary(verdict truth, recovery *extant.Recovery, reasons []string) (metav1.ConditionStatus, string) {
	switch verdict {
	case yes:
		if len(a.loss.workloads)+len(a.loss.backends) == 0 {
			return metav1.ConditionTrue, "nothing is lost"
		}
		return metav1.ConditionTrue, fmt.Sprintf("everything that is lost is back after %s", count(len(recovery.Waves), "wave"))
	case unknown:
		return metav1.ConditionUnknown, strings.Join(shortened(reasons), "; ")
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

// shortened keeps the first few of many reasons.
func shortened(reasons []string) []string {
	const most = 3
	if len(reasons) <= most {
		return reasons
	}
	return append(reasons[:most:most], fmt.Sprintf("and %d more", len(reasons)-most))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
