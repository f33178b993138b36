package outage

import (
	"k8s.io/apimachinery/pkg/runtime"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// publication: a ready pod is not a reachable backend. Callers learn its
// address from EndpointSlices, which the endpointslice controller writes: it
// updates those of the Service, or creates the first.
func (a *analysis) publication(b *backend) []requirement {
	if b.service == nil {
		return []requirement{cannotTell("what is behind %s is outside of the cluster", b.name)}
	}
	namespace, name := b.service.Namespace, b.service.Name
	if a.isDeleted("", "services", namespace, name) {
		return []requirement{never("the Service %s/%s is deleted", namespace, name)}
	}
	service, ok := a.snapshot().Services().Get(namespace, name)
	if !ok {
		return []requirement{never("there is no Service %s/%s", namespace, name)}
	}
	if len(service.Spec.Selector) == 0 {
		return []requirement{cannotTell("who publishes the endpoints of the Service %s/%s, which has no selector, is not known", namespace, name)}
	}
	if why := a.unseen(endpointSliceResource); why != "" {
		return []requirement{cannotTell("whether the endpoints of the Service %s/%s must be created or updated is not known: %s", namespace, name, why)}
	}
	if b.before == no && len(a.serving[b]) == 0 {
		return []requirement{cannotTell("what would answer for %s, which did not before, is not known", b.name)}
	}
	because := say("the endpoints of the Service %s/%s must be published", namespace, name)
	all := []requirement{
		{component: a.controllers(), because: because},
		{passage: a.pass(a.publish(namespace, name)), because: because},
	}
	return append(all, a.provided("ServiceNetwork", nil, say("the API server reaches %s by the network of Services", b.name))...)
}

var endpointSliceController = controller("endpointslice-controller")

// publish is the request by which the endpoints of a Service become known.
func (a *analysis) publish(namespace, service string) *operation {
	o := &operation{
		verb: extant.OperationCreate, group: discoveryv1.GroupName, version: "v1", resource: "endpointslices", namespace: namespace,
		by: endpointSliceController, alike: true,
	}
	metadata := map[string]any{
		"generateName": service + "-", "namespace": namespace,
		"labels": map[string]any{discoveryv1.LabelServiceName: service, discoveryv1.LabelManagedBy: "endpointslice-controller.k8s.io"},
	}
	for slice := range a.snapshot().EndpointSlices().InNamespace(namespace) {
		if slice.Labels[discoveryv1.LabelServiceName] == service {
			o.verb, o.name = extant.OperationUpdate, slice.Name
			delete(metadata, "generateName")
			metadata["name"], metadata["labels"] = slice.Name, stringMap(slice.Labels)
			break
		}
	}
	o.object = map[string]any{
		"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4",
		"endpoints": []any{map[string]any{"addresses": []any{"10.0.0.1"}, "conditions": map[string]any{"ready": true}}},
	}
	if o.verb == extant.OperationUpdate {
		o.old = runtime.DeepCopyJSON(o.object)
	}
	return o
}
