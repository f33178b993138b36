package rbac

import (
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/extant-project/extant/internal/cluster"
)

// uniformRules are what every node may do. Those for nodes and pods count
// before 1.32 only: since then both are subdivided.
var uniformRules = []rbacv1.PolicyRule{
	rule("authentication.k8s.io", "tokenreviews", "create"),
	rule("authorization.k8s.io", "subjectaccessreviews", "create"),
	rule("authorization.k8s.io", "localsubjectaccessreviews", "create"),
	rule("", "services", "get", "list", "watch"),
	rule("", "endpoints", "get"),
	rule("", "events", "create", "update", "patch"),
	rule("events.k8s.io", "events", "create", "update", "patch"),
	rule("certificates.k8s.io", "certificatesigningrequests", "create", "get", "list", "watch"),
	rule("storage.k8s.io", "csidrivers", "get", "list", "watch"),
	rule("node.k8s.io", "runtimeclasses", "get", "list", "watch"),
	rule("", "nodes", "create", "get", "list", "watch", "update", "patch"),
	rule("", "nodes/status", "update", "patch"),
	rule("", "pods", "create", "delete", "get", "list", "watch"),
	rule("", "pods/status", "update", "patch"),
	rule("", "pods/eviction", "create"),
}

// trustBundles may be read by every node of a cluster that has them.
var trustBundles = rule("certificates.k8s.io", "clustertrustbundles", "get", "list", "watch")

func rule(group, resource string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}
}

func (k kubelet) uniform() answer {
	for i := range uniformRules {
		if allows(&uniformRules[i], k.Attributes) {
			return allowed("")
		}
	}
	if allows(&trustBundles, k.Attributes) && k.serves() {
		return allowed("")
	}
	return answer{}
}

// related allows what concerns a pod on the node.
func (k kubelet) related() answer {
	if k.GetName() == "" {
		return silent("No Object name found")
	}
	resource := k.resource()
	var seen bool
	switch resource.Resource {
	case "pods":
		pod, ok := k.snapshot.Pods().Get(k.GetNamespace(), k.GetName())
		seen = ok && pod.Node() == k.node
	case "serviceaccounts":
		seen = k.hasPod(func(pod *cluster.Pod) bool { return pod.ServiceAccount() == k.GetName() })
	case "configmaps", "persistentvolumeclaims", "resourceclaims":
		// A pod refers to them in its own namespace only.
		if k.hasPod(func(*cluster.Pod) bool { return true }) {
			return unknown("which %s the pods of node %s use cannot be seen", resource, k.node)
		}
	default:
		return unknown("which %s concern node %s cannot be seen", resource, k.node)
	}
	if seen {
		return allowed("")
	}
	if gap, hidden := k.snapshot.DecidingGap(pods); hidden {
		return unknown("pods cannot be seen: %s", gap.Message)
	}
	if k.snapshot.Origin == "dump" && k.snapshot.Pods().Len() == 0 {
		return unknown("the dump has no pods: what concerns node %s cannot be seen", k.node)
	}
	return silent("no relationship found between node '%s' and this object", k.node)
}

// hasPod tells whether a pod on the node, in the request's namespace, has a
// property. The mirrors of static pods give a node no access to anything:
// nodes make them.
func (k kubelet) hasPod(property func(*cluster.Pod) bool) bool {
	for pod := range k.snapshot.Pods().InNamespace(k.GetNamespace()) {
		if pod.Node() == k.node && !pod.Static && property(pod) {
			return true
		}
	}
	return false
}
