package outage

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	namespaceResource     = schema.GroupResource{Resource: "namespaces"}
	serviceResource       = schema.GroupResource{Resource: "services"}
	endpointSliceResource = schema.GroupResource{Group: "discovery.k8s.io", Resource: "endpointslices"}
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
	// workloads are those whose pods answer.
	workloads []*workload
	// hooks are those that call it.
	hooks []*inventory.Hook
	// survives: what answers is not lost, or not all of it.
	survives bool
}

// readBackends reads the backends of the inventory.
func (a *analysis) readBackends() {
	a.backends = make(map[string]*backend, len(a.observed.Inventory.Backends))
	a.behind = map[[2]string][]*backend{}
	for i := range a.observed.Inventory.Backends {
		found := &a.observed.Inventory.Backends[i]
		b := &backend{name: found.Name, service: found.Spec.Service, before: yes}
		b.before, b.because = a.before(found)
		a.backends[b.name] = b
		if b.service != nil {
			key := [2]string{b.service.Namespace, b.service.Name}
			a.behind[key] = append(a.behind[key], b)
		}
	}
	for i := range a.observed.Inventory.Hooks {
		hook := &a.observed.Inventory.Hooks[i]
		if b, ok := a.backends[hook.Backend]; ok && !a.hookDeleted(hook) {
			b.hooks = append(b.hooks, hook)
		}
	}
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
	lostIn := map[string]bool{}
	for _, w := range a.touched {
		lostIn[w.Namespace] = true
	}
	for _, b := range a.backends {
		if _, named := a.loss.backends[b.name]; named {
			continue
		}
		b.survives = true
		if b.service == nil {
			continue
		}
		gone := a.isDeleted("", "services", b.service.Namespace, b.service.Name)
		if gone || lostIn[b.service.Namespace] && !a.anythingLeft(b) {
			b.survives = false
			a.loss.backends[b.name] = b
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
				b.workloads = append(b.workloads, w)
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
			b.workloads = append(b.workloads, w)
		}
	}
	return left || !lost
}

// silence takes the backends that are named for unreachable: they run, and do
// not answer.
func (a *analysis) silence() {
	for _, w := range a.loss.workloads {
		for _, b := range a.backends {
			if b.service == nil || b.service.Namespace != w.Namespace {
				continue
			}
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
