package outage

import (
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// scheduling: the scheduler that a pod names binds it to a node by a request
// for pods/binding. Nodes that are dead, cordoned, tainted or excluded by the
// pod's affinity do not count; nor do nodes that went NotReady, because their
// kubelets can renew neither lease nor status.
func (a *analysis) scheduling(w *workload) []requirement {
	if w.template == nil {
		return nil
	}
	all := a.room(w)
	name := w.template.Spec.SchedulerName
	scheduledBy := schedulerUser
	because := say("the pods of %s must be bound to nodes that are ready", it)
	switch name {
	case "", corev1.DefaultSchedulerName:
		all = append(all, requirement{component: a.scheduler(), because: because})
	default:
		scheduler, known := a.schedulerNamed(name)
		if !known {
			return append(all, cannotTell("which workload is the scheduler %s, which the pods of %s name, is not known", name, it))
		}
		all = append(all, requirement{workload: scheduler, because: say("the scheduler %s must bind the pods of %s", name, it)})
		scheduledBy = serviceAccount(scheduler.Namespace, accountOf(scheduler))
	}
	all = append(all, requirement{component: a.kubelets(), because: because})
	for i := range w.distinct() {
		all = append(all, requirement{because: because, passage: a.passOf(w, func(w *workload) *operation {
			name := a.podName(w, i)
			return &operation{
				verb: extant.OperationCreate, version: "v1", resource: "pods", subresource: "binding", namespace: w.Namespace, name: name, by: scheduledBy, of: w,
				build: func(o *operation) { o.object = binding(w.Namespace, name, a.nodeFor(w, i)) },
			}
		})})
	}
	return all
}

// schedulerUser is the scheduler that comes with Kubernetes.
var schedulerUser = component("system:kube-scheduler")

func binding(namespace, name, node string) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "Binding", "metadata": map[string]any{"name": name, "namespace": namespace},
		"target": map[string]any{"apiVersion": "v1", "kind": "Node", "name": node},
	}
}

// room is what a pod needs of the nodes that are left. Where none is lost, the
// pods had room before.
func (a *analysis) room(w *workload) []requirement {
	if len(a.loss.nodes) == 0 || w.resource() == daemonSetResource {
		return nil
	}
	if why := a.unseen(nodeResource); why != "" {
		return []requirement{cannotTell("whether a node is left for the pods of %s is not known: %s", it, why)}
	}
	fits := false
	for node := range a.snapshot().Nodes().All() {
		fits = fits || !a.loss.nodes[node.Name] && mayRunOn(w, node)
	}
	if !fits {
		return []requirement{never("no node is left on which the pods of %s may run", it)}
	}
	for i := range w.template.Spec.Containers {
		if len(w.template.Spec.Containers[i].Resources.Requests) > 0 {
			return []requirement{cannotTell("whether the nodes that are left have room for the pods of %s is not computed", it)}
		}
	}
	return nil
}

// mayRunOn tells whether the scheduler considers a node for the pods of a
// workload.
func mayRunOn(w *workload, node *corev1.Node) bool {
	if node.Spec.Unschedulable {
		return false
	}
	p := &corev1.Pod{Spec: w.template.Spec}
	if matches, err := nodeaffinity.GetRequiredNodeAffinity(p).Match(node); err != nil || !matches {
		return false
	}
	_, untolerated := scheduling.FindMatchingUntoleratedTaint(logr.Discard(), node.Spec.Taints, w.template.Spec.Tolerations,
		func(t *corev1.Taint) bool {
			return t.Effect == corev1.TaintEffectNoSchedule || t.Effect == corev1.TaintEffectNoExecute
		}, true)
	return !untolerated
}

// nodeFor returns a node on which a lost pod can run again: the one on which it
// ran, where that lives.
func (a *analysis) nodeFor(w *workload, ordinal int) string {
	if ordinal < len(w.lostPods) {
		if node := w.lostPods[ordinal].Node(); node != "" && !a.loss.nodes[node] {
			return node
		}
	}
	for node := range a.snapshot().Nodes().All() {
		if !a.loss.nodes[node.Name] && (w.template == nil || mayRunOn(w, node)) {
			return node.Name
		}
	}
	return "node"
}
