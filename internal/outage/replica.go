package outage

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// replicas are fixes against the loss of nodes: one replica more, on a node that
// is left. As a surviving replica answers, nothing waits.
func (t *attempts) replicas(deadlock *extant.Deadlock) ([]extant.Fix, error) {
	a := t.of
	var fixes []extant.Fix
	if len(a.loss.nodes) == 0 {
		return nil, nil
	}
	for _, member := range deadlock.Members {
		for _, w := range a.serving[a.loss.backends[member]] {
			edits, wanted, ok := a.oneMore(w)
			if !ok || t.left <= 0 {
				continue
			}
			t.left--
			observed := a.observed
			observed.Snapshot = a.snapshot().Edited(edits...)
			inventory := *a.observed.Inventory
			observed.Inventory = &inventory
			after, err := analyze(a.ctx, t.edited, a.authorizer, observed, a.spec)
			if err != nil {
				return nil, err
			}
			if after.back(deadlock.Members) {
				fixes = append(fixes, extant.Fix{
					Description: fmt.Sprintf("run %d replicas of %s, spread over nodes", wanted, w),
					Target:      w.ObjectReference, PatchType: jsonPatch, Resolves: true,
					Patch: fmt.Sprintf(`[{"op":"replace","path":"/spec/replicas","value":%d}]`, wanted),
				})
			}
		}
	}
	return fixes, nil
}

// oneMore are the edits that give a workload a replica on a node that is left.
func (a *analysis) oneMore(w *workload) (edits []cluster.Edit, wanted int32, ok bool) {
	wanted = w.replicas + 1
	var scaled cluster.Object
	switch of := w.object.(type) {
	case *appsv1.Deployment:
		more := of.DeepCopy()
		more.Spec.Replicas, scaled = &wanted, more
	case *appsv1.StatefulSet:
		more := of.DeepCopy()
		more.Spec.Replicas, scaled = &wanted, more
	default:
		return nil, 0, false
	}
	for node := range a.snapshot().Nodes().All() {
		if a.loss.nodes[node.Name] || !mayRunOn(w, node) || len(w.pods) == 0 {
			continue
		}
		owner := w.pods[0].Owner()
		another := cluster.PodOf(&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Name: w.Name + "-one-more", Namespace: w.Namespace, Labels: w.pods[0].Labels.Map(),
				OwnerReferences: []metav1.OwnerReference{{APIVersion: owner.APIVersion, Kind: owner.Kind, Name: owner.Name, Controller: new(true)}},
			},
			Spec:   corev1.PodSpec{NodeName: node.Name},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
		})
		return []cluster.Edit{
			{Resource: w.resource(), Namespace: w.Namespace, Name: w.Name, Object: scaled},
			{Resource: podResource, Namespace: w.Namespace, Name: another.GetName(), Object: another},
		}, wanted, true
	}
	return nil, 0, false
}
