package requestpath_test

import (
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// TestAReviewCountsOnWhatProbesFoundForEachHook asks two hooks of one backend:
// the certificate is signed by the bundle of one of them.
func TestAReviewCountsOnWhatProbesFoundForEachHook(t *testing.T) {
	const manifests = `
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {kubernetes.io/metadata.name: shop}}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: g, name: g}, spec: {selector: {app: g}, ports: [{port: 443}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: g, name: g},
  spec: {replicas: 1, selector: {matchLabels: {app: g}}, template: {metadata: {labels: {app: g}}}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: g}
webhooks:
- name: one.example.org
  clientConfig: {service: {namespace: g, name: g}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
  sideEffects: None
  admissionReviewVersions: [v1]
- name: two.example.org
  clientConfig: {service: {namespace: g, name: g}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
  sideEffects: None
  admissionReviewVersions: [v1]
`
	contents, err := dump.ReadStream("cluster.yaml", strings.NewReader(manifests))
	if err != nil {
		t.Fatal(err)
	}
	snapshot := contents.Snapshot()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	at := metav1.NewTime(now)
	trust := func(two metav1.ConditionStatus) []extant.CallerStatus {
		const resource = "validatingwebhookconfigurations"
		return []extant.CallerStatus{
			{Resource: resource, Object: "g", Hook: "one.example.org", TrustedByCABundle: metav1.ConditionTrue},
			{Resource: resource, Object: "g", Hook: "two.example.org", TrustedByCABundle: two},
		}
	}
	engine := requestpath.NewEngine()
	for _, test := range []struct {
		name      string
		result    *extant.BackendStatus
		verdict   extant.Verdict
		blockedBy string
	}{
		{"nothing was probed", nil, extant.VerdictUnknown, ""},
		{"it answers both", &extant.BackendStatus{Available: "True", Reason: extant.BackendProbeSucceeded, Callers: trust("True")}, extant.VerdictAllowed, ""},
		{"it answers one", &extant.BackendStatus{Available: "True", Reason: extant.BackendProbeSucceeded, Callers: trust("False")}, extant.VerdictBlocked, "two.example.org"},
		{"it answers nobody", &extant.BackendStatus{Available: "False", Reason: extant.BackendConnectFailed}, extant.VerdictBlocked, "one.example.org two.example.org"},
		{"it may answer", &extant.BackendStatus{Available: "Unknown", Reason: extant.BackendConnectFailed}, extant.VerdictUnknown, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.result != nil {
				test.result.LastProbeTime = &at
			}
			found := inventory.Take(snapshot, nil, nil).Probed(func(string) *extant.BackendStatus { return test.result }, now)
			status, err := engine.Trace(t.Context(), requestpath.Observed{Snapshot: snapshot, Inventory: found, Params: noParams{}, Time: at},
				rbac.New(snapshot, rbac.Options{}), &extant.RequestReviewSpec{
					User: &authenticationv1.UserInfo{Username: "alice"},
					Request: extant.ReviewedRequest{Operation: extant.OperationCreate, Version: "v1", Resource: "configmaps", Namespace: "shop", Name: "a",
						Object: runtime.RawExtension{Raw: []byte(`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}}`)}},
					Assume: extant.RequestAssumptions{Backends: extant.BackendsObserved},
				})
			if err != nil {
				t.Fatal(err)
			}
			var blockers []string
			for _, by := range status.BlockedBy {
				blockers = append(blockers, by.Hook)
			}
			if status.Verdict != test.verdict || strings.Join(blockers, " ") != test.blockedBy {
				t.Errorf("%s, blocked by %v: %s", status.Verdict, blockers, status.Message)
			}
		})
	}
}
