package outage

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// changes are the differences between two observations of one cluster, as far
// as answers can depend on them.
type changes struct {
	before, after *requestpath.Observed
	// everything: every answer is computed again.
	everything bool
	// resources are those with other objects.
	resources map[schema.GroupResource]bool
	// hooks are the webhooks that are registered, gone or others, in both forms,
	// and asked are those of all webhooks because of which answers can differ.
	hooks []*inventory.Hook
	asked []askedHook
	// backends are those whose state is another, with the namespaces of their
	// Services.
	backends, behind map[string]bool
}

// everywhere are the resources of which any object can concern any answer, and
// of which few objects change.
var everywhere = []schema.GroupResource{
	{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}, {Group: "apiregistration.k8s.io", Resource: "apiservices"},
	{Group: "rbac.authorization.k8s.io", Resource: "clusterroles"}, {Group: "rbac.authorization.k8s.io", Resource: "clusterrolebindings"},
	{Group: "admissionregistration.k8s.io", Resource: "validatingadmissionpolicies"},
	{Group: "admissionregistration.k8s.io", Resource: "validatingadmissionpolicybindings"},
	{Group: "admissionregistration.k8s.io", Resource: "mutatingadmissionpolicies"},
	{Group: "admissionregistration.k8s.io", Resource: "mutatingadmissionpolicybindings"},
	{Group: "storage.k8s.io", Resource: "csidrivers"}, {Group: "node.k8s.io", Resource: "runtimeclasses"},
}

// inside are the resources of which the objects in the namespaces of what is
// lost concern an answer; granting are those of which the objects in the
// namespaces of what is asked for do.
var (
	inside = []schema.GroupResource{
		podResource, deploymentResource, statefulSetResource, daemonSetResource, replicaSetResource, jobResource,
		serviceResource, endpointSliceResource, serviceAccountResource, claimResource, quotaResource,
	}
	granting = []schema.GroupResource{
		{Group: "rbac.authorization.k8s.io", Resource: "roles"}, {Group: "rbac.authorization.k8s.io", Resource: "rolebindings"},
	}
)

// changesSince compares two observations; before is nil where there is none.
func changesSince(before, after *requestpath.Observed) *changes {
	c := &changes{before: before, after: after, resources: map[schema.GroupResource]bool{}, backends: map[string]bool{}, behind: map[string]bool{}}
	if before == nil || before.Snapshot.Origin != after.Snapshot.Origin {
		c.everything = true
		return c
	}
	old, now := before.Snapshot, after.Snapshot
	for _, resource := range slices.Concat(inside, granting, []schema.GroupResource{namespaceResource, nodeResource, volumeResource}) {
		c.resources[resource] = old.Revision(resource) != now.Revision(resource)
	}
	c.everything = old.Revision(everywhere...) != now.Revision(everywhere...) ||
		(old.Namespaces().Len() == 0) != (now.Namespaces().Len() == 0) ||
		old.Origin == "dump" && slices.Contains(slices.Collect(maps.Values(c.resources)), true) ||
		!sameSystem(old, now) ||
		!sameProviders(before, after, c.resources) ||
		!equality.Semantic.DeepEqual(before.Inventory.Needs, after.Inventory.Needs)
	if !c.everything && before.Inventory != after.Inventory {
		c.compareHooks()
		c.compareBackends()
	}
	c.findAsked()
	return c
}

// sameSystem tells whether the operations of the control plane are the same:
// they name a node, and send labels of that and of leases.
func sameSystem(before, after *cluster.Snapshot) bool {
	node, sent := systemOf(before)
	other, now := systemOf(after)
	return node == other && slices.EqualFunc(sent, now, maps.Equal[map[string]string, map[string]string])
}

func systemOf(snapshot *cluster.Snapshot) (node string, sent []map[string]string) {
	node = (&analysis{observed: requestpath.Observed{Snapshot: snapshot}}).anyNode()
	sent = append(sent, nodeLabels(snapshot, node))
	for _, lease := range [][2]string{{systemNamespace, "kube-controller-manager"}, {systemNamespace, "kube-scheduler"}, {"kube-node-lease", node}} {
		var labels map[string]string
		if found, ok := snapshot.Leases().Get(lease[0], lease[1]); ok {
			labels = found.Labels
		}
		sent = append(sent, labels)
	}
	return node, sent
}

func nodeLabels(snapshot *cluster.Snapshot, name string) map[string]string {
	if node, ok := snapshot.Nodes().Get("", name); ok {
		return node.Labels
	}
	return nil
}

// compareBackends finds the backends that differ in what an answer can show.
func (c *changes) compareBackends() {
	old := map[string]*extant.Backend{}
	for i := range c.before.Inventory.Backends {
		backend := &c.before.Inventory.Backends[i]
		old[backend.Name] = backend
	}
	differs := func(backend *extant.Backend) {
		c.backends[backend.Name] = true
		if service := backend.Spec.Service; service != nil {
			c.behind[service.Namespace] = true
		}
	}
	for i := range c.after.Inventory.Backends {
		now := &c.after.Inventory.Backends[i]
		was, ok := old[now.Name]
		delete(old, now.Name)
		if !ok || !equality.Semantic.DeepEqual(was.Spec.Service, now.Spec.Service) || !sameAvailability(&was.Status, &now.Status) {
			differs(now)
		}
	}
	for _, gone := range old {
		differs(gone)
	}
}

// sameAvailability compares what analysis.before reads.
func sameAvailability(x, y *extant.BackendStatus) bool {
	return x.Available == y.Available && x.Reason == y.Reason && x.Message == y.Message &&
		slices.ContainsFunc(x.Callers, distrusts) == slices.ContainsFunc(y.Callers, distrusts)
}

// concern tells whether the changes can concern an answer by more than by which
// webhooks are asked.
func (c *changes) concern(b *basis) bool {
	return c.everything || b.params || c.concernObjects(b) || c.concernBackends(b)
}

func (c *changes) concernBackends(b *basis) bool {
	for name := range c.backends {
		if b.backends[name] {
			return true
		}
	}
	for namespace := range c.behind {
		if b.namespaces[namespace] {
			return true
		}
	}
	return false
}

func (c *changes) concernObjects(b *basis) bool {
	old, now := c.before.Snapshot, c.after.Snapshot
	if c.resources[volumeResource] && b.volumes || c.resources[nodeResource] && b.anyNode {
		return true
	}
	if c.resources[nodeResource] {
		for name := range b.nodes {
			if !maps.Equal(nodeLabels(old, name), nodeLabels(now, name)) {
				return true
			}
		}
	}
	for _, resource := range inside {
		for namespace := range b.namespaces {
			if c.resources[resource] && !old.Objects(resource).SameIn(namespace, now.Objects(resource)) {
				return true
			}
		}
	}
	asked := map[string]bool{}
	for i := range b.questions {
		namespace := b.questions[i].namespace
		if namespace == "" || asked[namespace] {
			continue
		}
		asked[namespace] = true
		if c.concernNamespace(namespace) {
			return true
		}
	}
	return false
}

// concernNamespace tells whether a namespace, or who may do what in it, is
// another.
func (c *changes) concernNamespace(name string) bool {
	old, now := c.before.Snapshot, c.after.Snapshot
	if c.resources[namespaceResource] {
		was, _ := old.Namespaces().Get("", name)
		is, _ := now.Namespaces().Get("", name)
		if was != is {
			return true
		}
	}
	for _, resource := range granting {
		if c.resources[resource] && !old.Objects(resource).SameIn(name, now.Objects(resource)) {
			return true
		}
	}
	return false
}
