package outage

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	nodeResource   = schema.GroupResource{Resource: "nodes"}
	claimResource  = schema.GroupResource{Resource: "persistentvolumeclaims"}
	volumeResource = schema.GroupResource{Resource: "persistentvolumes"}
)

// claims: a StatefulSet creates the claims of a pod before the pod, but only
// those that do not exist; after an outage they usually do.
func (a *analysis) claims(w *workload) []requirement {
	set, ok := w.object.(*appsv1.StatefulSet)
	if !ok || len(set.Spec.VolumeClaimTemplates) == 0 {
		return nil
	}
	var all []requirement
	for i := range w.distinct() {
		for j := range set.Spec.VolumeClaimTemplates {
			template := &set.Spec.VolumeClaimTemplates[j]
			name := template.Name + "-" + a.podName(w, i)
			if a.claimExists(w.Namespace, name) {
				continue
			}
			claim := template.DeepCopy()
			claim.Name, claim.Namespace = name, w.Namespace
			object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(claim)
			if err != nil {
				continue
			}
			object["apiVersion"], object["kind"] = "v1", "PersistentVolumeClaim"
			delete(object, "status")
			all = append(all, requirement{
				because: say("the claim %s of %s must be created", name, it),
				passage: a.pass(&operation{
					verb: extant.OperationCreate, version: "v1", resource: "persistentvolumeclaims", namespace: w.Namespace, name: name,
					by: controller("statefulset-controller"), object: object,
				}),
			})
		}
	}
	return all
}

// claimExists tells whether a claim is there. A dump without any claim leaves
// them out: the pods ran with them.
func (a *analysis) claimExists(namespace, name string) bool {
	if a.isDeleted("", "persistentvolumeclaims", namespace, name) {
		return false
	}
	if _, ok := a.snapshot().PersistentVolumeClaims().Get(namespace, name); ok {
		return true
	}
	return a.unseen(claimResource) != "" || a.snapshot().Origin == "dump" && a.snapshot().PersistentVolumeClaims().Len() == 0
}

// volumes: the claims that pods name must be there and bound to volumes that
// can be reached from a node that is left. Volumes of a CSI driver are attached
// by the attach-detach controller with a VolumeAttachment, unless the driver
// says that it needs none, and mounted by the driver on the node.
func (a *analysis) volumes(w *workload) []requirement {
	if w.template == nil {
		return nil
	}
	var all []requirement
	for _, claim := range a.claimsOf(w) {
		if a.isDeleted("", "persistentvolumeclaims", w.Namespace, claim) && w.resource() != statefulSetResource {
			all = append(all, never("the pods of %s need the claim %s, which is deleted", it, claim))
			continue
		}
		found, ok := a.snapshot().PersistentVolumeClaims().Get(w.Namespace, claim)
		if !ok || found.Spec.VolumeName == "" {
			continue
		}
		if a.isDeleted("", "persistentvolumes", "", found.Spec.VolumeName) {
			all = append(all, never("the pods of %s need the volume %s, which is deleted", it, found.Spec.VolumeName))
			continue
		}
		if volume, ok := a.snapshot().PersistentVolumes().Get("", found.Spec.VolumeName); ok {
			all = append(all, a.volume(w, volume)...)
		}
	}
	return all
}

// claimsOf names the claims that the lost pods of a workload mount.
func (a *analysis) claimsOf(w *workload) []string {
	var names []string
	for i := range w.template.Spec.Volumes {
		if claim := w.template.Spec.Volumes[i].PersistentVolumeClaim; claim != nil {
			names = append(names, claim.ClaimName)
		}
	}
	if set, ok := w.object.(*appsv1.StatefulSet); ok {
		for i := range w.distinct() {
			for j := range set.Spec.VolumeClaimTemplates {
				names = append(names, set.Spec.VolumeClaimTemplates[j].Name+"-"+a.podName(w, i))
			}
		}
	}
	return names
}

func (a *analysis) volume(w *workload, volume *corev1.PersistentVolume) []requirement {
	var all []requirement
	if len(a.loss.nodes) > 0 && !a.reachable(w, volume) {
		all = append(all, never("the volume %s of %s can be reached from no node that is left", volume.Name, it))
	}
	csi := volume.Spec.CSI
	if csi == nil {
		return all
	}
	because := say("the volume %s of %s must be mounted by the driver %s", volume.Name, it, csi.Driver)
	all = append(all, a.provided("Storage/"+csi.Driver, w, because)...)
	if driver, ok := a.snapshot().CSIDrivers().Get("", csi.Driver); ok && !valueOr(driver.Spec.AttachRequired, true) {
		return all
	}
	because = say("the volume %s of %s must be attached", volume.Name, it)
	return append(all, requirement{component: a.controllers(), because: because}, requirement{
		because: because,
		passage: a.pass(&operation{
			verb: extant.OperationCreate, group: "storage.k8s.io", version: "v1", resource: "volumeattachments", name: "csi-" + volume.Name,
			by: controller("attachdetach-controller"),
			object: map[string]any{
				"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": map[string]any{"name": "csi-" + volume.Name},
				"spec": map[string]any{
					"attacher": csi.Driver, "nodeName": a.nodeFor(w, 0), "source": map[string]any{"persistentVolumeName": volume.Name},
				},
			},
		}),
	})
}

// reachable tells whether a node is left from which a volume can be reached.
func (a *analysis) reachable(w *workload, volume *corev1.PersistentVolume) bool {
	if volume.Spec.NodeAffinity == nil || volume.Spec.NodeAffinity.Required == nil {
		return true
	}
	terms, err := nodeaffinity.NewNodeSelector(volume.Spec.NodeAffinity.Required)
	if err != nil {
		return true
	}
	for node := range a.snapshot().Nodes().All() {
		if !a.loss.nodes[node.Name] && mayRunOn(w, node) && terms.Match(node) {
			return true
		}
	}
	return false
}
