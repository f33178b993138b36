package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +genclient
// +genclient:nonNamespaced
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ExtensionPolicy is a list of rules, written in CEL, that what extends the
// observed cluster should keep to. What breaks a rule is reported as a
// Finding. Extant ships the policies baseline (what breaks clusters) and
// strict (good practice), which administrators may edit, extend or delete.
type ExtensionPolicy struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// The rules.
	Spec ExtensionPolicySpec `json:"spec" protobuf:"bytes,2,opt,name=spec"`
	// What came of them. Written by Extant.
	// +optional
	Status ExtensionPolicyStatus `json:"status,omitempty" protobuf:"bytes,3,opt,name=status"`
}

// ExtensionPolicySpec is the rules of a policy.
type ExtensionPolicySpec struct {
	// Whether the policy is left unevaluated. The findings of a paused policy
	// are removed.
	// +optional
	Paused bool `json:"paused,omitempty" protobuf:"varint,1,opt,name=paused"`
	// The rules, each with a name of its own. At most 128.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +patchStrategy=merge
	// +patchMergeKey=name
	Rules []PolicyRule `json:"rules,omitempty" patchStrategy:"merge" patchMergeKey:"name" protobuf:"bytes,2,rep,name=rules"`
}

// PolicyRule is one sentence that holds of every subject it applies to. Its
// expressions are CEL with the libraries of Kubernetes' admission policies;
// the variable is named after what the rule applies to: hook, backend,
// extension, report or component.
type PolicyRule struct {
	// The name of the rule, lower case with dashes. At most 63 characters.
	Name string `json:"name" protobuf:"bytes,1,opt,name=name"`
	// What the rule is about: Hook, Backend, Extension, NodePluginReport or
	// ComponentConfiguration. It is evaluated once for each of them.
	AppliesTo PolicySubject `json:"appliesTo" protobuf:"bytes,2,opt,name=appliesTo,casttype=PolicySubject"`
	// CEL of type bool: whether the rule concerns this subject. Empty means
	// that it concerns all. At most 8192 characters.
	// +optional
	Match string `json:"match,omitempty" protobuf:"bytes,3,opt,name=match"`
	// CEL of type bool: what must be true. There is a finding where it is
	// false. At most 8192 characters.
	Assert string `json:"assert" protobuf:"bytes,4,opt,name=assert"`
	// What is wrong where assert is false, in one sentence. At most 1024
	// characters. Either message or messageExpression may be set.
	// +optional
	Message string `json:"message,omitempty" protobuf:"bytes,5,opt,name=message"`
	// CEL of type string: what is wrong where assert is false. At most 8192
	// characters.
	// +optional
	MessageExpression string `json:"messageExpression,omitempty" protobuf:"bytes,6,opt,name=messageExpression"`
	// How bad it is: Error (it breaks or will break the cluster), Warning (it
	// breaks something under conditions that are likely to come), or Info.
	Severity FindingSeverity `json:"severity" protobuf:"bytes,7,opt,name=severity,casttype=FindingSeverity"`
	// What to do, in one sentence. At most 1024 characters.
	// +optional
	Remediation string `json:"remediation,omitempty" protobuf:"bytes,8,opt,name=remediation"`
	// The URL of the page that says why.
	// +optional
	Documentation string `json:"documentation,omitempty" protobuf:"bytes,9,opt,name=documentation"`
}

// PolicySubject is what a rule applies to.
// +enum
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
	// +optional
	// +listType=map
	// +listMapKey=type
	// +patchStrategy=merge
	// +patchMergeKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type" protobuf:"bytes,1,rep,name=conditions"`
	// The number of findings of the policy, those that are accepted included.
	// +optional
	Violations int32 `json:"violations" protobuf:"varint,2,opt,name=violations"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ExtensionPolicyList is a list of ExtensionPolicies.
type ExtensionPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// The policies.
	Items []ExtensionPolicy `json:"items" protobuf:"bytes,2,rep,name=items"`
}
