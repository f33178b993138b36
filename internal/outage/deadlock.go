package outage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// A deadlock is a cycle of things that wait for each other. Everything that a
// thing waits for must come, so that each cycle is a deadlock by itself,
// whatever else is stuck.

// node is a thing that does not come back. One of its fields is set.
type node struct {
	backend   *backend
	workload  *workload
	component *controlComponent
}

// edge is why a thing waits for another.
type edge struct {
	to node
	// hook is what stands between, where an operation is refused; operation is
	// the operation.
	hook      *extant.HookReference
	operation *operation
	sentence  string
}

// graph is what waits for what at the end of a recovery.
type graph struct {
	*run
	edges map[node][]edge
}

func (a *analysis) deadlocks() []extant.Deadlock {
	var all []extant.Deadlock
	for _, cycle := range a.cycles() {
		deadlock := extant.Deadlock{Members: membersOf(cycle)}
		for _, e := range cycle {
			deadlock.Explanation = append(deadlock.Explanation, e.sentence)
		}
		all = append(all, deadlock)
	}
	return all
}

// cycles are the smallest cycles, one for each set of members.
func (a *analysis) cycles() [][]edge {
	if a.deadlocked == nil {
		cycles := a.findCycles()
		a.deadlocked = &cycles
	}
	return *a.deadlocked
}

func (a *analysis) findCycles() [][]edge {
	g := &graph{a.last(), map[node][]edge{}}
	var starts []node
	for _, name := range slices.Sorted(maps.Keys(a.loss.backends)) {
		if a.outcome.backend(name) == no {
			starts = append(starts, node{backend: a.loss.backends[name]})
		}
	}
	var found [][]edge
	for _, start := range starts {
		if cycle := g.shortest(start); cycle != nil {
			found = append(found, cycle)
		}
	}
	slices.SortStableFunc(found, func(x, y []edge) int { return cmp.Compare(len(membersOf(x)), len(membersOf(y))) })
	var smallest [][]edge
	for _, cycle := range found {
		if !slices.ContainsFunc(smallest, func(known []edge) bool { return within(membersOf(known), membersOf(cycle)) }) {
			smallest = append(smallest, cycle)
		}
	}
	return smallest
}

// membersOf are the backends of a cycle.
func membersOf(cycle []edge) []string {
	var members []string
	for _, e := range cycle {
		if e.to.backend != nil {
			members = append(members, e.to.backend.name)
		}
	}
	slices.Sort(members)
	return slices.Compact(members)
}

func within(some, all []string) bool {
	for _, one := range some {
		if !slices.Contains(all, one) {
			return false
		}
	}
	return true
}

// shortest finds the shortest cycle through a thing.
func (g *graph) shortest(start node) []edge {
	type visit struct {
		at   node
		path []edge
	}
	seen := map[node]bool{}
	for queue := []visit{{at: start}}; len(queue) > 0; queue = queue[1:] {
		for _, e := range g.from(queue[0].at) {
			path := slices.Concat(queue[0].path, []edge{e})
			if e.to == start {
				return path
			}
			if !seen[e.to] {
				seen[e.to] = true
				queue = append(queue, visit{e.to, path})
			}
		}
	}
	return nil
}

// from are the things that a thing waits for.
func (g *graph) from(n node) []edge {
	if known, ok := g.edges[n]; ok {
		return known
	}
	var edges []edge
	switch {
	case n.workload != nil:
		edges = g.waits(n.workload.String(), n.workload, g.pending(g.recipes.of[n.workload]))
	case n.component != nil:
		edges = g.starting(n.component)
	default:
		edges = g.waits("Backend "+n.backend.name, nil, g.lacking(g.publications[n.backend]))
		for _, w := range g.serving[n.backend] {
			if g.isUp(w) != yes {
				edges = append(edges, edge{to: node{workload: w}, sentence: fmt.Sprintf("Backend %s answers only once %s is ready.", n.backend.name, w)})
			}
		}
	}
	g.edges[n] = edges
	return edges
}

// waits are the edges of requirements that are not met.
func (g *graph) waits(who string, w *workload, lacking []*requirement) []edge {
	var edges []edge
	for _, q := range lacking {
		switch {
		case q.passage != nil:
			edges = append(edges, g.refused(who, w, q.passage)...)
		case q.component != nil:
			edges = append(edges, edge{to: node{component: q.component}, sentence: fmt.Sprintf("%s needs %s, which does not run: %s.", who, q.component.name, q.because.of(w))})
		case q.workload != nil && g.isUp(q.workload) != yes:
			edges = append(edges, edge{to: node{workload: q.workload}, sentence: fmt.Sprintf("%s waits for %s: %s.", who, q.workload, q.because.of(w))})
		case q.backend != "":
			if b := g.loss.backends[q.backend]; b != nil {
				edges = append(edges, edge{to: node{backend: b}, sentence: sentence(q.because.of(w))})
			}
		}
	}
	return edges
}

// refused are the edges of an operation that hooks refuse.
func (g *graph) refused(who string, w *workload, p *passage) []edge {
	p = g.now(p)
	var edges []edge
	var o *operation
	for i := range p.calls {
		c := &p.calls[i]
		b := g.loss.backends[c.hook.Backend]
		if !c.closed || b == nil || g.answers(c.hook.Backend) == yes || c.matches == no {
			continue
		}
		if o == nil {
			o = p.of(w)
		}
		edges = append(edges, edge{
			to: node{backend: b}, hook: &c.hook, operation: o,
			sentence: fmt.Sprintf("%s needs %s by %s, which the API server refuses as long as the hook %s of %s cannot be asked: its backend %s is down.",
				who, o, o.by.Username, c.hook.Hook, c.hook.Configuration, c.hook.Backend),
		})
	}
	return edges
}

// starting are the edges of a component that does not run.
func (g *graph) starting(c *controlComponent) []edge {
	var edges []edge
	for _, p := range g.needsOf(c) {
		edges = append(edges, g.refused(c.name, nil, p)...)
	}
	return edges
}

func sentence(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:] + "."
}
