package outage

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	podResource         = schema.GroupResource{Resource: "pods"}
	deploymentResource  = schema.GroupResource{Group: "apps", Resource: "deployments"}
	statefulSetResource = schema.GroupResource{Group: "apps", Resource: "statefulsets"}
	daemonSetResource   = schema.GroupResource{Group: "apps", Resource: "daemonsets"}
	replicaSetResource  = schema.GroupResource{Group: "apps", Resource: "replicasets"}
	jobResource         = schema.GroupResource{Group: "batch", Resource: "jobs"}
)

// workload is an object that stands for pods: what people made, not the
// ReplicaSets between.
type workload struct {
	extant.ObjectReference
	// object is the object itself; for pods that nobody is known to make, a Pod.
	object cluster.Object
	// template is nil where it is not known what the pods are like.
	template *corev1.PodTemplateSpec
	// labels are those of the pods.
	labels labels.Labels
	// replicas is how many pods are wanted.
	replicas int32
	// pods are those that were observed, in order of their names.
	pods []observedPod
	// lost is how many pods are lost; lostPods are those of them that were
	// observed.
	lost     int32
	lostPods []*cluster.Pod
	// missing is how many of the lost pods were not there before.
	missing int32
}

// observedPod is a pod of a workload.
type observedPod struct {
	*cluster.Pod
	// lost: the outage takes it.
	lost bool
}

func (w *workload) resource() schema.GroupResource {
	return schema.GroupResource{Group: w.Group, Resource: w.Resource}
}

// kindNames names workloads for people.
var kindNames = map[schema.GroupResource]string{
	podResource: "Pod", deploymentResource: "Deployment", statefulSetResource: "StatefulSet",
	daemonSetResource: "DaemonSet", replicaSetResource: "ReplicaSet", jobResource: "Job",
}

// ownerResources are the resources of what owns pods.
var ownerResources = map[[2]string]schema.GroupResource{
	{"apps/v1", "Deployment"}: deploymentResource, {"apps/v1", "StatefulSet"}: statefulSetResource,
	{"apps/v1", "DaemonSet"}: daemonSetResource, {"apps/v1", "ReplicaSet"}: replicaSetResource, {"batch/v1", "Job"}: jobResource,
}

// String names the workload for people.
func (w *workload) String() string {
	kind, ok := kindNames[w.resource()]
	if !ok {
		kind = w.Resource
	}
	return kind + " " + w.Namespace + "/" + w.Name
}

func compareReferences(x, y extant.ObjectReference) int {
	return cmp.Or(cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Group, y.Group), cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.Name, y.Name))
}

// workloads are those of a cluster, a namespace at a time: an outage concerns
// few of them.
type workloads struct {
	snapshot *cluster.Snapshot
	// podsKnown is false for dumps that leave out what runs: there a workload
	// counts as ready.
	podsKnown   bool
	byNamespace map[string][]*workload
}

func newWorkloads(snapshot *cluster.Snapshot) *workloads {
	return &workloads{
		snapshot: snapshot, podsKnown: snapshot.Origin != "dump" || snapshot.Pods().Len() > 0 || snapshot.EndpointSlices().Len() > 0,
		byNamespace: map[string][]*workload{},
	}
}

// in returns the workloads of a namespace, in order.
func (ws *workloads) in(namespace string) []*workload {
	if known, ok := ws.byNamespace[namespace]; ok {
		return known
	}
	made, deployments := ws.makers(namespace)
	var alone []*workload
	for pod := range ws.snapshot.Pods().InNamespace(namespace) {
		// Static pods are their node's, and no workload.
		if pod.Static || pod.Phase == corev1.PodSucceeded || pod.Phase == corev1.PodFailed {
			continue
		}
		w, ok := makerOf(pod, made, deployments)
		if !ok {
			w = newWorkload(podResource, pod, nil, 1)
			w.labels = pod.Labels
			alone = append(alone, w)
		}
		w.pods = append(w.pods, observedPod{Pod: pod})
	}
	all := slices.Concat(alone, made)
	ws.byNamespace[namespace] = all
	return all
}

// makers are the workloads of a namespace that make pods, in order, and the
// Deployments of ReplicaSets by the names of these.
func (ws *workloads) makers(namespace string) (made []*workload, deployments map[string]string) {
	add := func(resource schema.GroupResource, object cluster.Object, template *corev1.PodTemplateSpec, replicas int32) {
		made = append(made, newWorkload(resource, object, template, replicas))
	}
	for w := range ws.snapshot.DaemonSets().InNamespace(namespace) {
		add(daemonSetResource, w, &w.Spec.Template, w.Status.DesiredNumberScheduled)
	}
	for w := range ws.snapshot.Deployments().InNamespace(namespace) {
		add(deploymentResource, w, &w.Spec.Template, valueOr(w.Spec.Replicas, 1))
	}
	deployments = map[string]string{}
	for name, owner := range ws.snapshot.ReplicaSets().Controllers(namespace) {
		if owner.Kind == "Deployment" {
			deployments[name] = owner.Name
		} else if w, ok := ws.snapshot.ReplicaSets().Get(namespace, name); ok {
			add(replicaSetResource, w, &w.Spec.Template, valueOr(w.Spec.Replicas, 1))
		}
	}
	for w := range ws.snapshot.StatefulSets().InNamespace(namespace) {
		add(statefulSetResource, w, &w.Spec.Template, valueOr(w.Spec.Replicas, 1))
	}
	for w := range ws.snapshot.Jobs().InNamespace(namespace) {
		add(jobResource, w, &w.Spec.Template, w.Status.Active)
	}
	return made, deployments
}

func newWorkload(resource schema.GroupResource, object cluster.Object, template *corev1.PodTemplateSpec, replicas int32) *workload {
	w := &workload{
		ObjectReference: extant.ObjectReference{Group: resource.Group, Resource: resource.Resource, Namespace: object.GetNamespace(), Name: object.GetName()},
		object:          object, template: template, replicas: replicas,
	}
	if template != nil {
		w.labels = labels.Set(template.Labels)
	}
	return w
}

// find finds a workload among those of its namespace.
func find(all []*workload, reference extant.ObjectReference) (*workload, bool) {
	i, ok := slices.BinarySearchFunc(all, reference, func(w *workload, of extant.ObjectReference) int { return compareReferences(w.ObjectReference, of) })
	if !ok {
		return nil, false
	}
	return all[i], true
}

// get returns a workload by its reference.
func (ws *workloads) get(reference extant.ObjectReference) (*workload, bool) {
	return find(ws.in(reference.Namespace), reference)
}

// makerOf finds the workload that a pod belongs to: what owns it, followed as
// far as it can be seen.
func makerOf(pod *cluster.Pod, made []*workload, deployments map[string]string) (*workload, bool) {
	owner := pod.Owner()
	if deployment, ok := deployments[owner.Name]; ok && owner.Kind == "ReplicaSet" {
		owner = cluster.Owner{APIVersion: "apps/v1", Kind: "Deployment", Name: deployment}
	}
	resource, ok := ownerResources[[2]string{owner.APIVersion, owner.Kind}]
	if !ok {
		return nil, false
	}
	return find(made, extant.ObjectReference{Group: resource.Group, Resource: resource.Resource, Namespace: pod.GetNamespace(), Name: owner.Name})
}

// replicaSet returns the ReplicaSet that makes the pods of a Deployment.
func (ws *workloads) replicaSet(deployment cluster.Object) *appsv1.ReplicaSet {
	var newest *appsv1.ReplicaSet
	for set := range ws.snapshot.ReplicaSets().InNamespace(deployment.GetNamespace()) {
		of := cluster.ControllerOf(set)
		if of.Kind != "Deployment" || of.Name != deployment.GetName() || valueOr(set.Spec.Replicas, 1) == 0 {
			continue
		}
		if newest == nil || newest.CreationTimestamp.Before(&set.CreationTimestamp) {
			newest = set
		}
	}
	return newest
}

// selected tells whether a selector selects the pods of a workload.
func (w *workload) selected(selector map[string]string) bool {
	return len(selector) > 0 && w.labels != nil && labels.SelectorFromSet(selector).Matches(w.labels)
}

func valueOr[T any](pointer *T, otherwise T) T {
	if pointer == nil {
		return otherwise
	}
	return *pointer
}
