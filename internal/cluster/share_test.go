package cluster_test

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/scenario/synthetic"
)

func TestSharingLeavesObjectsAsTheyAre(t *testing.T) {
	sharer := cluster.NewSharer()
	for _, resource := range synthetic.Resources() {
		for object := range synthetic.Small.Objects(resource) {
			whole := object.DeepCopyObject()
			sharer.Share(object.(cluster.Object))
			if !equality.Semantic.DeepEqual(whole, object) {
				t.Fatalf("a %T changed:\n%v\n%v", object, whole, object)
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
