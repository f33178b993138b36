package outage

import (
	"slices"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// rule is one reason for which pods may not come back. Each has a file of its
// own, which says what the components really do.
type rule struct {
	name string
	// in are the modes in which the rule holds.
	in []extant.OutageMode
	// placing rules hold until the pods are bound to nodes.
	placing bool
	// requirements are what the rule needs for a workload to be up again.
	requirements func(a *analysis, w *workload) []requirement
}

var (
	whenMade      = []extant.OutageMode{extant.ModePodsLost, extant.ModeNodesDown}
	whenRestarted = []extant.OutageMode{extant.ModePodsLost, extant.ModeNodesDown, extant.ModeRestarted}
)

// rules are in the order in which a pod meets them.
var allRules = []rule{
	{"eviction", []extant.OutageMode{extant.ModeNodesDown}, true, (*analysis).eviction},
	{"claims", whenMade, true, (*analysis).claims},
	{"quota", whenMade, true, (*analysis).quota},
	{"creation", whenMade, true, (*analysis).creation},
	{"scheduling", whenMade, true, (*analysis).scheduling},
	{"volumes", whenMade, true, (*analysis).volumes},
	{"token", whenRestarted, false, (*analysis).token},
	{"network", whenRestarted, false, (*analysis).network},
	{"runtime", whenRestarted, false, (*analysis).runtimeHandler},
	{"status", whenRestarted, false, (*analysis).podStatus},
	{"needs", whenRestarted, false, (*analysis).declaredNeeds},
}

// recipeOf is all that a lost workload needs to be up again.
func (a *analysis) recipeOf(w *workload) *recipe {
	c := &recipe{}
	for i := range allRules {
		rule := &allRules[i]
		// What is not there cannot start again in place: it must be made.
		if !slices.Contains(rule.in, a.loss.Mode) && (w.missing == 0 || !slices.Contains(rule.in, extant.ModePodsLost)) {
			continue
		}
		if rule.placing {
			c.placing = append(c.placing, rule.requirements(a, w)...)
		} else {
			c.running = append(c.running, rule.requirements(a, w)...)
		}
	}
	return c
}
