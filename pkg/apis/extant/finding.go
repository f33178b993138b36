package extant

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// Finding is one breach of one rule of an ExtensionPolicy. It appears when the
// rule is broken and goes when it is kept again; its name stays the same for
// as long as it holds. Extant writes findings; to be rid of one, mend its
// cause or accept it in spec.acceptedRisks of the Extension.
type Finding struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// What was found.
	Spec FindingSpec
}

// FindingSpec is one breach of one rule.
type FindingSpec struct {
	// The name of the ExtensionPolicy.
	Policy string
	// The name of the rule in it.
	Rule string
	// How bad it is: Error, Warning or Info.
	Severity FindingSeverity
	// The name of the Extension that it is about. Empty where there is none.
	Extension string
	// What breaks the rule.
	Subject FindingSubject
	// What is wrong, in one sentence.
	Message string
	// What to do, in one sentence.
	Remediation string
	// Whether the owner of the extension accepts it, in spec.acceptedRisks.
	Accepted bool
	// When the breach was first seen.
	FirstSeen metav1.Time
}

// FindingSubject is what breaks a rule: an object of Extant, named by kind and
// name, or an object of the observed cluster, named by group, resource,
// namespace and name, with the hook in it that is meant.
type FindingSubject struct {
	// The kind, for an object of Extant.
	Kind string
	// The API group, for an object of the observed cluster; empty for the core
	// group.
	Group string
	// The resource, plural and lower case, for an object of the observed
	// cluster.
	Resource string
	// The namespace. Empty for cluster-scoped objects.
	Namespace string
	// The name.
	Name string
	// The hook in the object that is meant. Empty for the object as a whole.
	Hook string
}

// FindingSeverity is how bad a finding is.
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
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// The findings.
	Items []Finding
}
