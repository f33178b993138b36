package inventory

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// probedCluster has a webhook whose Service has a ready endpoint, and one whose
// Service is missing.
const probedCluster = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: d, labels: {app.kubernetes.io/name: d}}
webhooks:
- name: d.example.org
  clientConfig: {service: {namespace: d, name: d}}
  sideEffects: None
  admissionReviewVersions: [v1]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: e}
webhooks:
- name: e.example.org
  clientConfig: {service: {namespace: e, name: missing}}
  sideEffects: None
  admissionReviewVersions: [v1]
---
{apiVersion: v1, kind: Service, metadata: {namespace: d, name: d, labels: {app.kubernetes.io/name: d}}, spec: {selector: {app: d}, ports: [{port: 443}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: d, name: d-1, labels: {kubernetes.io/service-name: d}}
addressType: IPv4
ports: [{port: 8443}]
endpoints:
- {addresses: [10.0.0.2]}
`

func TestWhatAProbeFoundCountsWhereOnlyAProbeCanTell(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	pure := Take(readCluster(t, probedCluster, nil), catalogue.Points(), nil)
	before := format(pure)
	result := func(available metav1.ConditionStatus, reason extant.BackendReason, age time.Duration) *extant.BackendStatus {
		at := metav1.NewTime(now.Add(-age))
		return &extant.BackendStatus{
			Available: available, Reason: reason, Message: "as probed", LastProbeTime: &at,
			Certificate: &extant.Certificate{Issuer: "x"},
			Conditions:  []metav1.Condition{{Type: extant.ConditionCertificateValid, Status: metav1.ConditionFalse, Reason: "Expired"}},
		}
	}
	for _, test := range []struct {
		name             string
		result           *extant.BackendStatus
		d, e, extensionD metav1.ConditionStatus
		certificate      bool
	}{
		{"nothing was probed", nil, "Unknown", "False", "Unknown", false},
		{"a probe succeeded", result("True", extant.BackendProbeSucceeded, time.Minute), "True", "False", "True", true},
		{"a probe failed", result("False", extant.BackendTLSFailed, time.Minute), "False", "False", "False", true},
		{"a probe could not tell", result("Unknown", extant.BackendConnectFailed, time.Minute), "Unknown", "False", "Unknown", true},
		{"the snapshot of then said that no endpoint is ready", result("False", extant.BackendNoReadyEndpoints, time.Minute), "Unknown", "False", "Unknown", true},
		{"the result is as old as it may be", result("True", extant.BackendProbeSucceeded, 12*time.Minute+30*time.Second), "True", "False", "True", true},
		{"the result is older", result("True", extant.BackendProbeSucceeded, 12*time.Minute+31*time.Second), "Unknown", "False", "Unknown", false},
		{"the result is from the future", result("True", extant.BackendProbeSucceeded, -2*time.Minute), "Unknown", "False", "Unknown", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := pure.Probed(func(string) *extant.BackendStatus { return test.result }, now)
			d, e := &got.Backends[0], &got.Backends[1]
			if d.Status.Available != test.d || e.Status.Available != test.e {
				t.Errorf("the backends are %s and %s", d.Status.Available, e.Status.Available)
			}
			if has := d.Status.Certificate != nil && meta.FindStatusCondition(d.Status.Conditions, extant.ConditionCertificateValid) != nil; has != test.certificate {
				t.Errorf("what the certificate says is there: %t", has)
			}
			if c := meta.FindStatusCondition(d.Status.Conditions, extant.ConditionAvailable); c == nil || c.Status != test.d {
				t.Errorf("the condition Available is %v", c)
			}
			if c := meta.FindStatusCondition(got.Extensions[0].Status.Conditions, extant.ConditionAvailable); c.Status != test.extensionD {
				t.Errorf("the extension's is %v", c)
			}
			if format(pure) != before {
				t.Error("the inventory was changed")
			}
		})
	}
}

func TestWhoAsksForLessProbingIsHeard(t *testing.T) {
	const cluster = probedCluster + `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: f}
webhooks:
- name: f.example.org
  clientConfig: {service: {namespace: d, name: d}}
  sideEffects: None
  admissionReviewVersions: [v1]
`
	extension := func(name, configuration string, probe extant.Probe) *extant.Extension {
		e := &extant.Extension{ObjectMeta: metav1.ObjectMeta{Name: name}}
		e.Spec.Probe = &probe
		e.Spec.Components = []extant.ObjectReference{{Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations", Name: configuration}}
		return e
	}
	found := Take(readCluster(t, cluster, nil), catalogue.Points(), []*extant.Extension{
		extension("one", "d", extant.Probe{Mode: extant.ProbeModeTCP, IntervalSeconds: 5}),
		extension("two", "f", extant.Probe{IntervalSeconds: 60, TimeoutSeconds: 9}),
	})
	if got, want := found.Probes["d.d.443"], (extant.Probe{Mode: extant.ProbeModeTCP, IntervalSeconds: 60, TimeoutSeconds: 9}); got != want {
		t.Errorf("two owners: %+v", got)
	}
	if got := found.Probes["missing.e.443"]; got != defaultProbe {
		t.Errorf("no owner: %+v", got)
	}
}

func TestAHookWhoseBundleDoesNotVouchHasNoBackend(t *testing.T) {
	backend := &extant.Backend{Status: extant.BackendStatus{Available: metav1.ConditionTrue, Callers: []extant.CallerStatus{
		{Resource: "r", Object: "o", Hook: "good", TrustedByCABundle: metav1.ConditionTrue},
		{Resource: "r", Object: "o", Hook: "bad", TrustedByCABundle: metav1.ConditionFalse},
	}}}
	for hook, want := range map[string]metav1.ConditionStatus{"good": "True", "bad": "False", "other": "True"} {
		if got := Answers(backend, "r", "o", hook); got != want {
			t.Errorf("%s: %s", hook, got)
		}
	}
}
