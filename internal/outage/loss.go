package outage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// loss is what an outage takes, and how.
type loss struct {
	extant.Outage
	// workloads are those of which pods are lost, in order.
	workloads []*workload
	// backends are those that could be called before and cannot now, and those
	// that are named and that no pods stand behind.
	backends map[string]*backend
	// nodes are dead for good.
	nodes map[string]bool
	// restarted: the control plane starts again as well.
	restarted bool
	// doubts are why more may be lost than is known.
	doubts []string
}

// lose settles what the outage takes.
func (a *analysis) lose() {
	l := &a.loss
	l.Outage, l.backends, l.nodes = a.spec.Down, map[string]*backend{}, map[string]bool{}
	l.restarted = l.Everything
	a.doubtLoss()
	for _, name := range l.Nodes {
		if _, ok := a.snapshot().Nodes().Get("", name); !ok && a.unseen(nodeResource) == "" {
			a.lacks("nodes", "Node", name)
		}
		l.nodes[name] = true
	}
	a.loseExtensions()
	a.loseBackends()
	for _, service := range l.Services {
		a.loseService(service.Namespace, service.Name)
	}
	switch {
	case l.Everything:
		a.loseEverything()
	default:
		for _, namespace := range l.Namespaces {
			if _, ok := a.snapshot().Namespaces().Get("", namespace); !ok && a.snapshot().Namespaces().Len() > 0 {
				a.lacks("namespaces", "namespace", namespace)
			}
			for _, w := range a.workloads.in(namespace) {
				a.loseAll(w)
			}
		}
	}
	a.loseNodes()
	a.settleWorkloads()
	a.settleBackends()
}

// lacks notes that what is named is not there: nothing of it can be lost.
func (a *analysis) lacks(resource, kind, name string) {
	reason := cluster.GapAssumed
	if a.snapshot().Origin == "dump" {
		reason = cluster.GapNotInDump
	}
	a.note(resource, reason, fmt.Sprintf("there is no %s %s: nothing of it can be lost", kind, name))
}

// loseExtensions loses what extensions are made of: the pods of their
// workloads, and what is behind their backends.
func (a *analysis) loseExtensions() {
	for _, name := range a.spec.Down.Extensions {
		i, ok := slices.BinarySearchFunc(a.observed.Inventory.Extensions, name, func(e extant.Extension, name string) int {
			return strings.Compare(e.Name, name)
		})
		if !ok {
			if !a.doubted("whether there is an Extension "+name+" is not known", slices.Concat(registrationResources, workloadResources)...) {
				a.lacks("extensions.extant.dev", "Extension", name)
			}
			continue
		}
		extension := &a.observed.Inventory.Extensions[i]
		for _, component := range extension.Status.Components {
			reference := extant.ObjectReference{Group: component.Group, Resource: component.Resource, Namespace: component.Namespace, Name: component.Name}
			if w, ok := a.workloads.get(reference); ok {
				a.loseAll(w)
			}
		}
		for _, backend := range extension.Status.Backends {
			a.loseBackend(backend)
		}
	}
}

func (a *analysis) loseBackends() {
	for _, name := range a.spec.Down.Backends {
		a.loseBackend(name)
	}
}

func (a *analysis) loseBackend(name string) {
	b, ok := a.backends.named[name]
	switch {
	case !ok:
		if !a.doubted("whether there is a Backend "+name+" is not known", registrationResources...) {
			a.lacks("backends.extant.dev", "Backend", name)
		}
	case b.service == nil:
		a.loss.backends[name] = b
	default:
		if _, ok := a.snapshot().Services().Get(b.service.Namespace, b.service.Name); !ok && a.unseen(serviceResource) == "" {
			a.loss.backends[name] = b // lost before, and for good
			return
		}
		a.loseService(b.service.Namespace, b.service.Name)
	}
}

// loseService loses the pods behind a Service.
func (a *analysis) loseService(namespace, name string) {
	called := a.backends.behind[[2]string{namespace, name}]
	service, ok := a.snapshot().Services().Get(namespace, name)
	if !ok {
		if a.doubted("what is behind the Service "+namespace+"/"+name+" is not known", serviceResource) {
			return
		}
		if len(called) == 0 || !a.isDeleted("", "services", namespace, name) {
			a.lacks("services", "Service", namespace+"/"+name)
			return
		}
		for _, b := range called {
			a.loss.backends[b.name] = b
		}
		return
	}
	if len(service.Spec.Selector) == 0 || service.Spec.Type == corev1.ServiceTypeExternalName {
		for _, b := range called {
			a.loss.backends[b.name] = b
		}
	}
	for _, w := range a.workloads.in(namespace) {
		if !a.workloads.podsKnown {
			if w.selected(service.Spec.Selector) {
				a.loseAll(w)
			}
			continue
		}
		for i := range w.pods {
			if selects(service.Spec.Selector, w.pods[i].Labels) {
				a.losePod(w, i)
			}
		}
		if w.selected(service.Spec.Selector) {
			a.miss(w)
		}
	}
	a.loseSilent(service.Spec.Selector, called)
}

// loseSilent loses backends that were named, do not answer, and of which no
// pods are seen to be lost.
func (a *analysis) loseSilent(selector map[string]string, called []*backend) {
	for _, b := range called {
		behind := slices.ContainsFunc(a.workloads.in(b.service.Namespace), func(w *workload) bool { return w.lost > 0 && w.selected(selector) })
		if b.before == no && !behind {
			a.loss.backends[b.name] = b
		}
	}
}

func (a *analysis) loseEverything() {
	namespaces := map[string]struct{}{}
	for resource := range kindNames {
		for namespace := range a.snapshot().Objects(resource).Namespaces() {
			namespaces[namespace] = struct{}{}
		}
	}
	for _, namespace := range slices.Sorted(maps.Keys(namespaces)) {
		for _, w := range a.workloads.in(namespace) {
			a.loseAll(w)
		}
	}
}

func (a *analysis) loseNodes() {
	nodes := a.loss.nodes
	if a.loss.Mode == extant.ModeNodesDown {
		// The nodes of what is named die.
		for _, w := range a.touched {
			for _, pod := range w.lostPods {
				nodes[pod.Node()] = true
			}
		}
	}
	delete(nodes, "")
	if len(nodes) == 0 {
		return
	}
	if !a.workloads.podsKnown {
		a.note("pods", cluster.GapAssumed, "which pods run on a node cannot be told without pods: none of them is taken to be lost")
		return
	}
	namespaces := map[string]struct{}{}
	for pod := range a.snapshot().Pods().All() {
		if nodes[pod.Node()] {
			namespaces[pod.GetNamespace()] = struct{}{}
		}
	}
	for namespace := range namespaces {
		for _, w := range a.workloads.in(namespace) {
			for i := range w.pods {
				if nodes[w.pods[i].Node()] {
					a.losePod(w, i)
				}
			}
		}
	}
}

func (a *analysis) loseAll(w *workload) {
	if a.workloads.podsKnown {
		for i := range w.pods {
			a.losePod(w, i)
		}
		a.miss(w)
		return
	}
	if w.resource() == daemonSetResource && w.replicas == 0 {
		w.replicas = 1 // for how many nodes it is cannot be told without its status
	}
	a.take(w, w.replicas-w.lost)
}

// take counts lost pods of a workload.
func (a *analysis) take(w *workload, pods int32) {
	if w.lost == 0 && pods > 0 {
		a.touched = append(a.touched, w)
	}
	w.lost += pods
}

// miss counts the pods that a workload wants and does not have: what is named
// may be lost already.
func (a *analysis) miss(w *workload) {
	if w.missing > 0 || len(w.pods) >= int(w.replicas) || a.unseen(podResource) != "" {
		return
	}
	w.missing = w.replicas - int32(len(w.pods))
	a.take(w, w.missing)
}

// losePod loses one of the pods of a workload.
func (a *analysis) losePod(w *workload, i int) {
	pod := &w.pods[i]
	if pod.lost || pod.Terminating {
		return
	}
	pod.lost = true
	w.lostPods = append(w.lostPods, pod.Pod)
	a.take(w, 1)
}

// settleWorkloads orders what is lost. A DaemonSet is not missed on nodes that
// are dead, and in mode Unreachable nothing is lost.
func (a *analysis) settleWorkloads() {
	for _, w := range a.touched {
		if w.resource() == daemonSetResource {
			onDead := slices.DeleteFunc(slices.Clone(w.lostPods), func(pod *cluster.Pod) bool { return !a.loss.nodes[pod.Node()] })
			if len(onDead) > 0 && len(onDead) == len(w.lostPods) {
				continue
			}
		}
		slices.SortFunc(w.lostPods, func(x, y *cluster.Pod) int { return strings.Compare(x.GetName(), y.GetName()) })
		a.loss.workloads = append(a.loss.workloads, w)
	}
	slices.SortFunc(a.loss.workloads, func(x, y *workload) int { return compareReferences(x.ObjectReference, y.ObjectReference) })
}

// selects tells whether a Service's selector selects a pod.
func selects(selector map[string]string, of cluster.Labels) bool {
	if len(selector) == 0 {
		return false
	}
	for key, value := range selector {
		if have, ok := of.Lookup(key); !ok || have != value {
			return false
		}
	}
	return true
}
