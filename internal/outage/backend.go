package outage

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	namespaceResource      = schema.GroupResource{Resource: "namespaces"}
	serviceResource        = schema.GroupResource{Resource: "services"}
	serviceAccountResource = schema.GroupResource{Resource: "serviceaccounts"}
	endpointSliceResource  = schema.GroupResource{Group: "discovery.k8s.io", Resource: "endpointslices"}
)

// backend is what hooks call.
type backend struct {
	name string
	// service is nil for URLs.
	service *extant.ServiceReference
	// before: whether the backend can be called before the outage. What has a
	// ready endpoint, or lies outside, and was not probed is taken to answer.
	before  truth
	because string
}

// backends are those of a cluster, by name, by their Service, and by the
// namespace of that.
type backends struct {
	named  map[string]*backend
	behind map[[2]string][]*backend
	in     map[string][]*backend
}

// readBackends reads the backends of the inventory.
func (a *analysis) readBackends() *backends {
	all := &backends{make(map[string]*backend, len(a.observed.Inventory.Backends)), map[[2]string][]*backend{}, map[string][]*backend{}}
	for i := range a.observed.Inventory.Backends {
		found := &a.observed.Inventory.Backends[i]
		b := &backend{name: found.Name, service: found.Spec.Service, before: yes}
		b.before, b.because = a.before(found)
		all.named[b.name] = b
		if b.service != nil {
			key := [2]string{b.service.Namespace, b.service.Name}
			all.behind[key] = append(all.behind[key], b)
			all.in[b.service.Namespace] = append(all.in[b.service.Namespace], b)
		}
	}
	return all
}

// before tells whether a backend could be called before the outage.
func (a *analysis) before(found *extant.Backend) (truth, string) {
	if service := found.Spec.Service; service != nil {
		for _, resource := range []schema.GroupResource{serviceResource, endpointSliceResource} {
			if gap, ok := a.snapshot().DecidingGap(resource); ok {
				return unknown, resource.Resource + " cannot be seen: " + string(gap.Reason)
			}
		}
		if a.isDeleted("", "services", service.Namespace, service.Name) {
			return yes, "" // until now
		}
	}
	switch {
	case found.Status.Available == metav1.ConditionFalse:
		return no, found.Status.Message
	case found.Status.Available == metav1.ConditionUnknown && found.Status.Reason != extant.BackendNotProbed:
		return unknown, found.Status.Message
	case slices.ContainsFunc(found.Status.Callers, distrusts):
		return unknown, "the caBundles of some of its hooks do not vouch for its certificate"
	default:
		return yes, ""
	}
}

func distrusts(caller extant.CallerStatus) bool {
	return caller.TrustedByCABundle == metav1.ConditionFalse
}

// settleBackends decides which backends are lost: those of which nothing is
// left that answers.
func (a *analysis) settleBackends() {
	if a.loss.Mode == extant.ModeUnreachable {
		a.silence()
		return
	}
	settled := map[string]bool{}
	for _, w := range a.touched {
		if settled[w.Namespace] {
			continue
		}
		settled[w.Namespace] = true
		for _, b := range a.backends.in[w.Namespace] {
			if a.loss.backends[b.name] == nil && !a.anythingLeft(b) {
				a.loss.backends[b.name] = b
			}
		}
	}
	if len(a.deleted.objects) == 0 {
		return
	}
	for service, called := range a.backends.behind {
		if a.isDeleted("", "services", service[0], service[1]) {
			for _, b := range called {
				a.loss.backends[b.name] = b
			}
		}
	}
}

// anythingLeft tells whether a pod behind a backend is left, and notes the
// workloads behind it.
func (a *analysis) anythingLeft(b *backend) bool {
	service, ok := a.snapshot().Services().Get(b.service.Namespace, b.service.Name)
	if !ok {
		a.doubted("what is behind the backend "+b.name+" is not known", serviceResource)
		return true
	}
	lost, left := false, false
	for _, w := range a.workloads.in(b.service.Namespace) {
		if !a.workloads.podsKnown {
			if w.selected(service.Spec.Selector) {
				a.serving[b] = append(a.serving[b], w)
				lost = lost || w.lost > 0
				left = left || w.lost < w.replicas
			}
			continue
		}
		of := w.missing > 0 && w.selected(service.Spec.Selector)
		lost = lost || of
		for _, pod := range w.pods {
			if !selects(service.Spec.Selector, pod.Labels) {
				continue
			}
			of = true
			if pod.lost {
				lost = true
			} else if pod.Ready && !pod.Terminating {
				left = true
			}
		}
		if of {
			a.serving[b] = append(a.serving[b], w)
		}
	}
	return left || !lost
}

// silence takes the backends that are named for unreachable: they run, and do
// not answer.
func (a *analysis) silence() {
	for _, w := range a.loss.workloads {
		for _, b := range a.backends.in[w.Namespace] {
			if !a.anythingLeft(b) {
				a.loss.backends[b.name] = b
			}
		}
	}
	for _, w := range a.loss.workloads {
		w.lost, w.lostPods, w.missing = 0, nil, 0
		for i := range w.pods {
			w.pods[i].lost = false
		}
	}
	a.loss.workloads = nil
}
