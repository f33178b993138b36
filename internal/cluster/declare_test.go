package cluster

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// fixed is a source that hands out one snapshot.
type fixed struct {
	Source
	snapshot *Snapshot
}

func (f *fixed) Snapshot() *Snapshot { return f.snapshot }

func TestWhatIsDeclaredIsInEachSnapshot(t *testing.T) {
	namespaces := schema.GroupResource{Resource: "namespaces"}
	put := func(b *Builder, name string) *Snapshot {
		one := &corev1.Namespace{}
		one.Name = name
		b.Put(namespaces, one)
		return b.Snapshot()
	}
	b := NewBuilder("test")
	source := &fixed{snapshot: put(b, "a")}
	declared := &corev1.Namespace{}
	declared.Name = "declared"
	declaring := Declaring(source, []Edit{{Resource: namespaces, Name: "declared", Object: declared}})
	first := declaring.Snapshot()
	if first != declaring.Snapshot() {
		t.Error("what is the same is made anew")
	}
	source.snapshot = put(b, "b")
	second := declaring.Snapshot()
	for snapshot, want := range map[*Snapshot]int{first: 2, second: 3} {
		if got := snapshot.Namespaces().Len(); got != want {
			t.Errorf("%d namespaces, want %d", got, want)
		}
		if _, ok := snapshot.Namespaces().Get("", "declared"); !ok {
			t.Error("what is declared is not there")
		}
	}
	if first.Revision(namespaces) == second.Revision(namespaces) {
		t.Error("a change has the revision of before")
	}
}
