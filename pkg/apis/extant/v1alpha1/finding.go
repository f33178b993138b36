package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +genclient
// +genclient:nonNamespaced
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// Finding is one breach of one rule of an ExtensionPolicy. It appears when the
// rule is broken and goes when it is kept again; its name stays the same for
// as long as it holds. Extant writes findings; to be rid of one, mend its
// cause or accept it in spec.acceptedRisks of the Extension.
type Finding struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// What was found.
	Spec FindingSpec `json:"spec" protobuf:"bytes,2,opt,name=spec"`
}

// FindingSpec is one breach of one rule.
type FindingSpec struct {
	// The name of the ExtensionPolicy.
	Policy string `json:"policy" protobuf:"bytes,1,opt,name=policy"`
	// The name of the rule in it.
	Rule string `json:"rule" protobuf:"bytes,2,opt,name=rule"`
	// How bad it is: Error, Warning or Info.
	Severity FindingSeverity `json:"severity" protobuf:"bytes,3,opt,name=severity,casttype=FindingSeverity"`
	// The name of the Extension that it is about. Empty where there is none.
	// +optional
	Extension string `json:"extension,omitempty" protobuf:"bytes,4,opt,name=extension"`
	// What breaks the rule.
	Subject FindingSubject `json:"subject" protobuf:"bytes,5,opt,name=subject"`
	// What is wrong, in one sentence.
	// +optional
	Message string `json:"message,omitempty" protobuf:"bytes,6,opt,name=message"`
	// What to do, in one sentence.
	// +optional
	Remediation string `json:"remediation,omitempty" protobuf:"bytes,7,opt,name=remediation"`
	// Whether the owner of the extension accepts it, in spec.acceptedRisks.
	// +optional
	Accepted bool `json:"accepted" protobuf:"varint,8,opt,name=accepted"`
	// When the breach was first seen.
	FirstSeen metav1.Time `json:"firstSeen" protobuf:"bytes,9,opt,name=firstSeen"`
}

// FindingSubject is what breaks a rule: an object of Extant, named by kind and
// name, or an object of the observed cluster, named by group, resource,
// namespace and name, with the hook in it that is meant.
type FindingSubject struct {
	// The kind, for an object of Extant.
	// +optional
	Kind string `json:"kind,omitempty" protobuf:"bytes,1,opt,name=kind"`
	// The API group, for an object of the observed cluster; empty for the core
	// group.
	// +optional
	Group string `json:"group,omitempty" protobuf:"bytes,2,opt,name=group"`
	// The resource, plural and lower case, for an object of the observed
	// cluster.
	// +optional
	Resource string `json:"resource,omitempty" protobuf:"bytes,3,opt,name=resource"`
	// The namespace. Empty for cluster-scoped objects.
	// +optional
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,4,opt,name=namespace"`
	// The name.
	Name string `json:"name" protobuf:"bytes,5,opt,name=name"`
	// The hook in the object that is meant. Empty for the object as a whole.
	// +optional
	Hook string `json:"hook,omitempty" protobuf:"bytes,6,opt,name=hook"`
}

// FindingSeverity is how bad a finding is.
// +enum
type FindingSeverity string

const (
	// It breaks or will break the cluster.
	FindingError FindingSeverity = "Error"
	// It breaks something under conditions that are likely to come.
	FindingWarning FindingSeverity = "Warning"
	// It is worth knowing.
	FindingInfo FindingSeverity = "Info"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// FindingList is a list of Findings.
type FindingList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// The findings.
	Items []Finding `json:"items" protobuf:"bytes,2,rep,name=items"`
}
