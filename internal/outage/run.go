package outage

import (
	"slices"
	"time"
)

// run is one reading of a recovery: what comes back wave by wave, for who
// hopes that what is not known is good, or for who does not.
type run struct {
	*analysis
	hopeful bool
	// lapsed are the components that gave up because they could not renew in
	// time. They start again once they can.
	lapsed map[*controlComponent]bool
	// waves and answered are when things came back, from 1: all workloads of one
	// recipe, and backends.
	waves    map[*recipe]int
	answered map[string]int
	// placed are those of the workloads whose pods were created and bound while
	// the components still ran.
	placed map[*recipe]bool
	wave   int
	// doubted: something was not known, so that who hopes reads it otherwise.
	doubted bool
}

func (a *analysis) newRun(hopeful bool) *run {
	return &run{
		analysis: a, hopeful: hopeful, lapsed: map[*controlComponent]bool{},
		waves: map[*recipe]int{}, answered: map[string]int{}, placed: map[*recipe]bool{},
	}
}

// isUp tells whether a workload is up.
func (r *run) isUp(w *workload) truth {
	if w.lost == 0 || r.waves[r.recipes.of[w]] > 0 {
		return yes
	}
	return no
}

// answers tells whether a backend answers.
func (r *run) answers(name string) truth {
	b, ok := r.backends.named[name]
	switch {
	case !ok:
		return unknown
	case r.answered[name] > 0:
		return yes
	case r.loss.backends[name] != nil:
		return no
	}
	return b.before
}

// needsOf are the operations without which a component does not go on.
func (r *run) needsOf(c *controlComponent) []*passage {
	needs := slices.Clone(c.renewals)
	if c.restarted || r.lapsed[c] {
		needs = append(needs, c.starts...)
	}
	for i, p := range needs {
		needs[i] = r.now(p)
	}
	return needs
}

// running tells whether a component of the control plane runs.
func (r *run) running(c *controlComponent) truth {
	if !c.restarted && !r.lapsed[c] {
		return yes
	}
	return r.renews(c).and(r.starts(c))
}

func (r *run) renews(c *controlComponent) truth {
	renews := yes
	for i, p := range c.renewals {
		switch allowed := r.now(p).allowed(r.answers); {
		case c.anyOf && i > 0:
			renews = renews.or(allowed)
		default:
			renews = renews.and(allowed)
		}
	}
	return renews
}

func (r *run) starts(c *controlComponent) truth {
	starts := yes
	for _, p := range c.starts {
		starts = starts.and(r.now(p).allowed(r.answers))
	}
	return starts
}

// step brings back what can come back, and tells whether anything did.
func (r *run) step() bool {
	var ready []*recipe
	for _, c := range r.recipes.distinct {
		if r.waves[c] == 0 && r.ready(c) {
			ready = append(ready, c)
		}
	}
	// What backends need besides their workloads must be there before the wave.
	var published []*backend
	for name, b := range r.loss.backends {
		if r.answered[name] == 0 && r.allMet(r.publications[b]) {
			published = append(published, b)
		}
	}
	r.wave++
	for _, c := range ready {
		r.waves[c] = r.wave
	}
	changed := len(ready) > 0
	for _, b := range published {
		if b.service == nil || len(r.serving[b]) == 0 || slices.ContainsFunc(r.serving[b], func(w *workload) bool { return r.isUp(w) == yes }) {
			r.answered[b.name] = r.wave
			changed = true
		}
	}
	return changed
}

// ready tells whether everything that workloads need is there.
func (r *run) ready(c *recipe) bool {
	return r.allMet(c.running) && (r.placed[c] || r.allMet(c.placing))
}

func (r *run) allMet(all []requirement) bool {
	for i := range all {
		met := r.met(&all[i])
		r.doubted = r.doubted || met == unknown
		if !met.believe(r.hopeful) {
			return false
		}
	}
	return true
}

// pending are the requirements of workloads that are left: pods that were
// placed while the components ran need neither controller nor scheduler.
func (r *run) pending(c *recipe) []*requirement {
	if r.placed[c] {
		return r.lacking(c.running)
	}
	return r.lacking(c.placing, c.running)
}

// place notes what can be created and bound now.
func (r *run) place() {
	for _, c := range r.recipes.distinct {
		if r.waves[c] == 0 && r.allMet(c.placing) {
			r.placed[c] = true
		}
	}
}

// finish runs until nothing more comes back.
func (r *run) finish() {
	for r.step() {
	}
}

// startup is how long a wave takes, where that is assumed.
func (a *analysis) startup() (time.Duration, bool) {
	if s := a.spec.Assume.StartupSeconds; s != nil {
		return time.Duration(*s)*time.Second + 500*time.Millisecond, true
	}
	return 0, false
}
