package plugins

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	resourcev1 "k8s.io/api/resource/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/cluster"
)

// large has 5,000 nodes with two CSI drivers, a device plugin and a resource
// driver each, and three RuntimeClasses.
func large() *cluster.Builder {
	b := cluster.NewBuilder("live")
	for i := range 3 {
		b.Put(runtimeClasses, &nodev1.RuntimeClass{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("class-", i)}, Handler: fmt.Sprint("handler-", i)})
	}
	for i := range 5_000 {
		name := fmt.Sprintf("node-%04d", i)
		b.Put(nodes, node(name, 8))
		b.Put(csiNodes, &storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: storagev1.CSINodeSpec{
			Drivers: []storagev1.CSINodeDriver{{Name: "ebs.csi.aws.com", NodeID: name}, {Name: "efs.csi.aws.com", NodeID: name}},
		}})
		b.Put(resourceSlices, &resourcev1.ResourceSlice{ObjectMeta: metav1.ObjectMeta{Name: name + "-gpu"}, Spec: resourcev1.ResourceSliceSpec{Driver: "gpu.nvidia.com", NodeName: &name}})
	}
	return b
}

func node(name string, devices int64) *corev1.Node {
	resources := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("8"), "nvidia.com/gpu": *resource.NewQuantity(devices, resource.DecimalSI)}
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{
		NodeInfo: corev1.NodeSystemInfo{KubeletVersion: "v1.37.2"}, Capacity: resources, Allocatable: resources,
	}}
}

func TestWhatDidNotChangeIsShared(t *testing.T) {
	b := large()
	first := Take(b.Snapshot(), nil)
	if Take(b.Snapshot(), first) != first {
		t.Error("nothing changed, and there are new reports")
	}
	b.Put(nodes, node("node-2500", 0))
	b.Delete(nodes, "", "node-0000")
	second := Take(b.Snapshot(), first)
	if len(second.All) != 4_999 {
		t.Fatalf("%d reports", len(second.All))
	}
	for i, report := range second.All {
		if changed := report != first.All[i+1]; changed != (report.Node == "node-2500") {
			t.Errorf("the report of %s is new: %v", report.Node, changed)
		}
	}
}

func BenchmarkTake(b *testing.B) {
	snapshot := large().Snapshot()
	b.ReportAllocs()
	for b.Loop() {
		Take(snapshot, nil)
	}
}

func BenchmarkTakeAfterOneNodeChanged(b *testing.B) {
	builder := large()
	last := Take(builder.Snapshot(), nil)
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		builder.Put(nodes, node("node-2500", 1+i%2))
		last = Take(builder.Snapshot(), last)
	}
}

func BenchmarkTakeAtRest(b *testing.B) {
	snapshot := large().Snapshot()
	last := Take(snapshot, nil)
	b.ReportAllocs()
	for b.Loop() {
		last = Take(snapshot, last)
	}
}
