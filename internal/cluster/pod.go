package cluster

import (
	"cmp"
	"slices"
	"strings"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Pod is what engines read of a pod. A cluster has more pods than anything
// else, so that the rest is dropped on receipt and repeated strings are shared.
type Pod struct {
	name           string
	namespace      unique.Handle[string]
	node           unique.Handle[string]
	serviceAccount unique.Handle[string]
	scheduler      unique.Handle[string]
	claims         unique.Handle[string]
	owner          unique.Handle[Owner]
	// Labels are the pod's labels.
	Labels Labels
	// Phase is the pod's phase.
	Phase corev1.PodPhase
	// Ready is the condition of that name.
	Ready bool
	// HostNetwork is true for pods in the network of their node.
	HostNetwork bool
	// Terminating is true once deletion was asked for.
	Terminating bool
	// MountsToken is true for pods that the kubelet asks a token of their
	// service account for before it starts them.
	MountsToken bool
	// Static is true for the mirror of a pod that the kubelet runs from a file.
	Static bool
}

// Owner is the controller of an object.
type Owner struct {
	APIVersion, Kind, Name string
}

// ControllerOf returns the controlling owner of an object; the zero Owner
// where there is none.
func ControllerOf(object metav1.Object) Owner {
	if ref := metav1.GetControllerOfNoCopy(object); ref != nil {
		return Owner{APIVersion: ref.APIVersion, Kind: ref.Kind, Name: ref.Name}
	}
	return Owner{}
}

// PodOf keeps what engines read of a pod.
func PodOf(pod *corev1.Pod) *Pod {
	_, static := pod.Annotations[corev1.MirrorPodAnnotationKey]
	p := &Pod{
		name:           pod.Name,
		namespace:      unique.Make(pod.Namespace),
		node:           unique.Make(pod.Spec.NodeName),
		serviceAccount: unique.Make(pod.Spec.ServiceAccountName),
		scheduler:      unique.Make(cmp.Or(pod.Spec.SchedulerName, corev1.DefaultSchedulerName)),
		claims:         unique.Make(strings.Join(claimsOf(pod), "\x00")),
		owner:          unique.Make(ControllerOf(pod)),
		Labels:         LabelsOf(pod.Labels),
		Phase:          phaseOf(pod.Status.Phase),
		HostNetwork:    pod.Spec.HostNetwork,
		MountsToken:    slices.ContainsFunc(pod.Spec.Volumes, projectsToken),
		Terminating:    pod.DeletionTimestamp != nil,
		Static:         static,
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			p.Ready = condition.Status == corev1.ConditionTrue
		}
	}
	return p
}

// claimsOf returns the names of the claims that a pod mounts: those that it
// names, and those that are made for it.
func claimsOf(pod *corev1.Pod) []string {
	var claims []string
	for i := range pod.Spec.Volumes {
		switch volume := &pod.Spec.Volumes[i]; {
		case volume.PersistentVolumeClaim != nil:
			claims = append(claims, volume.PersistentVolumeClaim.ClaimName)
		case volume.Ephemeral != nil:
			claims = append(claims, pod.Name+"-"+volume.Name)
		}
	}
	return claims
}

func projectsToken(volume corev1.Volume) bool {
	return volume.Projected != nil && slices.ContainsFunc(volume.Projected.Sources, func(source corev1.VolumeProjection) bool {
		return source.ServiceAccountToken != nil
	})
}

// phaseOf returns the constant for a phase, so that decoded strings are not
// kept alive.
func phaseOf(phase corev1.PodPhase) corev1.PodPhase {
	for _, known := range []corev1.PodPhase{corev1.PodRunning, corev1.PodPending, corev1.PodSucceeded, corev1.PodFailed} {
		if phase == known {
			return known
		}
	}
	return corev1.PodUnknown
}

// GetName returns the pod's name.
func (p *Pod) GetName() string { return p.name }

// GetNamespace returns the pod's namespace.
func (p *Pod) GetNamespace() string { return p.namespace.Value() }

// Node is the node that the pod is bound to, or empty.
func (p *Pod) Node() string { return p.node.Value() }

// ServiceAccount is the name of the pod's service account.
func (p *Pod) ServiceAccount() string { return p.serviceAccount.Value() }

// SchedulerName is the name of the scheduler that binds the pod.
func (p *Pod) SchedulerName() string { return p.scheduler.Value() }

// Claims are the names of the PersistentVolumeClaims that the pod mounts, in
// the order of its volumes.
func (p *Pod) Claims() []string {
	if p.claims.Value() == "" {
		return nil
	}
	return strings.Split(p.claims.Value(), "\x00")
}

// Owner is the pod's controller.
func (p *Pod) Owner() Owner { return p.owner.Value() }

// GetObjectMeta returns the metadata that is kept; client-go's stores key
// objects by it.
func (p *Pod) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: p.GetNamespace(), Name: p.name}
}

// GetObjectKind makes a Pod a runtime.Object, as client-go's stores expect.
func (p *Pod) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject returns the pod itself: it is immutable.
func (p *Pod) DeepCopyObject() runtime.Object { return p }
