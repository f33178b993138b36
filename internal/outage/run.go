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
	// waves and answered are when things came back, from 1.
	waves    map[*workload]int
	answered map[string]int
	// placed are the workloads whose pods were created and bound while the
	// components still ran.
	placed map[*workload]bool
	wave   int
}

func (a *analysis) newRun(hopeful bool) *run {
	return &run{
		analysis: a, hopeful: hopeful, lapsed: map[*controlComponent]bool{},
		waves: map[*workload]int{}, answered: map[string]int{}, placed: map[*workload]bool{},
	}
}

// isUp tells whether a workload is up.
func (r *run) isUp(w *workload) truth {
	if w.lost == 0 || r.waves[w] > 0 {
		return yes
	}
	return no
}

// answers tells whether a backend answers.
func (r *run) answers(name string) truth {
	b, ok := r.backends[name]
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
	if c.restarted || r.lapsed[c] {
		return append(slices.Clone(c.renewals), c.starts...)
	}
	return c.renewals
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
		switch allowed := p.allowed(r.answers); {
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
		starts = starts.and(p.allowed(r.answers))
	}
	return starts
}

// step brings back what can come back, and tells whether anything did.
func (r *run) step() bool {
	var workloads []*workload
	for _, w := range r.loss.workloads {
		if r.waves[w] == 0 && len(r.lacking(r.pending(w))) == 0 {
			workloads = append(workloads, w)
		}
	}
	var backends []string
	up := func(w *workload) bool { return r.isUp(w) == yes || slices.Contains(workloads, w) }
	for name, b := range r.loss.backends {
		if r.answered[name] == 0 && r.published(b, up) {
			backends = append(backends, name)
		}
	}
	r.wave++
	for _, w := range workloads {
		r.waves[w] = r.wave
	}
	for _, name := range backends {
		r.answered[name] = r.wave
	}
	return len(workloads)+len(backends) > 0
}

// pending are the requirements of a workload that are left: pods that were
// placed while the components ran need neither controller nor scheduler.
func (r *run) pending(w *workload) []requirement {
	all := r.recipes[w]
	if r.placed[w] {
		return all.running
	}
	return all.all()
}

// published tells whether a backend answers once these workloads are up.
func (r *run) published(b *backend, up func(*workload) bool) bool {
	if len(r.lacking(r.publications[b])) > 0 {
		return false
	}
	if b.service == nil || len(b.workloads) == 0 {
		return true
	}
	return slices.ContainsFunc(b.workloads, up)
}

// place notes what can be created and bound now.
func (r *run) place() {
	for _, w := range r.loss.workloads {
		if r.waves[w] == 0 && len(r.lacking(r.recipes[w].placing)) == 0 {
			r.placed[w] = true
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
