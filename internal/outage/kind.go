package outage

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// kind is all that rules read of a workload besides names: workloads of one kind
// need the same, and share one recipe. A rule that reads more must have it told
// apart here.
type kind struct {
	// alone is the workload itself where it is like no other.
	alone    *workload
	resource schema.GroupResource
	// namespace is all that counts of it.
	namespace namespaceKind
	// labels is the number of what hooks can tell apart of the pods' labels.
	labels                  int
	scheduler, runtimeClass string
	// observed: some of the lost pods were observed; missing: some were not there
	// before.
	observed, missing, hostNetwork, mountsToken bool
}

// namespaceKind is what counts of a namespace.
type namespaceKind struct {
	// pods and tokens are the numbers of what hooks of pods and of service accounts
	// can tell apart of its labels.
	pods, tokens int
	// granted names the namespace where rights are granted in it.
	granted string
}

// kindOf finds the kind of a lost workload.
func (a *analysis) kindOf(w *workload) kind {
	if a.isLikeNoOther(w) {
		return kind{alone: w}
	}
	spec := &w.template.Spec
	k := kind{
		resource: w.resource(), namespace: a.kindOfNamespace(w.Namespace), labels: a.deciderOf(podResource.Resource).objects.of(w.labels),
		scheduler: spec.SchedulerName, runtimeClass: valueOr(spec.RuntimeClassName, ""),
		observed: len(w.lostPods) > 0, missing: w.missing > 0, hostNetwork: spec.HostNetwork, mountsToken: a.mountsToken(w),
	}
	if k.scheduler == "" {
		k.scheduler = corev1.DefaultSchedulerName
	}
	return k
}

func (a *analysis) kindOfNamespace(name string) namespaceKind {
	if known, ok := a.classes.namespaces[name]; ok {
		return known
	}
	k := namespaceKind{
		pods:   a.deciderOf(podResource.Resource).namespace(a, name),
		tokens: a.deciderOf(serviceAccountResource.Resource).namespace(a, name),
	}
	for range a.snapshot().RoleBindings().InNamespace(name) {
		k.granted = name
		break
	}
	a.classes.namespaces[name] = k
	return k
}

// isLikeNoOther tells whether what a workload needs can hang on more than its
// kind tells.
func (a *analysis) isLikeNoOther(w *workload) bool {
	switch w.resource() {
	case podResource, statefulSetResource:
		return true
	}
	return len(a.deleted.objects) > 0 || a.deciderOf(podResource.Resource).everything || a.deciderOf(serviceAccountResource.Resource).everything ||
		!isPlain(w.template) || a.isSpoken(w) || len(a.claimsOf(w)) > 0 || len(a.quota(w)) > 0 ||
		(len(a.loss.nodes) > 0 || a.loss.Mode == extant.ModeNodesDown) && isChoosy(w.template)
}

// isSpoken tells whether somebody says what a workload provides or needs.
func (a *analysis) isSpoken(w *workload) bool {
	if a.spoken == nil {
		a.spoken = map[extant.ObjectReference]bool{}
		for i := range a.needs() {
			a.spoken[a.needs()[i].Workload] = true
		}
		for _, all := range a.providers.byCapability {
			for _, p := range all {
				a.spoken[p.workload.ObjectReference] = true
			}
		}
		for _, likely := range a.providers.likelyNetwork {
			a.spoken[likely.ObjectReference] = true
		}
	}
	return len(a.spoken) > 0 && a.spoken[w.ObjectReference]
}

// isChoosy tells whether it matters for pods which nodes are left.
func isChoosy(template *corev1.PodTemplateSpec) bool {
	spec := &template.Spec
	if len(spec.NodeSelector) > 0 || spec.Affinity != nil || len(spec.Tolerations) > 0 {
		return true
	}
	for i := range spec.Containers {
		if len(spec.Containers[i].Resources.Requests) > 0 {
			return true
		}
	}
	return false
}
