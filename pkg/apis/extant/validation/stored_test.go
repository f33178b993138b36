package validation

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

func wantErrors(t *testing.T, errs field.ErrorList, want ...string) {
	t.Helper()
	if len(errs) != len(want) {
		t.Fatalf("got %v, want %q", errs, want)
	}
	for i, err := range errs {
		if !strings.HasPrefix(err.Error(), want[i]) {
			t.Errorf("got %v, want %s", err, want[i])
		}
	}
}

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

func TestAPolicyNeedsRulesWithNamesOfTheirOwn(t *testing.T) {
	good := extant.PolicyRule{Name: "short-timeouts", AppliesTo: extant.PolicySubjectHook, Assert: "hook.timeoutSeconds <= 10", Severity: extant.FindingWarning}
	policy := func(rules ...extant.PolicyRule) *extant.ExtensionPolicy {
		return &extant.ExtensionPolicy{ObjectMeta: named("mine"), Spec: extant.ExtensionPolicySpec{Rules: rules}}
	}
	wantErrors(t, ValidateExtensionPolicy(policy(good)))
	wantErrors(t, ValidateExtensionPolicy(policy(good, good)), `spec.rules[1]: Duplicate value: "short-timeouts"`)
	wantErrors(t, ValidateExtensionPolicy(policy(extant.PolicyRule{Name: "A b"})),
		`spec.rules[0].name: Invalid value: "A b"`, "spec.rules[0].appliesTo: Required value: one of Hook, Backend",
		"spec.rules[0].assert: Required value: CEL of type bool", "spec.rules[0].severity: Required value: one of Error, Warning, Info")
	both := good
	both.Message, both.MessageExpression = "too long", "'too long'"
	wantErrors(t, ValidateExtensionPolicy(policy(both)), `spec.rules[0].messageExpression: Invalid value: "'too long'": must be empty where message is set`)
	wantErrors(t, ValidateExtensionPolicy(policy(make([]extant.PolicyRule, maxRules+1)...)), "spec.rules: Too many: 129: must have at most 128 items")
}

// TestARuleThatIsTooLongIsRefusedForThatAlone: it is not compiled, which would
// take a second for each.
func TestARuleThatIsTooLongIsRefusedForThatAlone(t *testing.T) {
	rule := extant.PolicyRule{Name: "long", AppliesTo: extant.PolicySubjectHook, Severity: extant.FindingWarning}
	rule.Assert = strings.Repeat("(", maxExpression+1)
	wantErrors(t, ValidateExtensionPolicy(&extant.ExtensionPolicy{ObjectMeta: named("mine"), Spec: extant.ExtensionPolicySpec{Rules: []extant.PolicyRule{rule}}}),
		"spec.rules[0].assert: Too long: may not be more than 8192 characters")
}

func TestARuleThatDoesNotCompileIsRefusedUnlessItIsStored(t *testing.T) {
	wrong := extant.PolicyRule{Name: "wrong", AppliesTo: extant.PolicySubjectHook, Match: "hook.nme == ''", Assert: "true", Severity: extant.FindingInfo}
	policy := &extant.ExtensionPolicy{ObjectMeta: named("mine"), Spec: extant.ExtensionPolicySpec{Rules: []extant.PolicyRule{wrong}}}
	policy.ResourceVersion = "1"
	want := `spec.rules[0].match: Invalid value: "hook.nme == ''": compilation failed: ERROR: <input>:1:5: undefined field 'nme'`
	wantErrors(t, ValidateExtensionPolicy(policy), want)
	wantErrors(t, ValidateExtensionPolicyUpdate(policy, policy))
	changed := policy.DeepCopy()
	changed.Spec.Rules[0].Severity = extant.FindingError
	wantErrors(t, ValidateExtensionPolicyUpdate(changed, policy), want)
}

func TestAFindingIsAboutOneThingForAsLongAsItHolds(t *testing.T) {
	finding := func(change func(*extant.FindingSpec)) *extant.Finding {
		f := &extant.Finding{ObjectMeta: named("baseline.short-timeouts.1a2b"), Spec: extant.FindingSpec{
			Policy: "baseline", Rule: "short-timeouts", Severity: extant.FindingWarning, FirstSeen: metav1.NewTime(time.Unix(1e9, 0)),
			Subject: extant.FindingSubject{Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations", Name: "guard", Hook: "pods.guard"},
		}}
		f.ResourceVersion = "1"
		change(&f.Spec)
		return f
	}
	same := finding(func(*extant.FindingSpec) {})
	wantErrors(t, ValidateFinding(same))
	wantErrors(t, ValidateFinding(finding(func(s *extant.FindingSpec) { s.Subject.Kind = "Backend" })), "spec.subject: Invalid value: must have either kind")
	wantErrors(t, ValidateFinding(finding(func(s *extant.FindingSpec) { s.Subject = extant.FindingSubject{} })), "spec.subject: Invalid value: must have either kind")
	wantErrors(t, ValidateFinding(finding(func(s *extant.FindingSpec) { s.FirstSeen = metav1.Time{} })), "spec.firstSeen: Required value")
	wantErrors(t, ValidateFindingUpdate(finding(func(s *extant.FindingSpec) { s.Accepted, s.Severity = true, extant.FindingInfo }), same))
	wantErrors(t, ValidateFindingUpdate(finding(func(s *extant.FindingSpec) { s.Policy, s.Rule, s.Subject.Hook = "other", "other", "other" }), same),
		`spec.policy: Invalid value: "other": field is immutable`, `spec.rule: Invalid value: "other": field is immutable`, "spec.subject: Invalid value")
}

func TestAReportIsThatOfItsNode(t *testing.T) {
	report := func(node string, plugins ...extant.NodePlugin) *extant.NodePluginReport {
		return &extant.NodePluginReport{ObjectMeta: named("node-1"), Spec: extant.NodePluginReportSpec{NodeName: node, Plugins: plugins}}
	}
	wantErrors(t, ValidateNodePluginReport(report("node-1", extant.NodePlugin{Type: extant.NodePluginCNI, Name: "cilium", State: extant.NodePluginConfigured})))
	wantErrors(t, ValidateNodePluginReport(report("node-2")), `spec.nodeName: Invalid value: "node-2": must be the name of the report`)
	wantErrors(t, ValidateNodePluginReport(report("")), "spec.nodeName: Required value")
	wantErrors(t, ValidateNodePluginReport(report("node-1", extant.NodePlugin{Type: "Cni", SHA256: "abc"})),
		`spec.plugins[0].type: Unsupported value: "Cni"`, "spec.plugins[0].name: Required value", "spec.plugins[0].sha256: Invalid value", "spec.plugins[0].state: Required value")
	at := func(path string) extant.NodePlugin {
		return extant.NodePlugin{Type: extant.NodePluginCNI, Name: "bridge", Path: path, State: extant.NodePluginPresent}
	}
	wantErrors(t, ValidateNodePluginReport(report("node-1", at("/opt/cni/bin/bridge"), at("/usr/lib/cni/bridge"), at(""))))
	wantErrors(t, ValidateNodePluginReport(report("node-1", at("/opt/cni/bin/bridge"), at("/opt/cni/bin/bridge"))), "spec.plugins[1]: Duplicate value")
}

func TestAConfigurationIsAnObjectOfOneInstance(t *testing.T) {
	configuration := func(name, raw string) *extant.ComponentConfiguration {
		return &extant.ComponentConfiguration{ObjectMeta: named(name), Spec: extant.ComponentConfigurationSpec{
			Component: "kubelet", Instance: "node-1", Configuration: runtime.RawExtension{Raw: []byte(raw)},
		}}
	}
	wantErrors(t, ValidateComponentConfiguration(configuration("kubelet.node-1", "")))
	wantErrors(t, ValidateComponentConfiguration(configuration("kubelet.node-1", `{"maxPods":110}`)))
	wantErrors(t, ValidateComponentConfiguration(configuration("kubelet.node-2", "")), "spec.instance: Invalid value")
	for _, raw := range []string{"[]", `{"maxPods":`, "k8s\x00abc"} {
		wantErrors(t, ValidateComponentConfiguration(configuration("kubelet.node-1", raw)), "spec.configuration: Invalid value: must be an object, as JSON or CBOR")
	}
	wantErrors(t, ValidateComponentConfiguration(configuration("kubelet.node-1", "{"+strings.Repeat(" ", maxConfigurationBytes)+"}")), "spec.configuration: Too long")
}
