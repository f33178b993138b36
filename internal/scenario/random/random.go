// Package random makes clusters' admission configurations, and requests that
// meet them, from a seed: webhooks with rules, selectors and conditions,
// policies with bindings and params, objects of many kinds, and what users do
// to them. It aims at what decides whether a hook is called: most requests meet
// some hook, most hooks miss some request. The same seed yields the same
// cluster and the same requests. It knows no API server and sends nothing.
package random

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Generator makes one cluster and requests to it.
type Generator struct {
	rand *rand.Rand
	// round is part of every name that the cluster gives, so that clusters
	// that follow each other in one API server have nothing in common.
	round string
	hooks func(mutating bool, configuration, hook string) Endpoint
	made  int
	// focus is the kinds that most hooks and requests are about.
	focus []*Kind
}

// Endpoint is where a hook is served.
type Endpoint struct {
	URL      string
	CABundle []byte
}

// New returns a generator. Hooks says where the hooks of the cluster are
// served.
func New(seed uint64, round string, hooks func(mutating bool, configuration, hook string) Endpoint) *Generator {
	g := &Generator{rand: rand.New(rand.NewPCG(seed, 0)), round: round, hooks: hooks}
	g.focus = some(g, 5, Kinds...)
	return g
}

// kind returns a kind, usually one of those that the cluster is about: else few
// requests would meet a hook.
func (g *Generator) kind() *Kind {
	if g.chance(90) {
		return pick(g, g.focus...)
	}
	return pick(g, Kinds...)
}

// chance is true in so many of a hundred cases.
func (g *Generator) chance(percent int) bool { return g.rand.IntN(100) < percent }

// between returns a number from low to high.
func (g *Generator) between(low, high int) int { return low + g.rand.IntN(high-low+1) }

// pick returns one of the choices.
func pick[T any](g *Generator, choices ...T) T { return choices[g.rand.IntN(len(choices))] }

// some returns a number of different choices, in their order.
func some[T any](g *Generator, number int, choices ...T) []T {
	chosen := g.rand.Perm(len(choices))[:min(number, len(choices))]
	slices.Sort(chosen)
	var all []T
	for _, i := range chosen {
		all = append(all, choices[i])
	}
	return all
}

// name returns a name that nothing else has.
func (g *Generator) name(of string) string {
	g.made++
	return fmt.Sprintf("%s-%s-%d", of, g.round, g.made)
}

// Labels of objects and namespaces are few, so that selectors meet them.
var labelValues = map[string][]string{
	"app":  {"web", "db"},
	"tier": {"gold", "silver"},
	"env":  {"prod", "dev"},
	"team": {"red", "blue"},
}

// labels returns a few labels. Keys are drawn in a fixed order.
func (g *Generator) labels(keys ...string) map[string]string {
	labels := map[string]string{}
	for _, key := range keys {
		if g.chance(50) {
			labels[key] = pick(g, labelValues[key]...)
		}
	}
	if len(labels) == 0 {
		return nil
	}
	return labels
}
