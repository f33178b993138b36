package cluster_test

import (
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/scenario/synthetic"
)

func TestSharingLeavesObjectsAsTheyAre(t *testing.T) {
	sharer := cluster.NewSharer()
	for _, resource := range synthetic.Resources() {
		for object := range synthetic.Small.Objects(resource) {
			row, _ := cluster.Lookup(resource)
			kept, err := row.Keep(object)
			if row.MetadataOnly {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			whole := kept.(runtime.Object).DeepCopyObject()
			b := cluster.NewBuilder("live")
			b.Put(resource, sharer.Share(kept))
			shared, _ := b.Snapshot().Objects(resource).Get(kept.GetNamespace(), kept.GetName())
			if pod, ok := whole.(*cluster.Pod); ok && pod == shared {
				continue
			}
			if !equality.Semantic.DeepEqual(whole, shared) {
				t.Fatalf("a %T changed:\n%v\n%v", whole, whole, shared)
			}
		}
	}
}

func TestEqualPartsAreShared(t *testing.T) {
	make := func(name, memory string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "web"}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: name, SecurityContext: &corev1.SecurityContext{RunAsNonRoot: new(true)},
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memory)}},
			}}},
		}
	}
	first, equal, other := make("a", "1Gi"), make("b", "1Gi"), make("c", "2Gi")
	sharer := cluster.NewSharer()
	for _, pod := range []*corev1.Pod{first, equal, other} {
		sharer.Share(pod)
	}
	pointer := func(value any) uintptr { return reflect.ValueOf(value).Pointer() }
	requests := func(pod *corev1.Pod) uintptr { return pointer(pod.Spec.Containers[0].Resources.Requests) }
	if pointer(first.Labels) != pointer(equal.Labels) || requests(first) != requests(equal) ||
		first.Spec.Containers[0].SecurityContext != other.Spec.Containers[0].SecurityContext {
		t.Error("equal parts are held twice")
	}
	if requests(first) == requests(other) || pointer(first.Spec.Containers) == pointer(equal.Spec.Containers) {
		t.Error("different parts are one")
	}
}

func TestWhatCannotBeLookedIntoIsLeftAlone(t *testing.T) {
	sharer := cluster.NewSharer()
	class := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"a": int64(1)}}}
	whole := class.DeepCopy()
	sharer.Share(class)
	sharer.Share(cluster.PodOf(&corev1.Pod{}))
	if !equality.Semantic.DeepEqual(whole, class) {
		t.Errorf("got %v", class)
	}
}

func TestAWorkloadsEmptyAndMissingPartsStayApart(t *testing.T) {
	sharer := cluster.NewSharer()
	empty := &corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{}, Selector: map[string]string{}}}
	missing := &corev1.Service{}
	sharer.Share(empty)
	sharer.Share(missing)
	if empty.Spec.Ports == nil || empty.Spec.Selector == nil || missing.Spec.Ports != nil || missing.Spec.Selector != nil {
		t.Errorf("got %v and %v", empty.Spec, missing.Spec)
	}
}

func TestOwnedReplicaSetsAreHeldSmallAndComeBackWhole(t *testing.T) {
	replicaSets := schema.GroupResource{Group: "apps", Resource: "replicasets"}
	row, _ := cluster.Lookup(replicaSets)
	sharer, b := cluster.NewSharer(), cluster.NewBuilder("live")
	kept := func() *appsv1.ReplicaSet {
		for object := range synthetic.Small.Objects(replicaSets) {
			set, err := row.Keep(object)
			if err != nil {
				t.Fatal(err)
			}
			return set.(*appsv1.ReplicaSet)
		}
		return nil
	}
	set := kept()
	held := sharer.Share(set)
	if held == cluster.Object(set) {
		t.Fatal("a ReplicaSet of a Deployment is held whole")
	}
	if !b.Put(replicaSets, held) || b.Put(replicaSets, sharer.Share(kept())) {
		t.Error("a change is taken for none, or none for one")
	}
	got, ok := b.Snapshot().ReplicaSets().Get(set.Namespace, set.Name)
	if !ok || !equality.Semantic.DeepEqual(set, got) {
		t.Errorf("got %v, want %v", got, set)
	}

	for name, owner := range b.Snapshot().ReplicaSets().Controllers(set.Namespace) {
		if want := cluster.ControllerOf(set); name != set.Name || owner != want {
			t.Errorf("got %s of %v, want %s of %v", name, owner, set.Name, want)
		}
	}
	// What the small form has no room for keeps an object whole.
	odd := kept()
	odd.Finalizers = []string{"example.com/wait"}
	alone := kept()
	alone.OwnerReferences = nil
	for _, set := range []*appsv1.ReplicaSet{odd, alone} {
		if sharer.Share(set) != cluster.Object(set) {
			t.Errorf("%v is not held whole", set.ObjectMeta)
		}
	}
}

func TestFinishedJobsAreHeldSmallAndComeBackWhole(t *testing.T) {
	jobs := schema.GroupResource{Group: "batch", Resource: "jobs"}
	row, _ := cluster.Lookup(jobs)
	sharer, b := cluster.NewSharer(), cluster.NewBuilder("live")
	small, whole := 0, 0
	for object := range synthetic.Small.Objects(jobs) {
		kept, err := row.Keep(object)
		if err != nil {
			t.Fatal(err)
		}
		want := kept.(*batchv1.Job).DeepCopy()
		held := sharer.Share(kept)
		if _, ok := held.(*batchv1.Job); ok {
			whole++
		} else {
			small++
		}
		if !b.Put(jobs, held) || b.Put(jobs, sharer.Share(want.DeepCopy())) {
			t.Errorf("%s: a change is taken for none, or none for one", want.Name)
		}
		if got, ok := b.Snapshot().Jobs().Get(want.Namespace, want.Name); !ok || !equality.Semantic.DeepEqual(want, got) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if small == 0 || whole == 0 {
		t.Errorf("%d are held small and %d whole, of some that are finished and some that are not", small, whole)
	}
}
