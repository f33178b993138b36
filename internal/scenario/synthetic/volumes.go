package synthetic

import (
	"fmt"
	"iter"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// volume is a PersistentVolume with the claim that it is bound to.
type volume struct {
	index                  int
	namespace, claim, name string
}

func (s Size) volume(i int) volume {
	v := volume{index: i, namespace: s.namespace(i), claim: fmt.Sprintf("data-database-%d-%d", i/3, i%3)}
	v.name = "pvc-" + string(uid(v.namespace, v.claim))
	return v
}

const driver = "ebs.csi.aws.com"

func (s Size) volumes() iter.Seq[runtime.Object] {
	return generate(s.Volumes, func(i int) *corev1.PersistentVolume {
		v := s.volume(i)
		changed := metav1.NewTime(created)
		return &corev1.PersistentVolume{
			ObjectMeta: metadata("", v.name, nil, map[string]string{"pv.kubernetes.io/provisioned-by": driver}),
			Spec: corev1.PersistentVolumeSpec{
				Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("20Gi")}, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				ClaimRef:         &corev1.ObjectReference{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: v.namespace, Name: v.claim, UID: uid(v.namespace, v.claim), ResourceVersion: "1"},
				StorageClassName: "gp3", PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
				PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{
					Driver: driver, VolumeHandle: "vol-" + suffix(v.name, 17), FSType: "ext4", VolumeAttributes: map[string]string{"storage.kubernetes.io/csiProvisionerIdentity": driver},
				}},
				NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
					MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{zone(i)}}},
				}}}},
			},
			Status: corev1.PersistentVolumeStatus{Phase: corev1.VolumeBound, LastPhaseTransitionTime: &changed},
		}
	})
}

func (s Size) claims() iter.Seq[runtime.Object] {
	return generate(s.Volumes, func(i int) *corev1.PersistentVolumeClaim {
		v := s.volume(i)
		size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("20Gi")}
		modes := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
		return &corev1.PersistentVolumeClaim{
			ObjectMeta: metadata(v.namespace, v.claim, map[string]string{"app.kubernetes.io/name": "database", "app.kubernetes.io/instance": fmt.Sprintf("database-%d", i/3)}, map[string]string{
				"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes",
				"volume.kubernetes.io/selected-node": s.node(i), "volume.kubernetes.io/storage-provisioner": driver,
			}),
			Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes: modes, Resources: corev1.VolumeResourceRequirements{Requests: size},
				StorageClassName: new("gp3"), VolumeName: v.name,
			},
			Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound, AccessModes: modes, Capacity: size},
		}
	})
}

func (s Size) attachments() iter.Seq[runtime.Object] {
	return generate(s.Volumes, func(i int) *storagev1.VolumeAttachment {
		v := s.volume(i)
		return &storagev1.VolumeAttachment{
			ObjectMeta: metadata("", fmt.Sprintf("csi-%064x", i), nil, map[string]string{"csi.alpha.kubernetes.io/node-id": "i-0123456789abcdef0"}),
			Spec:       storagev1.VolumeAttachmentSpec{Attacher: driver, NodeName: s.node(i), Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: &v.name}},
			Status:     storagev1.VolumeAttachmentStatus{Attached: true, AttachmentMetadata: map[string]string{"devicePath": "/dev/xvdaa"}},
		}
	})
}
