package cluster

import (
	"maps"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	resourcev1 "k8s.io/api/resource/v1"
	storagev1 "k8s.io/api/storage/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The functions of this file drop what no engine reads, so that a snapshot
// stays small, and an update that changed nothing else is no change.

// keepMetadata drops the metadata that no engine reads. Without the resource
// version, an update that changed nothing else equals the object before.
func keepMetadata(object metav1.Object) {
	object.SetManagedFields(nil)
	object.SetResourceVersion("")
	annotations := object.GetAnnotations()
	before := len(annotations)
	maps.DeleteFunc(annotations, func(key, _ string) bool {
		return key == corev1.LastAppliedConfigAnnotation || strings.HasPrefix(key, rolloutAnnotations) || key == corev1.EndpointsLastChangeTriggerTime
	})
	if len(annotations) < before {
		if len(annotations) == 0 {
			annotations = nil
		}
		object.SetAnnotations(annotations)
	}
}

// rolloutAnnotations start the annotations in which the Deployment controller
// keeps its books.
const rolloutAnnotations = "deployment.kubernetes.io/"

func keepNode(node *corev1.Node) {
	node.Status.Images = nil
	node.Status.VolumesInUse = nil
	node.Status.VolumesAttached = nil
	for i := range node.Status.Conditions {
		node.Status.Conditions[i].LastHeartbeatTime = metav1.Time{}
	}
}

func keepServiceAccount(account *corev1.ServiceAccount) {
	account.Secrets = nil
	account.ImagePullSecrets = nil
}

// keepEndpointSlice keeps of an endpoint's pod what names it: the UID of each
// pod would be a string that no other object shares.
func keepEndpointSlice(slice *discoveryv1.EndpointSlice) {
	for i := range slice.Endpoints {
		slice.Endpoints[i].Hints = nil
		slice.Endpoints[i].DeprecatedTopology = nil
		if target := slice.Endpoints[i].TargetRef; target != nil {
			target.UID, target.ResourceVersion = "", ""
		}
	}
}

// keepLease drops what a renewal changes, so that the heartbeat of 5,000 nodes
// is no change of the cluster.
func keepLease(lease *coordinationv1.Lease) {
	lease.Spec.RenewTime = nil
}

// keepReplicaSet drops what a Deployment has too: the template, the selector
// and the bookkeeping of rollouts.
func keepReplicaSet(set *appsv1.ReplicaSet) {
	if set.Spec.Replicas == nil {
		set.Spec.Replicas = new(int32(1))
	}
	if ControllerOf(set).Kind == "Deployment" {
		set.Spec.Template = corev1.PodTemplateSpec{}
		set.Spec.Selector = nil
	}
}

// keepCustomResourceDefinition packs the schemas, which are most of it.
func keepCustomResourceDefinition(definition *apiextensionsv1.CustomResourceDefinition) {
	defaultConversion(definition)
	for i := range definition.Spec.Versions {
		packSchema(definition.Spec.Versions[i].Schema)
		definition.Spec.Versions[i].AdditionalPrinterColumns = nil
	}
}

// keepJob keeps what a Job still has to do. One that is finished has its pods
// behind it, and most Jobs of a cluster are finished.
func keepJob(job *batchv1.Job) {
	if job.Spec.Parallelism == nil {
		if job.Spec.Completions == nil {
			job.Spec.Completions = new(int32(1))
		}
		job.Spec.Parallelism = new(int32(1))
	}
	orDefault(&job.Spec.Suspend, false)
	spec, status := job.Spec, job.Status
	job.Spec = batchv1.JobSpec{Parallelism: spec.Parallelism, Completions: spec.Completions, Suspend: spec.Suspend, Template: spec.Template}
	job.Status = batchv1.JobStatus{Active: status.Active, Succeeded: status.Succeeded, Failed: status.Failed}
	for _, condition := range status.Conditions {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{Type: condition.Type, Status: condition.Status})
		if condition.Status == corev1.ConditionTrue && (condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed) {
			job.Spec.Template = corev1.PodTemplateSpec{}
		}
	}
}

// keepPodDisruptionBudget drops the pods whose eviction is under way.
func keepPodDisruptionBudget(budget *policyv1.PodDisruptionBudget) {
	budget.Status.DisruptedPods = nil
	budget.Status.Conditions = nil
}

// keepPersistentVolume keeps whose volume it is and where it can be used. Of
// what it is made of, the name of the driver.
func keepPersistentVolume(volume *corev1.PersistentVolume) {
	spec := volume.Spec
	volume.Spec = corev1.PersistentVolumeSpec{StorageClassName: spec.StorageClassName, NodeAffinity: spec.NodeAffinity}
	if claim := spec.ClaimRef; claim != nil {
		volume.Spec.ClaimRef = &corev1.ObjectReference{Namespace: claim.Namespace, Name: claim.Name}
	}
	if spec.CSI != nil {
		volume.Spec.CSI = &corev1.CSIPersistentVolumeSource{Driver: spec.CSI.Driver}
	}
	volume.Status = corev1.PersistentVolumeStatus{Phase: volume.Status.Phase}
}

// keepPersistentVolumeClaim keeps which volume it has.
func keepPersistentVolumeClaim(claim *corev1.PersistentVolumeClaim) {
	claim.OwnerReferences = nil
	claim.Spec = corev1.PersistentVolumeClaimSpec{StorageClassName: claim.Spec.StorageClassName, VolumeName: claim.Spec.VolumeName}
	claim.Status = corev1.PersistentVolumeClaimStatus{Phase: claim.Status.Phase}
}

// keepStorageClass drops the parameters, which are between an administrator
// and the driver.
func keepStorageClass(class *storagev1.StorageClass) {
	mode := class.VolumeBindingMode
	*class = storagev1.StorageClass{ObjectMeta: class.ObjectMeta, Provisioner: class.Provisioner, VolumeBindingMode: mode}
	orDefault(&class.VolumeBindingMode, storagev1.VolumeBindingImmediate)
}

// keepResourceSlice keeps which driver publishes it, and for which node. The
// devices are most of it, and change with what is allocated.
func keepResourceSlice(slice *resourcev1.ResourceSlice) {
	slice.OwnerReferences = nil
	slice.Spec = resourcev1.ResourceSliceSpec{Driver: slice.Spec.Driver, NodeName: slice.Spec.NodeName}
}

// keepVolumeAttachment drops what the driver and the kubelet say to each other.
func keepVolumeAttachment(attachment *storagev1.VolumeAttachment) {
	attachment.Spec.Source.InlineVolumeSpec = nil
	attachment.Status = storagev1.VolumeAttachmentStatus{Attached: attachment.Status.Attached}
}
