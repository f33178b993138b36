package outage

import (
	"maps"
	"slices"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// maxTries bounds how many changes of one review are tried: with each the
// recovery is computed again.
const maxTries = 32

// attempts tries changes of a cluster.
type attempts struct {
	*Engine
	of   *analysis
	left int
}

func (e *Engine) attemptsOf(a *analysis) *attempts { return &attempts{e, a, maxTries} }

// with computes an outage again in the cluster with one change more, and says by
// which patch it is made. What the changed hook is not asked about stays as it
// was.
func (t *attempts) with(a *analysis, c *change) (after *analysis, patch string, err error) {
	t.left--
	edit, patch, ok := c.apply(a.snapshot())
	if !ok {
		return a, "", nil
	}
	changed := *a
	after = &changed
	after.loss.workloads = a.leading()
	after.requests, after.classes, after.deadlocked = t.edited, a.classes.without(c.hook), nil
	after.observed.Snapshot = a.snapshot().Edited(edit)
	inventory := *a.observed.Inventory
	inventory.Hooks = slices.Clone(inventory.Hooks)
	for i := range inventory.Hooks {
		if hook := &inventory.Hooks[i]; hook.Resource == c.hook.Resource && hook.Object == c.hook.Object {
			reread(hook, after.observed.Snapshot)
		}
	}
	after.observed.Inventory = &inventory
	after.reroute(referenceOf(c.hook))
	after.outcome = after.play()
	return after, patch, a.ctx.Err()
}

// fewWorkloads is how many lost workloads are tried again with every change.
const fewWorkloads = 1_000

// leading are the lost workloads that a change is tried on: all of a few, and of
// many those that others wait for.
func (a *analysis) leading() []*workload {
	if len(a.loss.workloads) <= fewWorkloads {
		return a.loss.workloads
	}
	awaited := map[*workload]bool{}
	for _, b := range a.loss.backends {
		for _, w := range a.serving[b] {
			awaited[w] = true
		}
	}
	for _, all := range a.providers.byCapability {
		for _, p := range all {
			awaited[p.workload] = true
		}
	}
	for _, w := range a.providers.likelyNetwork {
		awaited[w] = true
	}
	return slices.DeleteFunc(slices.Clone(a.loss.workloads), func(w *workload) bool { return !awaited[w] })
}

// reroute follows again every operation that a hook is asked about. Workloads
// of one kind may be of several when the hook tells them apart.
func (a *analysis) reroute(hook extant.HookReference) {
	type share struct {
		*recipe
		kind
	}
	before := a.recipes.of
	a.recipes = write(a.loss.workloads, func(w *workload) share {
		if c := before[w]; !c.asks(hook) {
			return share{recipe: c}
		}
		return share{before[w], a.kindOf(w)}
	}, func(w *workload) *recipe {
		c := before[w]
		if !c.asks(hook) {
			return c
		}
		return &recipe{a.rerouteAll(c.placing, w, hook), a.rerouteAll(c.running, w, hook)}
	})
	rerouted := maps.Clone(a.rerouted)
	if rerouted == nil {
		rerouted = map[*passage]*passage{}
	}
	follow := func(p *passage) {
		if p != nil && a.now(p).asks(hook) {
			rerouted[p] = a.passOf(nil, p.of)
		}
	}
	for _, b := range a.loss.backends {
		for i := range a.publications[b] {
			follow(a.publications[b][i].passage)
		}
	}
	for _, c := range a.components() {
		for _, p := range append(slices.Clone(c.renewals), c.starts...) {
			follow(p)
		}
	}
	a.rerouted = rerouted
}

// rerouteAll follows again the operations of a workload's requirements that a
// hook is asked about.
func (a *analysis) rerouteAll(all []requirement, w *workload, hook extant.HookReference) []requirement {
	all = slices.Clone(all)
	for i := range all {
		if q := &all[i]; q.passage != nil && q.passage.asks(hook) {
			q.passage = a.passOf(w, q.passage.of)
		}
	}
	return all
}

// reread lets a hook of a webhook configuration refer to the configuration as
// it is in a snapshot.
func reread(hook *inventory.Hook, snapshot *cluster.Snapshot) {
	if hook.MutatingConfiguration != nil {
		if found, ok := snapshot.MutatingWebhookConfigurations().Get("", hook.Object); ok {
			hook.MutatingConfiguration = found
		}
	}
	if hook.ValidatingConfiguration != nil {
		if found, ok := snapshot.ValidatingWebhookConfigurations().Get("", hook.Object); ok {
			hook.ValidatingConfiguration = found
		}
	}
	if w := hook.MutatingWebhook(); w != nil && w.FailurePolicy != nil {
		hook.FailurePolicy = string(*w.FailurePolicy)
	}
	if w := hook.ValidatingWebhook(); w != nil && w.FailurePolicy != nil {
		hook.FailurePolicy = string(*w.FailurePolicy)
	}
}

// back tells whether backends surely come back.
func (a *analysis) back(members []string) bool {
	for _, name := range members {
		if a.loss.backends[name] != nil && a.outcome.backend(name) != yes {
			return false
		}
	}
	return true
}

// fixes adds to deadlocks the changes that would have prevented them: those
// with which, as the engine finds by computing the outage again, every member
// comes back.
func (t *attempts) fixes(deadlocks []extant.Deadlock) ([]extant.Deadlock, error) {
	for i := range deadlocks {
		for _, c := range t.of.changes(t.of.cycles()[i]) {
			if t.left <= 0 {
				t.of.note("fixes", cluster.GapAssumed, "more changes may help than were tried")
				return deadlocks, nil
			}
			if c.size == severalNamespaces && len(deadlocks[i].Fixes) > 0 {
				continue // less is enough
			}
			after, patch, err := t.with(t.of, &c)
			if err != nil {
				return nil, err
			}
			if after.back(deadlocks[i].Members) {
				deadlocks[i].Fixes = append(deadlocks[i].Fixes, extant.Fix{
					Description: c.description, Target: c.target(), PatchType: jsonPatch, Patch: patch, Resolves: true,
				})
			}
		}
		replicas, err := t.replicas(&deadlocks[i])
		if err != nil {
			return nil, err
		}
		deadlocks[i].Fixes = append(deadlocks[i].Fixes, replicas...)
	}
	return deadlocks, nil
}

// remedies are steps out of the outage once it has happened: changes with each
// of which, as the engine finds by computing the outage again, more comes back
// than without.
func (t *attempts) remedies() ([]extant.Remedy, error) {
	var remedies []extant.Remedy
	start := *t.of
	start.loss.workloads = start.leading()
	for left := &start; left.badness() > 0 && t.left > 0; {
		better, remedy, err := t.better(left)
		if err != nil || better == nil {
			return remedies, err
		}
		left = better
		remedies = append(remedies, *remedy)
	}
	return remedies, nil
}

// better finds the smallest change with which more comes back.
func (t *attempts) better(a *analysis) (*analysis, *extant.Remedy, error) {
	for _, c := range a.loosening() {
		if t.left <= 0 {
			break
		}
		after, patch, err := t.with(a, &c)
		if err != nil {
			return nil, nil, err
		}
		if after.badness() < a.badness() {
			return after, &extant.Remedy{
				Description: c.description + "; what waits tries again by itself, within minutes",
				Action:      extant.RemedyPatch, Target: c.target(), PatchType: jsonPatch, Patch: patch,
			}, nil
		}
	}
	return nil, nil, nil
}

// loosening are the changes that break deadlocks, and those by which hooks let
// pass what waits for a backend that never answers.
func (a *analysis) loosening() []change {
	if a.loss.Mode == extant.ModeUnreachable {
		return a.changes(a.late())
	}
	var all []change
	for _, cycle := range a.cycles() {
		all = append(all, a.changes(cycle)...)
	}
	var dead []extant.HookReference
	r := a.last()
	for _, w := range a.loss.workloads {
		if a.outcome.workload(w) != no {
			continue
		}
		for _, q := range r.pending(a.recipes.of[w]) {
			for _, hook := range r.blockers(q) {
				if !slices.Contains(dead, hook) {
					dead = append(dead, hook)
				}
			}
		}
	}
	sortReferences(dead)
	for _, reference := range dead {
		if hook := a.hookOf(reference); hook != nil && isWebhook(hook) {
			all = append(all, ignoring(hook))
		}
	}
	return all
}

// badness is how many things do not come back, or while nothing is lost, how
// many of the leases that keep the cluster alive cannot be renewed in time.
func (a *analysis) badness() int {
	if a.loss.Mode == extant.ModeUnreachable {
		return len(a.late())
	}
	stuck := 0
	for _, w := range a.loss.workloads {
		if a.outcome.workload(w) != yes {
			stuck++
		}
	}
	for name := range a.loss.backends {
		if a.outcome.backend(name) != yes {
			stuck++
		}
	}
	return stuck
}

// late are the hooks because of which leases cannot be renewed in time, each
// with the renewal.
func (a *analysis) late() []edge {
	r := a.newRun(false)
	var late []edge
	for _, v := range a.leaseVitals() {
		for _, o := range v.operations {
			judged := r.judge(&vital{operations: []*operation{o}, timeout: v.timeout})
			if judged.Verdict != extant.VitalBlocked {
				continue
			}
			for _, hook := range judged.By {
				late = append(late, edge{hook: &hook, operation: o})
			}
		}
	}
	return late
}
