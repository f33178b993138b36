package truth

import (
	"fmt"
	"strings"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Summary prints what was taken down and what happened, in short.
func (s *Outage) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s (%s)\n", s.Name, s.Title, s.Simulated)
	fmt.Fprintf(&b, "  down: %+v\n  assume: provides=%+v needs=%+v watchCache=%s", s.Spec.Down, s.Spec.Assume.Provides, s.Spec.Assume.Needs, s.Spec.Assume.WatchCache)
	if seconds := s.Spec.Assume.StartupSeconds; seconds != nil {
		fmt.Fprintf(&b, " startupSeconds=%d", *seconds)
	}
	t := &s.Truth
	fmt.Fprintf(&b, "\n  recoversUnaided: %t\n", t.RecoversUnaided)
	for _, lost := range t.LostWorkloads {
		fmt.Fprintf(&b, "  lost: %s, %d of %d pods\n", reference(lost.ObjectReference), lost.Lost, lost.Desired)
	}
	for _, recovered := range t.Recovered {
		fmt.Fprintf(&b, "  recovered: %s after %.1f s\n", reference(recovered.ObjectReference), recovered.Seconds)
	}
	for _, stuck := range t.Stuck {
		fmt.Fprintf(&b, "  stuck: %s, %d of %d ready\n", reference(stuck.ObjectReference), stuck.Ready, stuck.Desired)
	}
	for _, backend := range t.Backends {
		fmt.Fprintf(&b, "  backend: %s had %d, %d, %d endpoints before, during, after; called by %q\n",
			backend.Name, backend.ReadyBefore, backend.ReadyDuring, backend.ReadyAfter, backend.Callers)
	}
	for _, node := range t.Nodes {
		if node.WasNotReady || node.Lost || node.Ready != "true" {
			fmt.Fprintf(&b, "  node: %+v\n", node)
		}
	}
	fmt.Fprintf(&b, "  namespace deletion: %+v\n  control plane: %+v\n", t.NamespaceDeletion, t.ControlPlane)
	refused := func(how string, probes []Probe) {
		for i := range probes {
			fmt.Fprintf(&b, "  %s: %s by %q\n", how, &probes[i], probes[i].Hook)
		}
	}
	refused("blocked", t.Blocked)
	refused("denied", t.Denied)
	fmt.Fprintf(&b, "  allowed: %d requests; refused before as well: %d; blocked at the end: %d\n", len(t.Allowed), len(t.Refused), len(t.BlockedAtEnd))
	return b.String()
}

// SideBySide prints what happened, the review, and where they disagree, for
// whoever looks into it.
func (s *Outage) SideBySide(spec *extant.OutageReviewSpec, status *extant.OutageReviewStatus) string {
	var b strings.Builder
	b.WriteString(s.Summary())
	r := &status.Recovery
	fmt.Fprintf(&b, "reviewed:\n  recoversUnaided: %s: %s\n", r.RecoversUnaided, r.Reason)
	for _, wave := range r.Waves {
		fmt.Fprintf(&b, "  wave %d: %v %v\n", wave.Wave, wave.Workloads, wave.Backends)
	}
	for _, stuck := range r.Stuck {
		fmt.Fprintf(&b, "  stuck: %s needs %v, blocked by %v: %s\n", reference(stuck.ObjectReference), stuck.Needs, stuck.BlockedBy, stuck.Message)
	}
	fmt.Fprintf(&b, "  unreachable: %v\n", r.Unreachable)
	for i := range status.Blocked {
		fmt.Fprintf(&b, "  blocked: %s\n", entry(&status.Blocked[i]))
	}
	for i := range status.Degraded {
		degraded := &status.Degraded[i]
		fmt.Fprintf(&b, "  %s %v: %s\n", degraded.Effect, degraded.Delay, entry(&degraded.InterceptedOperation))
	}
	for _, vital := range status.Vital {
		fmt.Fprintf(&b, "  vital: %s %s %s\n", vital.Name, vital.Verdict, vital.Message)
	}
	for _, effect := range status.Collateral {
		fmt.Fprintf(&b, "  collateral: %s %q latent=%t: %s\n", effect.Effect, effect.Scope, effect.Latent, effect.Because)
	}
	compared := s.Compare(spec, status)
	for _, open := range compared.Unknown {
		fmt.Fprintf(&b, "UNKNOWN: %s\n", open)
	}
	for _, problem := range compared.Disagreements {
		fmt.Fprintf(&b, "DISAGREES: %s\n", problem)
	}
	return b.String()
}

func entry(o *extant.InterceptedOperation) string {
	where := "cluster"
	if o.Namespaces != nil {
		where = fmt.Sprintf("%+v", *o.Namespaces)
	}
	return fmt.Sprintf("%s %s/%s %s/%s in %s conditional=%t by %v", o.Operation, o.Group, o.Version, o.Resource, o.Subresource, where, o.Conditional, o.By)
}
