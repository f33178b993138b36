package kubelet

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// mount asks for what the projected volumes of a pod come from: tokens of its
// service account, and the certificate of the API server.
func (k *Kubelet) mount(ctx context.Context, pod *corev1.Pod) error {
	for _, volume := range pod.Spec.Volumes {
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if err := k.project(ctx, pod, source); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *Kubelet) project(ctx context.Context, pod *corev1.Pod, source corev1.VolumeProjection) error {
	if token := source.ServiceAccountToken; token != nil {
		request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
			ExpirationSeconds: token.ExpirationSeconds,
			BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
		}}
		if token.Audience != "" {
			request.Spec.Audiences = []string{token.Audience}
		}
		_, err := k.client.CoreV1().ServiceAccounts(pod.Namespace).CreateToken(ctx, pod.Spec.ServiceAccountName, request, metav1.CreateOptions{})
		return err
	}
	if configMap := source.ConfigMap; configMap != nil {
		_, err := k.client.CoreV1().ConfigMaps(pod.Namespace).Get(ctx, configMap.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) && ptr.Deref(configMap.Optional, false) {
			return nil
		}
		return err
	}
	return nil
}

// statusOf is that of a pod that runs, and is ready.
func statusOf(pod *corev1.Pod, ip string) corev1.PodStatus {
	now := metav1.Now()
	status := *pod.Status.DeepCopy()
	status.Phase, status.StartTime = corev1.PodRunning, &now
	status.PodIP, status.PodIPs = ip, []corev1.PodIP{{IP: ip}}
	status.ContainerStatuses = nil
	for _, container := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: container.Name, Image: container.Image, ImageID: container.Image, ContainerID: "containerd://" + string(pod.UID),
			Ready: true, Started: ptr.To(true), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	var conditions []corev1.PodCondition
	for _, condition := range status.Conditions {
		if condition.Type == corev1.PodScheduled {
			conditions = append(conditions, condition)
		}
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		conditions = append(conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	status.Conditions = conditions
	return status
}
