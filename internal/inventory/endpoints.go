package inventory

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// endpoints is what stands behind one port of a Service.
type endpoints struct {
	counts extant.EndpointCounts
	// owners are the workloads of the endpoints' pods.
	owners []workload
	// assumed says why the counts are no more than assumed; empty for those
	// that were observed.
	assumed string
}

// endpointsOf counts the endpoints behind a port of a Service that has a
// selector or EndpointSlices.
//
// A dump may lack EndpointSlices. When it has pods, the pods that the Service
// selects are its endpoints, as the controller would make it so. When it has
// neither, it is taken to leave out what runs: a workload counts as ready with
// all its replicas, unless its own status says otherwise.
func (t *taker) endpointsOf(service *corev1.Service, port *corev1.ServicePort, selected []workload) endpoints {
	if !t.informs(endpointSlices.String(), cluster.GapNotInDump) {
		return t.observedEndpoints(service, port)
	}
	if !t.informs(pods.String(), cluster.GapNotInDump) {
		return t.podEndpoints(service)
	}
	e := endpoints{assumed: "the dump has neither pods nor endpoint slices"}
	for _, w := range selected {
		ready, wanted, _ := t.replicasOf(w)
		e.counts.Ready += ready
		e.counts.Total += wanted
	}
	return e
}

// counting dedupes what is counted.
type counting struct {
	ready        map[string]bool
	nodes, zones map[string]struct{}
}

func newCounting() counting {
	return counting{map[string]bool{}, map[string]struct{}{}, map[string]struct{}{}}
}

func (c counting) add(identity string, ready bool, node, zone string) {
	c.ready[identity] = c.ready[identity] || ready
	if !ready {
		return
	}
	if node != "" {
		c.nodes[node] = struct{}{}
	}
	if zone != "" {
		c.zones[zone] = struct{}{}
	}
}

func (c counting) counts() extant.EndpointCounts {
	counts := extant.EndpointCounts{Total: int32(len(c.ready)), Nodes: int32(len(c.nodes)), Zones: int32(len(c.zones))}
	for _, ready := range c.ready {
		if ready {
			counts.Ready++
		}
	}
	return counts
}

// observedEndpoints counts the endpoints of the slices that have the port. One
// pod is one endpoint, though a dual-stack Service has it in two slices.
func (t *taker) observedEndpoints(service *corev1.Service, port *corev1.ServicePort) endpoints {
	var e endpoints
	c := newCounting()
	for slice := range t.slicesOf(service) {
		if !slices.ContainsFunc(slice.Ports, func(p discoveryv1.EndpointPort) bool { return valueOr(p.Name, "") == port.Name }) {
			continue
		}
		for i := range slice.Endpoints {
			endpoint := &slice.Endpoints[i]
			identity := ""
			if to := endpoint.TargetRef; to != nil {
				identity = to.Kind + " " + to.Name
				if w, ok := t.ownerOfPod(slice.Namespace, to.Name); ok && to.Kind == "Pod" && !slices.Contains(e.owners, w) {
					e.owners = append(e.owners, w)
				}
			} else if len(endpoint.Addresses) > 0 {
				identity = endpoint.Addresses[0]
			}
			node := valueOr(endpoint.NodeName, "")
			zone := valueOr(endpoint.Zone, "")
			if zone == "" {
				zone = t.zoneOf(node)
			}
			c.add(identity, valueOr(endpoint.Conditions.Ready, true), node, zone)
		}
	}
	e.counts = c.counts()
	slices.SortFunc(e.owners, compareWorkloads)
	return e
}

// podEndpoints counts the pods that a Service selects.
func (t *taker) podEndpoints(service *corev1.Service) endpoints {
	e := endpoints{assumed: "the dump has no endpoint slices; its pods are taken for them"}
	if len(service.Spec.Selector) == 0 {
		return e
	}
	c := newCounting()
	for pod := range t.snapshot.Pods().InNamespace(service.Namespace) {
		if pod.Phase == corev1.PodSucceeded || pod.Phase == corev1.PodFailed || !selects(service.Spec.Selector, pod.Labels) {
			continue
		}
		c.add(pod.GetName(), pod.Ready && !pod.Terminating, pod.Node(), t.zoneOf(pod.Node()))
		if w, ok := t.ownerOfPod(service.Namespace, pod.GetName()); ok && !slices.Contains(e.owners, w) {
			e.owners = append(e.owners, w)
		}
	}
	e.counts = c.counts()
	slices.SortFunc(e.owners, compareWorkloads)
	return e
}

func selects(selector map[string]string, labels cluster.Labels) bool {
	for key, value := range selector {
		if have, ok := labels.Lookup(key); !ok || have != value {
			return false
		}
	}
	return true
}

func (t *taker) zoneOf(node string) string {
	if node == "" {
		return ""
	}
	n, ok := t.snapshot.Nodes().Get("", node)
	if !ok {
		return ""
	}
	return n.Labels[corev1.LabelTopologyZone]
}

// replicasOf returns the pods of a workload that are ready and wanted. Where a
// dump has no status, its pods are counted, and where it has neither pods nor
// endpoint slices, all count as ready. It is not known where they may not be
// seen.
func (t *taker) replicasOf(w workload) (ready, wanted int32, known bool) {
	if pod, ok := w.object.(*cluster.Pod); ok {
		if pod.Ready {
			return 1, 1, true
		}
		return 0, 1, true
	}
	ready, wanted, reported := replicas(w.object)
	if reported || t.snapshot.Origin != "dump" {
		return ready, wanted, true
	}
	if w.resource == daemonSets {
		// How many nodes it is for cannot be told without its status.
		wanted = max(wanted, 1)
	}
	if _, hidden := t.hidden(pods, replicaSets, endpointSlices); hidden {
		return 0, wanted, false
	}
	if t.informs(pods.String(), cluster.GapNotInDump) {
		if t.informs(endpointSlices.String(), cluster.GapNotInDump) {
			return wanted, wanted, true
		}
		return ready, wanted, true
	}
	for pod := range t.snapshot.Pods().InNamespace(w.object.GetNamespace()) {
		if !pod.Ready || pod.Terminating {
			continue
		}
		if owner, ok := t.ownerOfPod(pod.GetNamespace(), pod.GetName()); ok && owner == w {
			ready++
		}
	}
	return ready, max(wanted, ready), true
}
