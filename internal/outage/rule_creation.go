package outage

import (
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// creation: each kind of workload has a controller of its own, with a service
// account of its own, that creates pods from the template. A pod without a
// controller is gone. The API server refuses pods whose priority class or
// service account does not exist.
func (a *analysis) creation(w *workload) []requirement {
	if w.resource() == podResource {
		return []requirement{a.orphaned(w)}
	}
	all := []requirement{{component: a.controllers(), because: say("the controller manager must create the pods of %s", it)}}
	if class := w.template.Spec.PriorityClassName; class != "" && !strings.HasPrefix(class, "system-") && a.isDeleted("scheduling.k8s.io", "priorityclasses", "", class) {
		all = append(all, never("the pods of %s name the priority class %s, which is deleted", it, class))
	}
	if account := accountOf(w); a.isDeleted("", "serviceaccounts", w.Namespace, account) {
		all = append(all, never("the pods of %s run as the service account %s, which is deleted", it, account))
	}
	for i := range w.distinct() {
		all = append(all, requirement{because: say("the pods of %s must be created", it), passage: a.passOf(w, func(w *workload) *operation {
			o := &operation{
				verb: extant.OperationCreate, version: "v1", resource: "pods", namespace: w.Namespace, by: makers[w.resource()], of: w,
				build: func(o *operation) { o.object = a.again(w, i).object },
			}
			if w.resource() == statefulSetResource {
				o.name = a.podName(w, i)
			}
			return o
		})})
	}
	return all
}

var makers = map[schema.GroupResource]*authenticationv1.UserInfo{
	deploymentResource:  controller("replicaset-controller"),
	replicaSetResource:  controller("replicaset-controller"),
	statefulSetResource: controller("statefulset-controller"),
	daemonSetResource:   controller("daemon-set-controller"),
	jobResource:         controller("job-controller"),
}

// orphaned is what a pod needs whose maker is not a workload of Kubernetes.
func (a *analysis) orphaned(w *workload) requirement {
	if len(w.pods) > 0 && w.pods[0].Owner().Kind != "" {
		owner := w.pods[0].Owner()
		return cannotTell("%s belongs to %s %s, and what its controller does is not known", it, owner.Kind, owner.Name)
	}
	return never("%s has no controller that would create it again", it)
}

// accountOf names the service account of a workload's pods.
func accountOf(w *workload) string {
	if w.template != nil && w.template.Spec.ServiceAccountName != "" {
		return w.template.Spec.ServiceAccountName
	}
	if w.template == nil && len(w.pods) > 0 && w.pods[0].ServiceAccount() != "" {
		return w.pods[0].ServiceAccount()
	}
	return "default"
}
