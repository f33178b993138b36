package extant

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ExtensionPolicy is a list of rules, written in CEL, that what extends the
// observed cluster should keep to. What breaks a rule is reported as a
// Finding. Extant ships the policies baseline (what breaks clusters) and
// strict (good practice), which administrators may edit, extend or delete.
type ExtensionPolicy struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// The rules.
	Spec ExtensionPolicySpec
	// What came of them. Written by Extant.
	Status ExtensionPolicyStatus
}

// ExtensionPolicySpec is the rules of a policy.
type ExtensionPolicySpec struct {
	// Whether the policy is left unevaluated. The findings of a paused policy
	// are removed.
	Paused bool
	// The rules, each with a name of its own. At most 128.
	Rules []PolicyRule
}

// PolicyRule is one sentence that holds of every subject it applies to. Its
// expressions are CEL with the libraries of Kubernetes' admission policies;
// the variable is named after what the rule applies to: hook, backend,
// extension, report or component.
type PolicyRule struct {
	// The name of the rule, lower case with dashes. At most 63 characters.
	Name string
	// What the rule is about: Hook, Backend, Extension, NodePluginReport or
	// ComponentConfiguration. It is evaluated once for each of them.
	AppliesTo PolicySubject
	// CEL of type bool: whether the rule concerns this subject. Empty means
	// that it concerns all. At most 8192 characters.
	Match string
	// CEL of type bool: what must be true. There is a finding where it is
	// false. At most 8192 characters.
	Assert string
	// What is wrong where assert is false, in one sentence. At most 1024
	// characters. Either message or messageExpression may be set.
	Message string
	// CEL of type string: what is wrong where assert is false. At most 8192
	// characters.
	MessageExpression string
	// How bad it is: Error (it breaks or will break the cluster), Warning (it
	// breaks something under conditions that are likely to come), or Info.
	Severity FindingSeverity
	// What to do, in one sentence. At most 1024 characters.
	Remediation string
	// The URL of the page that says why.
	Documentation string
}

// PolicySubject is what a rule applies to.
type PolicySubject string

const (
	// Each hook: an entry of a webhook configuration, a policy binding, an
	// aggregated API, or the conversion of a custom resource.
	PolicySubjectHook PolicySubject = "Hook"
	// Each Backend.
	PolicySubjectBackend PolicySubject = "Backend"
	// Each Extension.
	PolicySubjectExtension PolicySubject = "Extension"
	// Each NodePluginReport.
	PolicySubjectNodePluginReport PolicySubject = "NodePluginReport"
	// Each ComponentConfiguration.
	PolicySubjectComponentConfiguration PolicySubject = "ComponentConfiguration"
)

// ExtensionPolicyStatus is what came of a policy.
type ExtensionPolicyStatus struct {
	// Compiled and Evaluated. Compiled is False when a rule that was stored by
	// an earlier version does not compile any more; Evaluated is False, with
	// the rule, when an expression failed. A failed evaluation never removes a
	// finding.
	Conditions []metav1.Condition
	// The number of findings of the policy, those that are accepted included.
	Violations int32
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ExtensionPolicyList is a list of ExtensionPolicies.
type ExtensionPolicyList struct {
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// The policies.
	Items []ExtensionPolicy
}
