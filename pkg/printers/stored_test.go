package printers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

func TestAFindingSaysWhatBreaksWhichRule(t *testing.T) {
	now := time.Unix(1e9, 0)
	finding := &extant.Finding{
		ObjectMeta: metav1.ObjectMeta{Name: "f", CreationTimestamp: metav1.NewTime(now.Add(-time.Hour))},
		Spec: extant.FindingSpec{
			Policy: "baseline", Rule: "slow", Severity: extant.FindingError, Extension: "istio", Message: "it waits 30 s",
			Subject: extant.FindingSubject{Resource: "mutatingwebhookconfigurations", Name: "injector", Hook: "pods.injector"},
		},
	}
	want := []any{"f", "Error", "istio", "slow", "mutatingwebhookconfigurations/injector pods.injector", "it waits 30 s", "60m", false}
	if diff := cmp.Diff(want, Findings.Row(finding, now)); diff != "" {
		t.Error(diff)
	}
	for want, s := range map[string]extant.FindingSubject{
		"Backend/guard.guards.443":  {Kind: "Backend", Name: "guard.guards.443"},
		"deployments/guards/guard":  {Group: "apps", Resource: "deployments", Namespace: "guards", Name: "guard"},
		"apiservices/v1.metrics x":  {Resource: "apiservices", Name: "v1.metrics", Hook: "x"},
		"ComponentConfiguration/ab": {Kind: "ComponentConfiguration", Name: "ab"},
	} {
		if got := subject(s); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAReportNamesTheFirstPluginsOfEachKind(t *testing.T) {
	now := time.Unix(1e9, 0)
	reported := metav1.NewTime(now.Add(-time.Minute))
	report := &extant.NodePluginReport{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}, Spec: extant.NodePluginReportSpec{ReportTime: &reported, Plugins: []extant.NodePlugin{
		{Type: extant.NodePluginCNI, Name: "cilium"},
		{Type: extant.NodePluginCSI, Name: "d"}, {Type: extant.NodePluginCSI, Name: "c"}, {Type: extant.NodePluginCSI, Name: "b"}, {Type: extant.NodePluginCSI, Name: "a"},
		{Type: extant.NodePluginDevice, Name: "gpu"}, {Type: extant.NodePluginDynamicResource, Name: "fpga"}, {Type: extant.NodePluginDevice, Name: "gpu"},
	}}}
	want := []any{"node-1", "cilium", "a,b,c + 1 more", "fpga,gpu", "<none>", "<none>", "60s", "<unknown>"}
	if diff := cmp.Diff(want, NodePluginReports.Row(report, now)); diff != "" {
		t.Error(diff)
	}
}

func TestAPausedPolicyIsNotEvaluated(t *testing.T) {
	policy := &extant.ExtensionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "mine"},
		Spec:       extant.ExtensionPolicySpec{Rules: make([]extant.PolicyRule, 2)},
		Status: extant.ExtensionPolicyStatus{Violations: 3, Conditions: []metav1.Condition{
			{Type: extant.ConditionEvaluated, Status: metav1.ConditionFalse}, {Type: extant.ConditionCompiled, Status: metav1.ConditionTrue},
		}},
	}
	if diff := cmp.Diff([]any{"mine", int64(2), int64(3), "False", "<unknown>", "True"}, ExtensionPolicies.Row(policy, time.Time{})); diff != "" {
		t.Error(diff)
	}
	policy.Spec.Paused = true
	if got := ExtensionPolicies.Row(policy, time.Time{})[3]; got != "Paused" {
		t.Errorf("got %v", got)
	}
}
