package cluster

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestWhatIsDeclaredIsPartOfASnapshot(t *testing.T) {
	namespaces, pods := schema.GroupResource{Resource: "namespaces"}, schema.GroupResource{Resource: "pods"}
	named := func(name string) *corev1.Namespace {
		one := &corev1.Namespace{}
		one.Name = name
		return one
	}
	b := NewBuilder("test")
	b.Put(namespaces, named("a"))
	observed := b.Snapshot()
	declared := []Edit{{Resource: namespaces, Name: "declared", Object: named("declared")}}

	first := observed.Declared(1, declared)
	if _, ok := first.Namespaces().Get("", "declared"); !ok || first.Namespaces().Len() != 2 {
		t.Errorf("%d namespaces are there, declared: %v", first.Namespaces().Len(), ok)
	}
	if observed.Namespaces().Len() != 1 {
		t.Error("the snapshot itself has changed")
	}

	gap := Gap{Resource: "namespaces", Reason: GapAssumed, Message: "somebody says so"}
	nothing := observed.Declared(2, nil, gap)
	if gaps := nothing.Gaps(); len(gaps) != 1 || gaps[0] != gap {
		t.Errorf("the gaps are %v", gaps)
	}
	b.Put(namespaces, named("b"))
	later := b.Snapshot().Declared(2, nil, gap)

	// Whoever keeps what he made of a revision notices each of the changes.
	seen := map[uint64]bool{}
	for _, snapshot := range []*Snapshot{observed, first, nothing, later} {
		seen[snapshot.Revision(namespaces)] = true
	}
	if len(seen) != 4 {
		t.Errorf("4 states have %d revisions", len(seen))
	}
	if later.Revision(pods) != nothing.Revision(pods) {
		t.Error("what did not change has another revision")
	}
	if later.Revision(namespaces) < nothing.Revision(namespaces) {
		t.Error("revisions go back")
	}
}
