package outage

import (
	"time"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// outcome is what is known of a recovery. There are several runs where it is
// not known which leases are lost: what all of them say is so.
type outcome struct {
	// sure take nothing that is not known for good; hopeful take all of it.
	sure, hopeful []*run
	// race: it depends on how long pods take to start whether leases are lost.
	race []*controlComponent
	// doubtful: more may be lost than is known.
	doubtful bool
}

// recover lets the cluster recover as far as it can.
func (a *analysis) recover() *outcome {
	a.recipes = write(a.loss.workloads, a.kindOf, a.recipeOf)
	a.publications = make(map[*backend][]requirement, len(a.loss.backends))
	for _, b := range a.loss.backends {
		a.publications[b] = a.publication(b)
	}
	return a.play()
}

// play reads the recovery for who hopes and for who does not.
func (a *analysis) play() *outcome {
	o := &outcome{doubtful: len(a.loss.doubts) > 0}
	o.sure, o.race = a.read(false)
	if len(o.race) == 0 && !o.sure[0].doubted {
		o.hopeful = o.sure
		return o
	}
	o.hopeful, _ = a.read(true)
	return o
}

// read plays the recovery in one reading: once, or where it is not known
// whether components lapse, once without and once with that.
func (a *analysis) read(hopeful bool) (runs []*run, race []*controlComponent) {
	surely, perhaps := a.lapses(hopeful)
	runs = []*run{a.until(hopeful, surely)}
	if len(perhaps) > 0 {
		runs = append(runs, a.until(hopeful, append(surely[:len(surely):len(surely)], perhaps...)))
	}
	return runs, perhaps
}

// lapses tells which components of the control plane lose their leases: surely,
// and perhaps.
func (a *analysis) lapses(hopeful bool) (surely, perhaps []*controlComponent) {
	calm := a.newRun(hopeful)
	var threatened []*controlComponent
	for _, c := range a.components() {
		if !c.restarted && !calm.renews(c).believe(hopeful) {
			threatened = append(threatened, c)
		}
	}
	if len(threatened) == 0 || a.loss.Mode == extant.ModeUnreachable {
		return nil, nil
	}
	back := map[*controlComponent]int{}
	for more := true; more; {
		more = calm.step()
		for _, c := range threatened {
			if back[c] == 0 && calm.renews(c).believe(hopeful) {
				back[c] = calm.wave
			}
		}
	}
	startup, known := a.startup()
	for _, c := range threatened {
		after := startup * time.Duration(back[c])
		switch {
		case back[c] == 0 || known && after >= c.lapse:
			surely = append(surely, c)
		case !known || after >= c.grace:
			perhaps = append(perhaps, c)
		}
	}
	return surely, perhaps
}

// until lets the cluster recover as far as it can when these components lapse.
func (a *analysis) until(hopeful bool, lapsing []*controlComponent) *run {
	r := a.newRun(hopeful)
	if len(lapsing) == 0 {
		r.finish()
		return r
	}
	startup, known := a.startup()
	for {
		r.place()
		if !known || startup*time.Duration(r.wave+1) >= leaderGrace || !r.step() {
			break
		}
	}
	for _, c := range lapsing {
		r.lapsed[c] = true
	}
	r.finish()
	return r
}

// fate is what comes of a lost thing: it comes back, it does not, or that is
// not known.
func (o *outcome) fate(back func(*run) bool) truth {
	fate := yes
	for _, r := range o.sure {
		if !back(r) {
			fate = unknown
		}
	}
	switch {
	case fate == yes && o.doubtful:
		return unknown
	case fate == yes:
		return yes
	}
	for _, r := range o.hopeful {
		if back(r) {
			return unknown
		}
	}
	return no
}

func (o *outcome) workload(w *workload) truth {
	return o.fate(func(r *run) bool { return r.isUp(w) == yes })
}

func (o *outcome) backend(name string) truth {
	return o.fate(func(r *run) bool { return r.answers(name) == yes })
}

// wave is when something surely comes back.
func (o *outcome) wave(of func(*run) int) int {
	latest := 0
	for _, r := range o.sure {
		latest = max(latest, of(r))
	}
	return latest
}
