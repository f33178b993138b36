package extant

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Recovery is what comes back without a human.
type Recovery struct {
	// Whether everything that is lost comes back without a human: True, False or
	// Unknown.
	RecoversUnaided metav1.ConditionStatus
	// Why, for people.
	Reason string
	// In which order things come back. A wave holds what can come back once the
	// waves before it have.
	Waves []RecoveryWave
	// The names of the Backends that have no ready endpoint at the end, whatever
	// their workloads say.
	Unreachable []string
	// What does not come back.
	Stuck []StuckObject
	// The smallest sets of things that wait for each other.
	Deadlocks []Deadlock
	// What a human can do once it has happened, in this order. Empty where
	// nothing is stuck, or nothing was found that helps.
	Remedies []Remedy
}

// RecoveryWave is what can come back once the waves before it have.
type RecoveryWave struct {
	// The number of the wave, from 1.
	Wave int32
	// The workloads that are ready.
	Workloads []ObjectReference
	// The names of the Backends that can be called.
	Backends []string
}

// StuckObject is something that does not come back.
type StuckObject struct {
	ObjectReference
	// The operations that it needs and that are not allowed.
	Needs []Operation
	// The hooks that refuse them.
	BlockedBy []HookReference
	// Why, for people.
	Message string
}

// Deadlock is a smallest set of things that wait for each other.
type Deadlock struct {
	// The names of the Backends in it.
	Members []string
	// The cycle, one sentence a step.
	Explanation []string
	// Changes that would have prevented it, the smallest first, each checked by
	// computing the outage again with it.
	Fixes []Fix
}

// Fix is a change to an object that prevents an outage from staying.
type Fix struct {
	// What it does, for people.
	Description string
	// The object to change.
	Target ObjectReference
	// The type of the patch, application/json-patch+json.
	PatchType string
	// The patch.
	Patch string
	// Whether nothing of the deadlock is left with it.
	Resolves bool
}

// Remedy is a step out of an outage that has happened.
type Remedy struct {
	// What it does, for people.
	Description string
	// Patch or Delete.
	Action RemedyAction
	// The object to change or delete.
	Target ObjectReference
	// The type of the patch, application/json-patch+json. Empty for Delete.
	PatchType string
	// The patch. Empty for Delete.
	Patch string
}

// RemedyAction is what a human does to an object.
type RemedyAction string

const (
	RemedyPatch  RemedyAction = "Patch"
	RemedyDelete RemedyAction = "Delete"
)
