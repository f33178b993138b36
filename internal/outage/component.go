package outage

import (
	"time"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// controlComponent is a part of the control plane that the outage can take
// without taking its processes: a leader that cannot renew its lease exits, and
// a node whose kubelet can renew neither lease nor status goes NotReady.
type controlComponent struct {
	name string
	// renewals are what the component must be able to do all the time: all of
	// them, or for nodes any.
	renewals []*passage
	anyOf    bool
	// starts are what it must be able to do besides when it starts.
	starts []*passage
	// grace is how long it goes on when it cannot renew; it is surely over after
	// lapse.
	grace, lapse time.Duration
	// restarted: it starts again with the outage.
	restarted bool
}

// The deadlines of leases: leaders give up after 10 s, and start what they do
// at once; the node controller waits for 40 to 50 s, by version. Recovery takes
// about a second besides what pods take to start.
const (
	leaderGrace, leaderLapse = 8 * time.Second, 10 * time.Second
	nodeGrace, nodeLapse     = 35 * time.Second, 50 * time.Second
)

// controllers is the controller manager. When it starts, its controllers act by
// tokens of service accounts, without which it exits.
func (a *analysis) controllers() *controlComponent {
	if a.controllerManager == nil {
		c := &controlComponent{
			name: "the controller manager", grace: leaderGrace, lapse: leaderLapse, restarted: a.loss.restarted,
			renewals: []*passage{a.pass(a.leaderLease("kube-controller-manager"))},
		}
		for _, name := range []string{"replicaset-controller", "endpointslice-controller"} {
			c.starts = append(c.starts, a.pass(a.tokenFor(systemNamespace, name, component("system:kube-controller-manager"))))
		}
		a.controllerManager = c
	}
	return a.controllerManager
}

// scheduler is the scheduler that comes with Kubernetes.
func (a *analysis) scheduler() *controlComponent {
	if a.defaultScheduler == nil {
		a.defaultScheduler = &controlComponent{
			name: "the scheduler", grace: leaderGrace, lapse: leaderLapse, restarted: a.loss.restarted,
			renewals: []*passage{a.pass(a.leaderLease("kube-scheduler"))},
		}
	}
	return a.defaultScheduler
}

// kubelets are those of the nodes that are left. A node is ready as long as its
// kubelet renews its lease or reports its status.
func (a *analysis) kubelets() *controlComponent {
	if a.nodes == nil {
		node := a.anyNode()
		a.nodes = &controlComponent{
			name: "the nodes", grace: nodeGrace, lapse: nodeLapse, restarted: a.loss.restarted, anyOf: true,
			renewals: []*passage{a.pass(a.nodeLease(node)), a.pass(a.nodeStatus(node))},
		}
	}
	return a.nodes
}

func (a *analysis) components() []*controlComponent {
	return []*controlComponent{a.controllers(), a.scheduler(), a.kubelets()}
}

// anyNode is a node that is left.
func (a *analysis) anyNode() string {
	for node := range a.snapshot().Nodes().All() {
		if !a.loss.nodes[node.Name] {
			return node.Name
		}
	}
	return "node"
}

// leaderLease is the renewal of a leader's lease.
func (a *analysis) leaderLease(name string) *operation {
	return a.lease(systemNamespace, name, &operation{by: component("system:" + name)})
}

func (a *analysis) nodeLease(node string) *operation {
	return a.lease("kube-node-lease", node, &operation{by: kubelet(node)})
}

func (a *analysis) lease(namespace, name string, o *operation) *operation {
	o.verb, o.group, o.version, o.resource, o.namespace, o.name = extant.OperationUpdate, "coordination.k8s.io", "v1", "leases", namespace, name
	metadata := map[string]any{"name": name, "namespace": namespace}
	if lease, ok := a.snapshot().Leases().Get(namespace, name); ok && len(lease.Labels) > 0 {
		metadata["labels"] = stringMap(lease.Labels)
	}
	o.object = map[string]any{
		"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata,
		"spec": map[string]any{"holderIdentity": name, "leaseDurationSeconds": int64(15)},
	}
	o.old = o.object
	return o
}

// nodeStatus is the report of a kubelet.
func (a *analysis) nodeStatus(name string) *operation {
	metadata := map[string]any{"name": name}
	if node, ok := a.snapshot().Nodes().Get("", name); ok && len(node.Labels) > 0 {
		metadata["labels"] = stringMap(node.Labels)
	}
	object := map[string]any{"apiVersion": "v1", "kind": "Node", "metadata": metadata}
	return &operation{
		verb: extant.OperationUpdate, version: "v1", resource: "nodes", subresource: "status", name: name, by: kubelet(name), object: object, old: object,
	}
}

func stringMap(from map[string]string) map[string]any {
	to := make(map[string]any, len(from))
	for key, value := range from {
		to[key] = value
	}
	return to
}
