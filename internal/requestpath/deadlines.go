package requestpath

import (
	"fmt"
	"time"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// The deadlines that a slow hook can make a request miss, with where they come
// from.
const (
	// requestLimit is how long the API server works on a write at most
	// (k8s.io/apiserver, endpoints/handlers: requestTimeoutUpperBound).
	requestLimit = 34 * time.Second
	// A leader renews within 10 s, and gives up on a request after half of that
	// (component-base, LeaderElectionConfiguration: renewDeadline).
	leaderDeadline = 10 * time.Second
	leaderTimeout  = 5 * time.Second
	// A kubelet renews its Lease with a timeout of a quarter of the Lease's
	// 40 s (kubelet: nodeLeaseDurationSeconds).
	nodeLeaseDuration = 40 * time.Second
	nodeLeaseTimeout  = 10 * time.Second
)

// deadlines says which deadlines the hooks can make the request miss.
func (t *tracer) deadlines(latency time.Duration) []string {
	if latency == 0 {
		return nil
	}
	var missed []string
	if latency >= requestLimit && t.request.spec.Operation.Admitted() {
		missed = append(missed, fmt.Sprintf("the hooks together may take %s, and the API server gives up on the request after %s", latency, requestLimit))
	}
	if t.request.resource.Group != "coordination.k8s.io" || t.request.resource.Resource != "leases" || t.request.spec.Operation != extant.OperationUpdate {
		return missed
	}
	if t.request.namespace == "kube-node-lease" {
		if latency >= nodeLeaseTimeout {
			missed = append(missed, fmt.Sprintf("the kubelet gives up on renewing after %s, and the node counts as lost after %s", nodeLeaseTimeout, nodeLeaseDuration))
		}
	} else if latency >= leaderTimeout {
		missed = append(missed, fmt.Sprintf("a leader gives up on a renewal after %s, and on leading after %s", leaderTimeout, leaderDeadline))
	}
	return missed
}
