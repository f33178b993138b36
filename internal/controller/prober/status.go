package prober

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/controller/apply"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// status returns the part of the status that this controller writes. Samples and
// what follows from them are as stored unless something else differs or they
// have not been written for long. False: what is stored is left for now.
func (s *state) status(stored *v1alpha1.Backend, off string, recent bool, now time.Time) (*v1alpha1.BackendStatus, bool) {
	status := &v1alpha1.BackendStatus{
		Available: s.pure.Available, Reason: v1alpha1.BackendReason(s.pure.Reason), Message: s.pure.Message,
		Samples: stored.Status.Samples, Latency: stored.Status.Latency, LastProbeTime: stored.Status.LastProbeTime,
	}
	why := off
	if why == "" {
		why = s.target.skip
	}
	unknown := s.pure.Available == metav1.ConditionUnknown
	var valid *metav1.Condition
	switch {
	case unknown && why != "":
		status.Message += "; " + why
		// Nobody keeps these up to date.
		status.Samples, status.Latency, status.LastProbeTime = nil, nil, nil
	case s.shown != nil:
		s.show(status, unknown)
	case unknown && recent && stored.Status.Reason != v1alpha1.BackendNotProbed:
		return nil, false // the first probe of this replica is on its way
	case unknown:
		status.Message += "; not probed yet"
	case recent:
		// What the certificate said last.
		status.Certificate, status.Callers = stored.Status.Certificate, stored.Status.Callers
		valid = meta.FindStatusCondition(stored.Status.Conditions, extant.ConditionCertificateValid)
	}
	wanted := []metav1.Condition{{
		Type: extant.ConditionAvailable, Status: status.Available, Reason: string(status.Reason), Message: status.Message,
	}}
	if s.shown != nil && s.shown.valid.Type != "" {
		valid = &s.shown.valid
	}
	if valid != nil && status.Certificate != nil {
		wanted = append(wanted, *valid)
	}
	status.Conditions = apply.Transition(wanted, stored.Status.Conditions, stored.Generation, metav1.NewTime(now))
	if s.probed.IsZero() || why != "" {
		return status, true
	}
	due := stored.Status.LastProbeTime == nil || s.probed.Sub(stored.Status.LastProbeTime.Time) >= inventory.ResultsWritten ||
		s.probed.Before(stored.Status.LastProbeTime.Add(-time.Minute))
	if due || !equality.Semantic.DeepEqual(status, own(stored)) {
		at := metav1.NewTime(s.probed.Truncate(time.Second))
		status.Samples, status.Latency, status.LastProbeTime = slices.Clone(s.samples), s.samples.latency(), &at
	}
	return status, true
}

// show fills in what the probes found. Where the snapshot or the API server
// knows whether the backend is available, only what else was seen.
func (s *state) show(status *v1alpha1.BackendStatus, decides bool) {
	v := s.shown
	switch {
	case decides:
		status.Available, status.Reason, status.Message = v.available, v1alpha1.BackendReason(v.reason), v.message
	case v.failed() && s.target.skip == "":
		status.Message += "; " + v.message
	}
	if c := v.certificate; c != nil {
		status.Certificate = &v1alpha1.Certificate{NotAfter: c.NotAfter, DNSNames: c.DNSNames, Issuer: c.Issuer}
	}
	for _, c := range v.callers {
		status.Callers = append(status.Callers, v1alpha1.CallerStatus{Resource: c.Resource, Object: c.Object, Hook: c.Hook, TrustedByCABundle: c.TrustedByCABundle})
	}
}

// own is the part of what is stored that this controller wrote.
func own(stored *v1alpha1.Backend) *v1alpha1.BackendStatus {
	status := stored.Status
	status.Endpoints, status.Workloads = nil, nil
	return &status
}
