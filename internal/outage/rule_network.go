package outage

// network: a pod that is not in the network of its node gets its own from the
// workload that provides the pod network, which must run on that node. Pods in
// the network of their node need none.
func (a *analysis) network(w *workload) []requirement {
	if w.template == nil || w.template.Spec.HostNetwork {
		return nil
	}
	because := say("the sandboxes of the pods of %s need the pod network", it)
	if all := a.provided("PodNetwork", w, because); len(all) > 0 {
		return all
	}
	var all []requirement
	for _, likely := range a.providers.likelyNetwork {
		if likely != w {
			all = append(all, requirement{workload: likely, otherwise: unknown, because: say("the sandboxes of the pods of %s need the pod network, which %s seems to provide", it, likely)})
		}
	}
	return all
}

// runtimeHandler: pods of a RuntimeClass need its handler on their node.
func (a *analysis) runtimeHandler(w *workload) []requirement {
	if w.template == nil || w.template.Spec.RuntimeClassName == nil {
		return nil
	}
	name := *w.template.Spec.RuntimeClassName
	if a.isDeleted("node.k8s.io", "runtimeclasses", "", name) {
		return []requirement{never("the pods of %s name the runtime class %s, which is deleted", it, name)}
	}
	class, ok := a.snapshot().RuntimeClasses().Get("", name)
	if !ok {
		return nil
	}
	return a.provided("Runtime/"+class.Handler, w, say("the pods of %s need the runtime %s", it, class.Handler))
}
