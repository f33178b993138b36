package outage_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// simulation plays an outage of a generated cluster moment by moment, and knows
// nothing of how the engine finds what comes back.
type simulation struct {
	*generated
	mode extant.OutageMode
	// everything: the control plane starts again as well.
	everything bool
	// up and answering are when workloads and backends came back, by namespace.
	// What was never lost is back at 0.
	up, answering map[string]int
}

// refused tells whether a step in a namespace is refused at a moment.
func (s *simulation) refused(what step, namespace string, now int) bool {
	for i := range s.extensions {
		e := &s.extensions[i]
		since, answers := s.answering[e.namespace]
		if answers && since < now {
			continue
		}
		for j := range e.hooks {
			if h := &e.hooks[j]; !h.open && h.intercepts(what, namespace) {
				return true
			}
		}
	}
	return false
}

// controllers tells whether the controller manager runs at a moment: one that
// starts needs tokens first.
func (s *simulation) controllers(now int) bool {
	return !s.everything || !s.refused(token, "kube-system", now)
}

// comesUp tells whether a workload comes up at a moment.
func (s *simulation) comesUp(namespace string, mountsToken bool, now int) bool {
	var steps []step
	if s.mode == extant.ModePodsLost {
		if !s.controllers(now) {
			return false
		}
		steps = append(steps, creation, bindingStep)
	}
	if mountsToken && (s.mode == extant.ModePodsLost || s.everything) {
		steps = append(steps, token)
	}
	return !slices.ContainsFunc(append(steps, podStatus), func(what step) bool { return s.refused(what, namespace, now) })
}

// play goes on until nothing comes back.
func (s *simulation) play() {
	for now := 1; ; now++ {
		moved := false
		if _, up := s.up["shop"]; s.bystander && !up && s.comesUp("shop", true, now) {
			s.up["shop"], moved = now, true
		}
		for i := range s.extensions {
			e := &s.extensions[i]
			if _, up := s.up[e.namespace]; !up && s.comesUp(e.namespace, e.mountsToken, now) {
				s.up[e.namespace], moved = now, true
			}
			_, up := s.up[e.namespace]
			if _, answers := s.answering[e.namespace]; up && !answers && s.controllers(now) && !s.refused(slicesStep, e.namespace, now) {
				s.answering[e.namespace], moved = now, true
			}
		}
		if !moved {
			return
		}
	}
}

// lose takes down some extensions, all of which are in namespaces of their own.
func (g *generated) lose(mode extant.OutageMode, everything bool, lost []string) *simulation {
	s := &simulation{generated: g, mode: mode, everything: everything, up: map[string]int{}, answering: map[string]int{}}
	for i := range g.extensions {
		if namespace := g.extensions[i].namespace; !everything && !slices.Contains(lost, namespace) {
			s.up[namespace], s.answering[namespace] = 0, 0
		}
	}
	if !everything && !slices.Contains(lost, "shop") {
		s.up["shop"] = 0
	}
	return s
}

// vitalSteps are the steps as vital operations.
var vitalSteps = map[string]step{
	"create-pods-kube-system": creation, "bind-pods-kube-system": bindingStep, "create-tokens-kube-system": token,
	"update-pod-status-kube-system": podStatus, "update-endpointslices-kube-system": slicesStep,
}

// told is what the simulation and the engine must agree in, in words.
func (s *simulation) told() []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	for operation, what := range vitalSteps {
		if s.refused(what, "kube-system", 1) {
			say("%s is Blocked", operation)
		}
	}
	s.play()
	recovers := true
	workload := func(namespace string) {
		switch since, up := s.up[namespace]; {
		case !up:
			recovers = false
			say("workload %s is stuck", namespace)
		case since > 0:
			say("workload %s is back in wave %d", namespace, since)
		}
	}
	if s.bystander {
		workload("shop")
	}
	for i := range s.extensions {
		e := &s.extensions[i]
		workload(e.namespace)
		if since, answers := s.answering[e.namespace]; !answers && len(e.hooks) > 0 {
			recovers = false
			say("backend %s is unreachable", e.backend())
		} else if since > 0 && len(e.hooks) > 0 {
			say("backend %s is back in wave %d", e.backend(), since)
		}
	}
	say("it recovers: %t", recovers)
	slices.Sort(all)
	return all
}

// reviewed is the same of a review.
func reviewed(status *extant.OutageReviewStatus) []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	for _, vital := range status.Vital {
		if vital.Verdict != extant.VitalAllowed {
			say("%s is %s", vital.Name, vital.Verdict)
		}
	}
	for _, stuck := range status.Recovery.Stuck {
		say("workload %s is stuck", stuck.Namespace)
	}
	for _, name := range status.Recovery.Unreachable {
		say("backend %s is unreachable", name)
	}
	for _, wave := range status.Recovery.Waves {
		for _, workload := range wave.Workloads {
			say("workload %s is back in wave %d", workload.Namespace, wave.Wave)
		}
		for _, name := range wave.Backends {
			say("backend %s is back in wave %d", name, wave.Wave)
		}
	}
	switch status.Recovery.RecoversUnaided {
	case metav1.ConditionUnknown:
		say("it is not known whether it recovers: %s", status.Recovery.Reason)
	default:
		say("it recovers: %t", status.Recovery.RecoversUnaided == metav1.ConditionTrue)
	}
	slices.Sort(all)
	return all
}

// TestTheFixedPointIsWhatASimulationComesTo plays outages of generated
// clusters: what the engine finds at once comes about step by step.
func TestTheFixedPointIsWhatASimulationComesTo(t *testing.T) {
	engine := outage.NewEngine(requestpath.NewEngine(), rbac.NewAuthorizers(rbac.Options{}))
	stuck, later := 0, 0
	for seed := range uint64(60) {
		g := generate(seed)
		snapshot := g.snapshot(t)
		observed := requestpath.Observed{Snapshot: snapshot, Inventory: inventory.Take(snapshot, nil, nil)}
		for _, mode := range []extant.OutageMode{extant.ModePodsLost, extant.ModeRestarted} {
			down := extant.Outage{Mode: mode, Everything: seed%4 == 0}
			for i := range g.extensions {
				if (seed>>i)%3 != 2 && !down.Everything {
					down.Namespaces = append(down.Namespaces, g.extensions[i].namespace)
				}
			}
			if !down.Everything && seed%2 == 0 {
				down.Namespaces = append(down.Namespaces, "shop")
			}
			status, err := engine.Analyze(t.Context(), observed, &extant.OutageReviewSpec{Down: down})
			if err != nil {
				t.Fatal(err)
			}
			told := g.lose(mode, down.Everything, down.Namespaces).told()
			if diff := cmp.Diff(told, reviewed(status)); diff != "" {
				t.Errorf("seed %d, %+v (-simulated +reviewed):\n%s\n%s", seed, down, diff, g)
			}
			text := strings.Join(told, "\n")
			if strings.Contains(text, "stuck") {
				stuck++
			}
			if strings.Contains(text, "in wave 2") {
				later++
			}
		}
	}
	if stuck < 30 || later < 15 {
		t.Errorf("only in %d outages something is stuck, and in %d something waits", stuck, later)
	}
}

// String prints the hooks, for who looks into a difference.
func (g *generated) String() string {
	var b strings.Builder
	for i := range g.extensions {
		e := &g.extensions[i]
		fmt.Fprintf(&b, "%s: %s, token=%t\n", e.namespace, e.kind, e.mountsToken)
		for j := range e.hooks {
			h := &e.hooks[j]
			fmt.Fprintf(&b, "  %v only=%t in %v open=%t\n", h.steps, h.only, h.named, h.open)
		}
	}
	return b.String()
}
