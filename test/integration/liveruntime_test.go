package integration

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/extant-project/extant/test/kubelet"
)

var _ kubelet.Runtime = (*liveRuntime)(nil)

// liveRuntime runs the pods of a live cluster: each has an address in the
// network for as long as it runs, which leads to who answers in its namespace.
type liveRuntime struct {
	network *network

	mu      sync.Mutex
	servers map[string]string
	running map[types.UID]livePod
	// started are the namespaces in which pods were started, in order.
	started []string
	// held: no pod starts.
	held bool
	next int
}

type livePod struct{ namespace, ip string }

func newLiveRuntime(network *network) *liveRuntime {
	return &liveRuntime{network: network, servers: map[string]string{}, running: map[types.UID]livePod{}}
}

// serve says who answers in the pods of a namespace. Before, none starts there.
func (r *liveRuntime) serve(namespace, address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.servers[namespace] = address
}

// Start starts a pod.
func (r *liveRuntime) Start(pod *corev1.Pod) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.running[pod.UID]; ok {
		return known.ip, nil
	}
	if r.held {
		return "", errors.New("pods are held back")
	}
	address, ok := r.servers[pod.Namespace]
	if !ok {
		return "", errors.New("there is nothing to run yet in namespace " + pod.Namespace)
	}
	r.next++
	started := livePod{pod.Namespace, fmt.Sprintf("10.244.%d.%d", r.next/250, 1+r.next%250)}
	r.running[pod.UID] = started
	r.started = append(r.started, pod.Namespace)
	r.network.lead(started.ip, address)
	return started.ip, nil
}

// Stop stops a pod.
func (r *liveRuntime) Stop(pod types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if gone, ok := r.running[pod]; ok {
		delete(r.running, pod)
		r.network.cut(gone.ip)
	}
}

// lose ends all pods of some namespaces at once, and lets none start anywhere
// until release.
func (r *liveRuntime) lose(namespaces []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held, r.started = true, nil
	for _, pod := range r.running {
		if slices.Contains(namespaces, pod.namespace) {
			r.network.cut(pod.ip)
		}
	}
}

// release lets pods start again.
func (r *liveRuntime) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = false
}

// startedIn is the number of pods that were started before the first one of a
// namespace since the last loss, or -1.
func (r *liveRuntime) startedIn(namespace string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Index(r.started, namespace)
}
