package outage

import (
	"maps"
	"slices"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// maxTries bounds how many changes of one review are tried: each costs as much
// as the review itself.
const maxTries = 48

// attempts tries changes of a cluster.
type attempts struct {
	*Engine
	of   *analysis
	left int
}

func (e *Engine) attemptsOf(a *analysis) *attempts { return &attempts{e, a, maxTries} }

// with computes an outage again in the cluster with one change more, and says by
// which patch it is made.
func (t *attempts) with(a *analysis, c *change) (after *analysis, patch string, err error) {
	t.left--
	edit, patch, ok := c.apply(a.snapshot())
	if !ok {
		return a, "", nil
	}
	observed := a.observed
	observed.Snapshot = a.snapshot().Edited(edit)
	inventory := *a.observed.Inventory
	inventory.Hooks = slices.Clone(inventory.Hooks)
	for i := range inventory.Hooks {
		reread(&inventory.Hooks[i], observed.Snapshot)
	}
	observed.Inventory = &inventory
	after, err = analyze(a.ctx, t.edited, a.authorizer, observed, a.spec)
	return after, patch, err
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
	cycles := t.of.cycles()
	for i := range deadlocks {
		for _, c := range t.of.changes(cycles[i]) {
			if t.left <= 0 {
				t.of.note("fixes", cluster.GapAssumed, "more changes may help than were tried: each costs as much as the review")
				return deadlocks, nil
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
	}
	return deadlocks, nil
}

// remedies are steps out of the outage once it has happened: changes with each
// of which, as the engine finds by computing the outage again, more comes back
// than without.
func (t *attempts) remedies() ([]extant.Remedy, error) {
	var remedies []extant.Remedy
	for left := t.of; left.stuckNodes() > 0 && t.left > 0; {
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
		if after.stuckNodes() < a.stuckNodes() {
			return after, &extant.Remedy{
				Description: c.description + "; what waits tries again by itself, within minutes",
				Action:      extant.RemedyPatch, Target: c.target(), PatchType: jsonPatch, Patch: patch,
			}, nil
		}
	}
	return nil, nil, nil
}

// loosening are the changes of whatever hooks stand between what is stuck and
// what it needs.
func (a *analysis) loosening() []change {
	var all []change
	for _, cycle := range a.cycles() {
		all = append(all, a.changes(cycle)...)
	}
	r := a.last()
	var refused []edge
	for _, w := range a.loss.workloads {
		if a.outcome.workload(w) == no {
			refused = append(refused, r.refusals(r.lacking(r.pending(w)))...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.loss.backends)) {
		if a.outcome.backend(name) == no {
			refused = append(refused, r.refusals(r.lacking(r.publications[a.loss.backends[name]]))...)
		}
	}
	return append(all, a.changes(refused)...)
}

// refusals are the hooks that stand between, each with the operation.
func (r *run) refusals(lacking []*requirement) []edge {
	var all []edge
	for _, q := range lacking {
		passages := []*passage{q.passage}
		if q.component != nil {
			passages = r.needsOf(q.component)
		}
		for _, p := range passages {
			if p == nil {
				continue
			}
			for _, hook := range p.blockers(r.answers) {
				all = append(all, edge{hook: &hook, operation: p.operation})
			}
		}
	}
	return all
}

// stuckNodes is how many things do not come back.
func (a *analysis) stuckNodes() int {
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
