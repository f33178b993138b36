package truth

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// reviewOfOutage is the review that a recording asks for.
func reviewOfOutage(s *Outage) *extant.OutageReviewStatus {
	status := &extant.OutageReviewStatus{Recovery: recoveryOf(s)}
	c := &OutageComparison{outage: s, spec: &s.Spec, status: status}
	for _, refused := range [][]Probe{s.Truth.Blocked, s.Truth.Denied} {
		for i := range refused {
			status.Blocked = append(status.Blocked, entryFor(&refused[i]))
		}
	}
	for i := range s.Truth.Allowed {
		if probe := &s.Truth.Allowed[i]; probe.Seconds >= slow {
			delay := metav1.Duration{Duration: time.Duration(probe.Seconds) * time.Second}
			status.Degraded = append(status.Degraded, extant.DegradedOperation{
				InterceptedOperation: entryFor(probe), Effect: extant.EffectDelayed, Delay: &delay,
			})
		}
	}
	for _, vital := range vitalProbes {
		if verdict := c.happened(vital.probes); verdict != "" {
			status.Vital = append(status.Vital, extant.VitalOperation{
				Name: vital.operation, Verdict: verdict, By: []extant.HookReference{{Hook: "some"}},
			})
		}
	}
	add := func(effect extant.CollateralEffect) {
		status.Collateral = append(status.Collateral, extant.Collateral{Effect: effect, Because: "it was so"})
	}
	if deletion := s.Truth.NamespaceDeletion; deletion.Accepted && !deletion.Finished {
		add(extant.CollateralNamespaceDeletionStuck)
	}
	if c.happened([]string{"renew-controller-manager-lease"}) == extant.VitalBlocked {
		add(extant.CollateralLeaderElectionLost)
	}
	for _, node := range s.Truth.Nodes {
		if node.WasNotReady && !node.Lost {
			add(extant.CollateralNodesNotReady)
		}
	}
	return status
}

func recoveryOf(s *Outage) extant.Recovery {
	recovery := extant.Recovery{RecoversUnaided: metav1.ConditionFalse}
	switch {
	case s.Simulated == SimulatedHang:
		return extant.Recovery{RecoversUnaided: metav1.ConditionUnknown, Reason: "nothing is lost"}
	case s.Truth.RecoversUnaided:
		recovery.RecoversUnaided = metav1.ConditionTrue
	}
	for _, workload := range s.Truth.Stuck {
		recovery.Stuck = append(recovery.Stuck, extant.StuckObject{ObjectReference: workload.ObjectReference})
	}
	var ready float64
	for _, workload := range slices.SortedStableFunc(slices.Values(s.Truth.Recovered), func(x, y RecordedWorkload) int { return int(x.Seconds*100) - int(y.Seconds*100) }) {
		if len(recovery.Waves) == 0 || workload.Seconds-ready >= polled {
			recovery.Waves = append(recovery.Waves, extant.RecoveryWave{Wave: int32(len(recovery.Waves) + 1)})
			ready = workload.Seconds
		}
		wave := &recovery.Waves[len(recovery.Waves)-1]
		wave.Workloads = append(wave.Workloads, workload.ObjectReference)
	}
	for _, backend := range s.Truth.Backends {
		switch {
		case backend.ReadyBefore > 0 && backend.ReadyAfter == 0:
			recovery.Unreachable = append(recovery.Unreachable, backend.Name)
		case backend.ReadyDuring == 0 && backend.ReadyAfter > 0:
			last := &recovery.Waves[len(recovery.Waves)-1]
			last.Backends = append(last.Backends, backend.Name)
		}
	}
	return recovery
}

func entryFor(probe *Probe) extant.InterceptedOperation {
	r := &probe.Request
	entry := extant.InterceptedOperation{
		Operation: r.Operation, Group: r.Group, Resource: r.Resource, Subresource: r.Subresource, Conditional: true,
		By: []extant.HookReference{{Configuration: "some", Hook: probe.Hook}},
	}
	switch {
	case r.Namespace != "":
		entry.Namespaces = &extant.NamespaceSet{Names: []string{r.Namespace}, Count: 1}
	case r.Resource == "namespaces":
		entry.Namespaces = &extant.NamespaceSet{All: true}
	}
	return entry
}

func TestWhatWasRecordedAgreesWithItself(t *testing.T) {
	for _, scenario := range outagesOf(t) {
		compared := scenario.Compare(&scenario.Spec, reviewOfOutage(scenario))
		hangs := scenario.Simulated == SimulatedHang
		if len(compared.Disagreements) > 0 || compared.IsUnknown() && !hangs {
			t.Errorf("%s:\n%s\n%v", scenario.Name, strings.Join(compared.Disagreements, "\n"), compared.Unknown)
		}
	}
}

// everywhere makes an entry one about all namespaces, without a condition.
func everywhere(entry *extant.InterceptedOperation) {
	entry.Conditional = false
	entry.Namespaces = &extant.NamespaceSet{All: true}
}

func TestAReviewOfAnOutageThatDiffersDisagrees(t *testing.T) {
	tests := map[string]func(*Outage, *extant.OutageReviewStatus) (changed bool){
		"it recovers": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			changed := s.Recovery.RecoversUnaided != metav1.ConditionTrue
			s.Recovery.RecoversUnaided = metav1.ConditionTrue
			return changed
		},
		"it does not recover": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			changed := s.Recovery.RecoversUnaided != metav1.ConditionFalse
			s.Recovery.RecoversUnaided = metav1.ConditionFalse
			return changed
		},
		"Unknown has no reason": func(o *Outage, s *extant.OutageReviewStatus) bool {
			s.Recovery.RecoversUnaided, s.Recovery.Reason = metav1.ConditionUnknown, ""
			return o.Simulated != SimulatedHang
		},
		"something is not stuck": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			stuck := s.Recovery.Stuck
			if len(stuck) > 0 {
				s.Recovery.Stuck = stuck[1:]
			}
			return len(stuck) > 0
		},
		"something else is stuck": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			s.Recovery.Stuck = append(s.Recovery.Stuck, extant.StuckObject{ObjectReference: extant.ObjectReference{Name: "other"}})
			return true
		},
		"what is stuck recovers, and the verdict is Unknown": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			s.Recovery.RecoversUnaided, s.Recovery.Reason = metav1.ConditionUnknown, "who knows"
			if len(s.Recovery.Stuck) == 0 {
				return false
			}
			s.Recovery.Waves = append(s.Recovery.Waves, extant.RecoveryWave{
				Wave: int32(len(s.Recovery.Waves) + 1), Workloads: []extant.ObjectReference{s.Recovery.Stuck[0].ObjectReference},
			})
			return true
		},
		"the waves are one": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			if len(s.Recovery.Waves) < 2 {
				return false
			}
			one := &s.Recovery.Waves[0]
			for _, wave := range s.Recovery.Waves[1:] {
				one.Workloads = append(one.Workloads, wave.Workloads...)
				one.Backends = append(one.Backends, wave.Backends...)
			}
			s.Recovery.Waves = s.Recovery.Waves[:1]
			return true
		},
		"nothing comes back": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			changed := len(s.Recovery.Waves) > 0
			s.Recovery.Waves = nil
			return changed
		},
		"a backend is reachable": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			changed := len(s.Recovery.Unreachable) > 0
			s.Recovery.Unreachable = nil
			return changed
		},
		"a backend that nobody calls is unreachable": func(o *Outage, s *extant.OutageReviewStatus) bool {
			s.Recovery.Unreachable = append(s.Recovery.Unreachable, "other.default.443")
			return o.Simulated != SimulatedHang
		},
		"an operation is not blocked": func(o *Outage, s *extant.OutageReviewStatus) bool {
			if len(s.Blocked) == 0 {
				return false
			}
			s.Blocked = s.Blocked[1:]
			refused := slices.Concat(o.Truth.Blocked, o.Truth.Denied)
			return !refused[0].TimedOut && !refused[0].hasTwin(refused)
		},
		"another hook blocks": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			named := false
			for i := range s.Blocked {
				named = named || s.Blocked[i].By[0].Hook != ""
				s.Blocked[i].By = []extant.HookReference{{Configuration: "other", Hook: "other"}}
			}
			return named
		},
		"updates of Pods are blocked everywhere": func(o *Outage, s *extant.OutageReviewStatus) bool {
			entry := extant.InterceptedOperation{Operation: extant.OperationUpdate, Resource: "pods"}
			everywhere(&entry)
			s.Blocked = append(s.Blocked, entry)
			return slices.ContainsFunc(o.Truth.Allowed, func(p Probe) bool { return strings.HasPrefix(p.Name, "update-pods/") })
		},
		"nothing is delayed": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			changed := len(s.Degraded) > 0
			s.Degraded = nil
			return changed
		},
		"the delay is shorter": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			for i := range s.Degraded {
				s.Degraded[i].Delay.Duration /= 2
			}
			return len(s.Degraded) > 0
		},
		"bindings are delayed": func(o *Outage, s *extant.OutageReviewStatus) bool {
			delayed := extant.DegradedOperation{Effect: extant.EffectDelayed, Delay: &metav1.Duration{Duration: time.Minute}}
			delayed.Operation, delayed.Resource, delayed.Subresource = extant.OperationCreate, "pods", "binding"
			everywhere(&delayed.InterceptedOperation)
			s.Degraded = append(s.Degraded, delayed)
			return slices.ContainsFunc(o.Truth.Allowed, func(p Probe) bool { return strings.HasPrefix(p.Name, "bind-pods/") })
		},
		"a vital verdict is missing": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			s.Vital = s.Vital[1:]
			return true
		},
		"a vital verdict is another": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			vital := &s.Vital[len(s.Vital)-1]
			if vital.Verdict == extant.VitalAllowed {
				vital.Verdict = extant.VitalBlocked
			} else {
				vital.Verdict = extant.VitalAllowed
			}
			return true
		},
		"leaders stay": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			return without(s, extant.CollateralLeaderElectionLost)
		},
		"leaders are lost": func(_ *Outage, s *extant.OutageReviewStatus) bool {
			return with(s, extant.CollateralLeaderElectionLost)
		},
		"nodes stay": func(_ *Outage, s *extant.OutageReviewStatus) bool { return without(s, extant.CollateralNodesNotReady) },
		"nodes are lost": func(o *Outage, s *extant.OutageReviewStatus) bool {
			return with(s, extant.CollateralNodesNotReady) && o.Name != "outage/23-node-status-and-node-leases" // a race
		},
		"namespaces can be deleted": func(o *Outage, s *extant.OutageReviewStatus) bool {
			return without(s, extant.CollateralNamespaceDeletionStuck) && len(o.Truth.NamespaceDeletion.Why) > 0
		},
		"namespaces cannot be deleted": func(o *Outage, s *extant.OutageReviewStatus) bool {
			return with(s, extant.CollateralNamespaceDeletionStuck) && o.Truth.NamespaceDeletion.Accepted
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			tried := 0
			for _, scenario := range outagesOf(t) {
				status := reviewOfOutage(scenario)
				if !change(scenario, status) {
					continue
				}
				tried++
				if len(scenario.Compare(&scenario.Spec, status).Disagreements) == 0 {
					t.Errorf("%s: nobody noticed", scenario.Name)
				}
			}
			if tried == 0 {
				t.Error("nothing was tried")
			}
		})
	}
}

// hasTwin tells whether another request is of the same kind, in the same
// namespace.
func (p *Probe) hasTwin(others []Probe) bool {
	kind := func(r *extant.ReviewedRequest) [5]string {
		return [5]string{string(r.Operation), r.Group, r.Resource, r.Subresource, r.Namespace}
	}
	return slices.ContainsFunc(others, func(other Probe) bool {
		return other.Name != p.Name && kind(&other.Request) == kind(&p.Request)
	})
}

func without(s *extant.OutageReviewStatus, effect extant.CollateralEffect) bool {
	before := len(s.Collateral)
	s.Collateral = slices.DeleteFunc(s.Collateral, func(c extant.Collateral) bool { return c.Effect == effect })
	return len(s.Collateral) < before
}

func with(s *extant.OutageReviewStatus, effect extant.CollateralEffect) bool {
	had := slices.ContainsFunc(s.Collateral, func(c extant.Collateral) bool { return c.Effect == effect })
	s.Collateral = append(s.Collateral, extant.Collateral{Effect: effect, Because: "it is said"})
	return !had
}
