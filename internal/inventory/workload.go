package inventory

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// workload is an object that makes pods.
type workload struct {
	resource schema.GroupResource
	object   cluster.Object
}

func (w workload) ref() extant.ObjectReference { return refOf(w.resource, w.object) }

func compareWorkloads(x, y workload) int { return compareRefs(x.ref(), y.ref()) }

// selected returns the workloads whose pods a Service selects.
func (t *taker) selected(service *corev1.Service) []workload {
	selector := service.Spec.Selector
	if len(selector) == 0 || service.Spec.Type == corev1.ServiceTypeExternalName {
		return nil
	}
	var found []workload
	consider := func(resource schema.GroupResource, object cluster.Object, labels map[string]string) {
		if subset(selector, labels) {
			found = append(found, workload{resource, object})
		}
	}
	for w := range t.snapshot.Deployments().InNamespace(service.Namespace) {
		consider(deployments, w, w.Spec.Template.Labels)
	}
	for w := range t.snapshot.DaemonSets().InNamespace(service.Namespace) {
		consider(daemonSets, w, w.Spec.Template.Labels)
	}
	for w := range t.snapshot.StatefulSets().InNamespace(service.Namespace) {
		consider(statefulSets, w, w.Spec.Template.Labels)
	}
	for w := range t.snapshot.ReplicaSets().InNamespace(service.Namespace) {
		if standsAlone(w) {
			consider(replicaSets, w, w.Spec.Template.Labels)
		}
	}
	return found
}

// standsAlone tells whether a ReplicaSet is a workload of its own.
func standsAlone(set *appsv1.ReplicaSet) bool {
	return len(set.OwnerReferences) == 0 || cluster.ControllerOf(set).Kind != "Deployment"
}

func subset(selector, labels map[string]string) bool {
	for key, value := range selector {
		if have, ok := labels[key]; !ok || have != value {
			return false
		}
	}
	return true
}

// slicesOf yields the EndpointSlices of a Service.
func (t *taker) slicesOf(service *corev1.Service) func(func(*discoveryv1.EndpointSlice) bool) {
	return func(yield func(*discoveryv1.EndpointSlice) bool) {
		for slice := range t.snapshot.EndpointSlices().InNamespace(service.Namespace) {
			if slice.Labels[discoveryv1.LabelServiceName] == service.Name && !yield(slice) {
				return
			}
		}
	}
}

// endpointOwners returns the workloads whose pods are endpoints of a Service.
func (t *taker) endpointOwners(service *corev1.Service) []workload {
	var found []workload
	for slice := range t.slicesOf(service) {
		for i := range slice.Endpoints {
			target := slice.Endpoints[i].TargetRef
			if target == nil || target.Kind != "Pod" {
				continue
			}
			if w, ok := t.ownerOfPod(slice.Namespace, target.Name); ok && !slices.Contains(found, w) {
				found = append(found, w)
			}
		}
	}
	slices.SortFunc(found, compareWorkloads)
	return found
}

// ownerOfPod follows a pod's controllers to the workload that people made. A
// pod without a controller is its own.
func (t *taker) ownerOfPod(namespace, name string) (workload, bool) {
	pod, ok := t.snapshot.Pods().Get(namespace, name)
	if !ok {
		return workload{}, false
	}
	owner := pod.Owner()
	switch owner.Kind {
	case "", "Node": // a static pod is its node's
		return workload{pods, pod}, true
	case "ReplicaSet":
		set, ok := t.snapshot.ReplicaSets().Get(namespace, owner.Name)
		if !ok {
			return workload{}, false
		}
		if of := cluster.ControllerOf(set); of.Kind == "Deployment" {
			return t.workloadOf(namespace, of)
		}
		return workload{replicaSets, set}, true
	default:
		return t.workloadOf(namespace, owner)
	}
}

func (t *taker) workloadOf(namespace string, owner cluster.Owner) (workload, bool) {
	resource, ok := workloadKinds[owner.Kind]
	if !ok || !strings.HasPrefix(owner.APIVersion, resource.Group+"/") {
		return workload{}, false
	}
	object, ok := t.snapshot.Objects(resource).Get(namespace, owner.Name)
	return workload{resource, object}, ok
}

var workloadKinds = map[string]schema.GroupResource{
	"Deployment": deployments, "DaemonSet": daemonSets, "StatefulSet": statefulSets, "ReplicaSet": replicaSets,
}
