package outage

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// eviction: pods of a dead node stay bound to it. The node controller marks
// them as disrupted and deletes them once their toleration of the node's taint
// ends; only a pod that is being deleted stops to count as a replica. With its
// kubelet dead, a pod stays Terminating: a StatefulSet waits for its name for
// ever, and a pod that tolerates the taint without end is never evicted.
// Pods of DaemonSets tolerate it, and wait for their node.
func (a *analysis) eviction(w *workload) []requirement {
	if len(w.lostPods) == 0 {
		return nil // there is none to evict
	}
	switch w.resource() {
	case statefulSetResource:
		return []requirement{never("the pods of %s stay Terminating on their dead node, and their names are not given to others until a human says that the node is gone", it)}
	case daemonSetResource:
		return []requirement{never("the pods of %s are not replaced as long as their node is dead", it)}
	}
	if w.template == nil {
		return nil
	}
	if toleratesForEver(w.template.Spec.Tolerations) {
		return []requirement{never("the pods of %s tolerate a dead node for ever and are never evicted", it)}
	}
	because := say("the pods of %s on dead nodes must be evicted", it)
	ask := func(verb extant.RequestOperation, subresource string) requirement {
		return requirement{because: because, passage: a.passOf(w, func(w *workload) *operation {
			return &operation{
				verb: verb, version: "v1", resource: "pods", subresource: subresource, namespace: w.Namespace, name: a.podName(w, 0), by: nodeController, of: w,
				build: func(o *operation) {
					o.old = a.again(w, 0).stored()
					if verb == extant.OperationUpdate {
						o.object = o.old
					}
				},
			}
		})}
	}
	return []requirement{{component: a.controllers(), because: because}, ask(extant.OperationUpdate, "status"), ask(extant.OperationDelete, "")}
}

// nodeController evicts the pods of dead nodes: it marks them as disrupted, and
// deletes them.
var nodeController = controller("node-controller")

// toleratesForEver tells whether pods with these tolerations stay on a dead
// node.
func toleratesForEver(tolerations []corev1.Toleration) bool {
	for _, t := range tolerations {
		matches := t.Key == "" && t.Operator == corev1.TolerationOpExists || t.Key == corev1.TaintNodeUnreachable
		if matches && t.TolerationSeconds == nil && (t.Effect == "" || t.Effect == corev1.TaintEffectNoExecute) {
			return true
		}
	}
	return false
}
