package outage

import (
	"slices"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// recipe is what workloads of one kind need, in two parts.
type recipe struct {
	// placing is what is needed until the pods are bound to nodes; running is
	// what comes after.
	placing, running []requirement
}

// recipes are what the lost workloads need.
type recipes struct {
	of map[*workload]*recipe
	// distinct are those of which some workload needs each, in order of the first.
	distinct []*recipe
}

// write finds what every lost workload needs. Workloads that agree in a key, and
// no others, share what the first of them needs.
func write[K comparable](lost []*workload, keyOf func(*workload) K, recipeOf func(*workload) *recipe) recipes {
	all, known := recipes{of: make(map[*workload]*recipe, len(lost))}, map[K]*recipe{}
	for _, w := range lost {
		key := keyOf(w)
		c, ok := known[key]
		if !ok {
			c = recipeOf(w)
			known[key] = c
			all.distinct = append(all.distinct, c)
		}
		all.of[w] = c
	}
	return all
}

// asks tells whether a hook is asked for what a recipe needs.
func (c *recipe) asks(hook extant.HookReference) bool {
	asks := func(q requirement) bool { return q.passage != nil && q.passage.asks(hook) }
	return slices.ContainsFunc(c.placing, asks) || slices.ContainsFunc(c.running, asks)
}
