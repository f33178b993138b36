package inventory

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// What probes found is laid over what the snapshot tells. Where the snapshot
// says that a backend is unavailable, or the API server that it is available,
// that stands; where only a probe can tell, a probe that is recent enough does.

const (
	// ResultsWritten is the longest time between two writes of a backend's
	// samples, besides the time to the next probe.
	ResultsWritten = 10 * time.Minute
	// resultsLate is how late a write may be before nobody is taken to probe.
	resultsLate = 2 * time.Minute
	// clocksDiffer is how far a result may lie in the future: the replica that
	// probed has a clock of its own.
	clocksDiffer = time.Minute
)

// defaultProbe is how backends are probed of which no Extension says it.
var defaultProbe = extant.Probe{Mode: extant.ProbeModeTLS, IntervalSeconds: 30, TimeoutSeconds: 5}

// probes returns how each backend is probed. Where several Extensions call one,
// the owner who asks for less is heard: any None, then any TCP, the longest
// interval, the longest timeout.
func (t *taker) probes() map[string]extant.Probe {
	probes := make(map[string]extant.Probe, len(t.calls))
	for _, c := range t.calls {
		var merged *extant.Probe
		for _, i := range c.hooks {
			stored, ok := t.stored[t.hooks[i].Extension]
			if !ok || stored.Spec.Probe == nil {
				continue
			}
			probe := completed(*stored.Spec.Probe)
			if merged == nil {
				merged = &probe
				continue
			}
			modes := []extant.ProbeMode{extant.ProbeModeNone, extant.ProbeModeTCP, extant.ProbeModeTLS}
			if slices.Index(modes, probe.Mode) < slices.Index(modes, merged.Mode) {
				merged.Mode = probe.Mode
			}
			merged.IntervalSeconds = max(merged.IntervalSeconds, probe.IntervalSeconds)
			merged.TimeoutSeconds = max(merged.TimeoutSeconds, probe.TimeoutSeconds)
		}
		if merged == nil {
			merged = &defaultProbe
		}
		probes[c.name] = *merged
	}
	return probes
}

func completed(probe extant.Probe) extant.Probe {
	if probe.Mode == "" {
		probe.Mode = defaultProbe.Mode
	}
	if probe.IntervalSeconds <= 0 {
		probe.IntervalSeconds = defaultProbe.IntervalSeconds
	}
	if probe.TimeoutSeconds <= 0 {
		probe.TimeoutSeconds = defaultProbe.TimeoutSeconds
	}
	return probe
}

// RecentAt tells whether what a probe found at one time still counts at another.
// A result from the future is none, and neither is one that should have been
// written again by now.
func RecentAt(probed *metav1.Time, probe extant.Probe, now time.Time) bool {
	if probed == nil {
		return false
	}
	age := now.Sub(probed.Time)
	return age >= -clocksDiffer && age <= ResultsWritten+time.Duration(probe.IntervalSeconds)*time.Second+resultsLate
}

// Probed returns the inventory with what probes found: results are the stored
// status of each backend, or nil, and those that are not recent do not count. The
// inventory is not changed, and shares with the returned one what does not
// differ.
func (i *Inventory) Probed(results func(backend string) *extant.BackendStatus, now time.Time) *Inventory {
	var backends []extant.Backend
	for at := range i.Backends {
		pure := &i.Backends[at]
		status, ok := probed(&pure.Status, results(pure.Name), i.Probes[pure.Name], now)
		if !ok {
			continue
		}
		if backends == nil {
			backends = slices.Clone(i.Backends)
		}
		backends[at].Status = status
	}
	if backends == nil {
		return i
	}
	answer := *i
	answer.Backends = backends
	answer.Extensions = i.extensionsWith(backends)
	return &answer
}

// probed lays the result of a probe over what the snapshot tells.
func probed(pure, result *extant.BackendStatus, probe extant.Probe, now time.Time) (extant.BackendStatus, bool) {
	if result == nil || !RecentAt(result.LastProbeTime, probe, now) {
		return *pure, false
	}
	status := *pure
	status.Certificate, status.Callers, status.Latency = result.Certificate, result.Callers, result.Latency
	status.LastProbeTime = result.LastProbeTime
	conditions := slices.Clone(pure.Conditions)
	if pure.Available == metav1.ConditionUnknown && tells(result) {
		status.Available, status.Reason, status.Message = result.Available, result.Reason, result.Message
		conditions = []metav1.Condition{{
			Type: extant.ConditionAvailable, Status: result.Available, Reason: string(result.Reason), Message: result.Message,
		}}
	}
	for _, condition := range result.Conditions {
		if condition.Type == extant.ConditionCertificateValid {
			conditions = append(conditions, metav1.Condition{
				Type: condition.Type, Status: condition.Status, Reason: condition.Reason, Message: condition.Message,
			})
		}
	}
	status.Conditions = conditions
	return status, true
}

// tells tells whether a result is a probe's own, and not what the snapshot of
// that time told: the snapshot of now knows better.
func tells(result *extant.BackendStatus) bool {
	switch result.Reason {
	case extant.BackendProbeSucceeded, extant.BackendConnectFailed, extant.BackendTLSFailed:
		return true
	default:
		return false
	}
}

// extensionsWith returns the extensions with the condition Available that
// follows from the backends.
func (i *Inventory) extensionsWith(backends []extant.Backend) []extant.Extension {
	byName := make(map[string]*extant.Backend, len(backends))
	for at := range backends {
		byName[backends[at].Name] = &backends[at]
	}
	extensions := slices.Clone(i.Extensions)
	for at := range extensions {
		extension := &extensions[at]
		ready, ok := i.readiness[extension.Name]
		if !ok {
			continue
		}
		extension.Status.Conditions = slices.Clone(extension.Status.Conditions)
		for c := range extension.Status.Conditions {
			if extension.Status.Conditions[c].Type == extant.ConditionAvailable {
				extension.Status.Conditions[c] = ready.available(extension.Status.Backends, byName)
			}
		}
	}
	return extensions
}

// Answers tells whether a hook's backend answers it: the backend may be there,
// and serve a certificate that this hook's caBundle does not vouch for.
func Answers(backend *extant.Backend, resource, object, hook string) metav1.ConditionStatus {
	if backend.Status.Available != metav1.ConditionTrue {
		return backend.Status.Available
	}
	for _, caller := range backend.Status.Callers {
		if caller.Resource == resource && caller.Object == object && caller.Hook == hook && caller.TrustedByCABundle == metav1.ConditionFalse {
			return metav1.ConditionFalse
		}
	}
	return metav1.ConditionTrue
}
