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
	switch w.resource() {
	case statefulSetResource:
		return []requirement{never("the pods of %s stay Terminating on their dead node, and their names are not given to others until a human says that the node is gone", w)}
	case daemonSetResource:
		return []requirement{never("the pods of %s are not replaced as long as their node is dead", w)}
	}
	if w.template == nil {
		return nil
	}
	if toleratesForEver(w.template.Spec.Tolerations) {
		return []requirement{never("the pods of %s tolerate a dead node for ever and are never evicted", w)}
	}
	made, ok := a.again(w, 0)
	if !ok {
		return nil
	}
	nodeController := controller("node-controller")
	because := "the pods of " + w.String() + " on dead nodes must be evicted"
	return []requirement{
		{component: a.controllers(), because: because},
		{because: because, passage: a.pass(&operation{
			verb: extant.OperationUpdate, version: "v1", resource: "pods", subresource: "status", namespace: w.Namespace, name: made.name,
			by: nodeController, object: made.stored(), old: made.stored(),
		})},
		{because: because, passage: a.pass(&operation{
			verb: extant.OperationDelete, version: "v1", resource: "pods", namespace: w.Namespace, name: made.name, by: nodeController, old: made.stored(),
		})},
	}
}

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
