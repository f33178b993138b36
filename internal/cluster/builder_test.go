package cluster

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	podsResource     = schema.GroupResource{Resource: "pods"}
	servicesResource = schema.GroupResource{Resource: "services"}
)

func pod(name string, phase corev1.PodPhase) *Pod {
	return PodOf(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"app": "web"}},
		Status:     corev1.PodStatus{Phase: phase},
	})
}

func service(name string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
}

func TestWhatChangesNothingMakesNoNewSnapshot(t *testing.T) {
	b := NewBuilder("live")
	b.Replace(podsResource, []Object{pod("a", corev1.PodRunning), pod("b", corev1.PodRunning)})
	b.Put(servicesResource, service("a"))
	before := b.Snapshot()

	for what, change := range map[string]func() bool{
		"an equal pod":     func() bool { return b.Put(podsResource, pod("a", corev1.PodRunning)) },
		"an equal service": func() bool { return b.Put(servicesResource, service("a")) },
		"no such pod":      func() bool { return b.Delete(podsResource, "default", "c") },
		"no such table":    func() bool { b.Forget(schema.GroupResource{Resource: "nodes"}); return false },
		"an equal list": func() bool {
			b.Replace(podsResource, []Object{pod("b", corev1.PodRunning), pod("a", corev1.PodRunning)})
			return false
		},
	} {
		if change() || b.Snapshot() != before {
			t.Errorf("%s is taken for a change", what)
		}
	}
}

func TestReplaceSharesWhatIsEqual(t *testing.T) {
	b := NewBuilder("live")
	b.Replace(podsResource, []Object{pod("a", corev1.PodRunning), pod("b", corev1.PodRunning)})
	before := b.Snapshot()
	b.Replace(podsResource, []Object{pod("a", corev1.PodRunning), pod("b", corev1.PodFailed)})
	after := b.Snapshot()

	if before.Revision(podsResource) == after.Revision(podsResource) {
		t.Error("the revision stayed though a pod changed")
	}
	was, _ := before.Pods().Get("default", "a")
	is, _ := after.Pods().Get("default", "a")
	if was != is {
		t.Error("the equal pod is held twice")
	}
	if changed, _ := after.Pods().Get("default", "b"); changed.Phase != corev1.PodFailed {
		t.Errorf("got phase %s, want Failed", changed.Phase)
	}
	if kept, _ := before.Pods().Get("default", "b"); kept.Phase != corev1.PodRunning {
		t.Error("the earlier snapshot changed")
	}
}

func TestASnapshotIsNotChangedByLaterWrites(t *testing.T) {
	b := NewBuilder("live")
	b.Put(podsResource, pod("a", corev1.PodPending))
	before := b.Snapshot()
	if !b.Put(podsResource, pod("a", corev1.PodRunning)) || !b.Put(podsResource, pod("b", corev1.PodRunning)) || !b.Delete(podsResource, "default", "a") {
		t.Fatal("a change is taken for none")
	}
	if before.Pods().Len() != 1 || b.Snapshot().Pods().Len() != 1 {
		t.Errorf("got %d and %d pods, want 1 and 1", before.Pods().Len(), b.Snapshot().Pods().Len())
	}
	if p, ok := before.Pods().Get("default", "a"); !ok || p.Phase != corev1.PodPending {
		t.Error("the earlier snapshot changed")
	}
}
