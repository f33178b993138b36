package outage

import (
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// pod is a pod as a controller makes it again.
type pod struct {
	// object is what the controller sends.
	object map[string]any
	// name is the name that it will have, or one like it: the API server makes
	// up the end of most.
	name string
}

// again returns a pod of a workload as its controller makes it. Ordinal counts
// the lost pods of the workload.
func (a *analysis) again(w *workload, ordinal int) *pod {
	made := &corev1.Pod{ObjectMeta: *w.template.ObjectMeta.DeepCopy(), Spec: *w.template.Spec.DeepCopy()}
	made.Namespace = w.Namespace
	if made.Labels == nil {
		made.Labels = map[string]string{}
	}
	name := a.podName(w, ordinal)
	a.identify(w, made, name)
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(made)
	if err != nil { // every Pod can be converted
		object = map[string]any{}
	}
	delete(object, "status")
	if metadata, ok := object["metadata"].(map[string]any); ok {
		delete(metadata, "creationTimestamp")
	}
	object["apiVersion"], object["kind"] = "v1", "Pod"
	return &pod{object, name}
}

// podName is the name of the n-th lost pod: the one that it had, and its
// successor will have or resemble.
func (a *analysis) podName(w *workload, ordinal int) string {
	if ordinal < len(w.lostPods) {
		return w.lostPods[ordinal].GetName()
	}
	if set, ok := w.object.(*appsv1.StatefulSet); ok {
		return set.Name + "-" + strconv.Itoa(ordinal+int(startOrdinal(set)))
	}
	return w.Name + "-00000"
}

// identify names a pod and its owner as the controller of its workload does,
// and adds the labels by which the controller knows it.
func (a *analysis) identify(w *workload, made *corev1.Pod, name string) {
	owned := func(object metav1.Object, kind string, gv string) {
		made.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: gv, Kind: kind, Name: object.GetName(), UID: object.GetUID(), Controller: new(true), BlockOwnerDeletion: new(true),
		}}
		made.GenerateName = object.GetName() + "-"
	}
	switch of := w.object.(type) {
	case *appsv1.Deployment:
		set := a.workloads.replicaSet(of)
		if set == nil {
			set = &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: of.Name, Namespace: of.Namespace}}
		}
		if hash, ok := set.Labels[appsv1.DefaultDeploymentUniqueLabelKey]; ok {
			made.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
		}
		owned(set, "ReplicaSet", "apps/v1")
	case *appsv1.ReplicaSet:
		owned(of, "ReplicaSet", "apps/v1")
	case *appsv1.DaemonSet:
		owned(of, "DaemonSet", "apps/v1")
		made.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] = ""
		if generation := of.Annotations[appsv1.DeprecatedTemplateGeneration]; generation != "" {
			made.Labels["pod-template-generation"] = generation
		}
	case *batchv1.Job:
		owned(of, "Job", "batch/v1")
		made.Labels[batchv1.JobNameLabel], made.Labels["job-name"] = of.Name, of.Name
		made.Labels[batchv1.ControllerUidLabel], made.Labels["controller-uid"] = string(of.UID), string(of.UID)
		made.Finalizers = append(made.Finalizers, batchv1.JobTrackingFinalizer)
	case *appsv1.StatefulSet:
		owned(of, "StatefulSet", "apps/v1")
		made.GenerateName, made.Name = "", name
		made.Labels[appsv1.StatefulSetPodNameLabel] = made.Name
		made.Labels[appsv1.PodIndexLabel] = made.Name[strings.LastIndex(made.Name, "-")+1:]
		if of.Status.UpdateRevision != "" {
			made.Labels[appsv1.StatefulSetRevisionLabel] = of.Status.UpdateRevision
		}
		made.Spec.Hostname, made.Spec.Subdomain = made.Name, of.Spec.ServiceName
		for _, claim := range of.Spec.VolumeClaimTemplates {
			made.Spec.Volumes = append(made.Spec.Volumes, corev1.Volume{Name: claim.Name, VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name + "-" + made.Name},
			}})
		}
	}
	// The hash that a controller labels pods with is read off a pod that is there.
	if len(w.pods) > 0 {
		for _, key := range []string{appsv1.DefaultDeploymentUniqueLabelKey, appsv1.DefaultDaemonSetUniqueLabelKey} {
			if hash, ok := w.pods[0].Labels.Lookup(key); ok {
				made.Labels[key] = hash
			}
		}
	}
	if made.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] == "" {
		delete(made.Labels, appsv1.DefaultDaemonSetUniqueLabelKey)
	}
}

func startOrdinal(set *appsv1.StatefulSet) int32 {
	if set.Spec.Ordinals != nil {
		return set.Spec.Ordinals.Start
	}
	return 0
}

// distinct is how many of the lost pods can differ in more than the end of
// their names: those of StatefulSets have names and claims of their own.
func (w *workload) distinct() int {
	if w.resource() == statefulSetResource {
		return int(w.lost)
	}
	return min(1, int(w.lost))
}

// stored is the pod as the API server holds it once it is bound and runs.
func (p *pod) stored() map[string]any {
	stored := runtime.DeepCopyJSON(p.object)
	metadata := stored["metadata"].(map[string]any)
	metadata["name"] = p.name
	delete(metadata, "generateName")
	return stored
}
