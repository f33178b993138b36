package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Recovery is what comes back without a human.
type Recovery struct {
	// True, False or Unknown: whether everything that is lost comes back without
	// a human.
	RecoversUnaided metav1.ConditionStatus `json:"recoversUnaided" protobuf:"bytes,1,opt,name=recoversUnaided,casttype=k8s.io/apimachinery/pkg/apis/meta/v1.ConditionStatus"`
	// Why, for people.
	// +optional
	Reason string `json:"reason,omitempty" protobuf:"bytes,2,opt,name=reason"`
	// In which order things come back. A wave holds what can come back once the
	// waves before it have.
	// +optional
	// +listType=atomic
	Waves []RecoveryWave `json:"waves,omitempty" protobuf:"bytes,3,rep,name=waves"`
	// The names of the Backends that have no ready endpoint at the end, whatever
	// their workloads say.
	// +optional
	// +listType=atomic
	Unreachable []string `json:"unreachable,omitempty" protobuf:"bytes,4,rep,name=unreachable"`
	// What does not come back.
	// +optional
	// +listType=atomic
	Stuck []StuckObject `json:"stuck,omitempty" protobuf:"bytes,5,rep,name=stuck"`
	// The smallest sets of things that wait for each other.
	// +optional
	// +listType=atomic
	Deadlocks []Deadlock `json:"deadlocks,omitempty" protobuf:"bytes,6,rep,name=deadlocks"`
	// What a human can do once it has happened, in this order. Empty where
	// nothing is stuck, or nothing was found that helps. Extant proposes and does
	// nothing of it.
	// +optional
	// +listType=atomic
	Remedies []Remedy `json:"remedies,omitempty" protobuf:"bytes,7,rep,name=remedies"`
}

// RecoveryWave is what can come back once the waves before it have.
type RecoveryWave struct {
	// The number of the wave, from 1.
	Wave int32 `json:"wave" protobuf:"varint,1,opt,name=wave"`
	// The workloads that are ready.
	// +optional
	// +listType=atomic
	Workloads []ObjectReference `json:"workloads,omitempty" protobuf:"bytes,2,rep,name=workloads"`
	// The names of the Backends that can be called.
	// +optional
	// +listType=atomic
	Backends []string `json:"backends,omitempty" protobuf:"bytes,3,rep,name=backends"`
}

// StuckObject is something that does not come back.
type StuckObject struct {
	ObjectReference `json:",inline" protobuf:"bytes,1,opt,name=objectReference"`
	// The operations that it needs and that are not allowed.
	// +optional
	// +listType=atomic
	Needs []Operation `json:"needs,omitempty" protobuf:"bytes,2,rep,name=needs"`
	// The hooks that refuse them.
	// +optional
	// +listType=atomic
	BlockedBy []HookReference `json:"blockedBy,omitempty" protobuf:"bytes,3,rep,name=blockedBy"`
	// Why, for people.
	// +optional
	Message string `json:"message,omitempty" protobuf:"bytes,4,opt,name=message"`
}

// Deadlock is a smallest set of things that wait for each other.
type Deadlock struct {
	// The names of the Backends in it.
	// +optional
	// +listType=atomic
	Members []string `json:"members,omitempty" protobuf:"bytes,1,rep,name=members"`
	// The cycle, one sentence a step.
	// +optional
	// +listType=atomic
	Explanation []string `json:"explanation,omitempty" protobuf:"bytes,2,rep,name=explanation"`
	// Changes that would have prevented it, the smallest first, each checked by
	// computing the outage again with it.
	// +optional
	// +listType=atomic
	Fixes []Fix `json:"fixes,omitempty" protobuf:"bytes,3,rep,name=fixes"`
}

// Fix is a change to an object that prevents an outage from staying.
type Fix struct {
	// What it does, for people.
	// +optional
	Description string `json:"description,omitempty" protobuf:"bytes,1,opt,name=description"`
	// The object to change.
	Target ObjectReference `json:"target" protobuf:"bytes,2,opt,name=target"`
	// The type of the patch: application/json-patch+json.
	PatchType string `json:"patchType" protobuf:"bytes,3,opt,name=patchType"`
	// The patch.
	Patch string `json:"patch" protobuf:"bytes,4,opt,name=patch"`
	// Whether nothing of the deadlock is left with it.
	Resolves bool `json:"resolves" protobuf:"varint,5,opt,name=resolves"`
}

// Remedy is a step out of an outage that has happened.
type Remedy struct {
	// What it does, for people.
	// +optional
	Description string `json:"description,omitempty" protobuf:"bytes,1,opt,name=description"`
	// Patch or Delete.
	Action RemedyAction `json:"action" protobuf:"bytes,2,opt,name=action,casttype=RemedyAction"`
	// The object to change or delete.
	Target ObjectReference `json:"target" protobuf:"bytes,3,opt,name=target"`
	// The type of the patch: application/json-patch+json. Empty for Delete.
	// +optional
	PatchType string `json:"patchType,omitempty" protobuf:"bytes,4,opt,name=patchType"`
	// The patch. Empty for Delete.
	// +optional
	Patch string `json:"patch,omitempty" protobuf:"bytes,5,opt,name=patch"`
}

// RemedyAction is what a human does to an object.
// +enum
type RemedyAction string

const (
	// Apply the patch to it.
	RemedyPatch RemedyAction = "Patch"
	// Delete it.
	RemedyDelete RemedyAction = "Delete"
)
