package outage

import (
	"fmt"
	"time"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// vital is an operation that keeps a cluster alive.
type vital struct {
	name string
	// operations are those of which all must be allowed.
	operations []*operation
	// timeout is when the client gives up.
	timeout time.Duration
}

// Clients give up: kubelets on their leases, leaders on theirs, everybody else
// when the API server ends the request.
const (
	nodeLeaseTimeout   = 10 * time.Second
	leaderLeaseTimeout = 5 * time.Second
	requestTimeout     = 60 * time.Second
)

// vital says what comes of the operations that keep a cluster alive while
// things are lost.
func (a *analysis) vital() []extant.VitalOperation {
	r := a.newRun(false)
	var all []extant.VitalOperation
	for _, v := range a.vitals() {
		all = append(all, r.judge(&v))
	}
	return all
}

// judge says what comes of a vital operation at a moment.
func (r *run) judge(v *vital) extant.VitalOperation {
	answer := extant.VitalOperation{Name: v.name, Verdict: extant.VitalAllowed}
	worst := yes
	var delayed []extant.HookReference
	var longest time.Duration
	for _, o := range v.operations {
		p := r.routeOf(o)
		allowed := p.allowed(r.answers)
		if allowed != yes {
			worst = worst.and(allowed)
			answer.By = append(answer.By, p.blockers(r.answers)...)
			answer.Message = r.explain(o, p, allowed)
		}
		if delay, by := p.delay(r.silent); delay > 0 {
			delayed, longest = append(delayed, by...), max(longest, delay)
		}
	}
	switch {
	case worst == no:
		answer.Verdict = extant.VitalBlocked
	case longest >= v.timeout:
		answer.Verdict, answer.By = extant.VitalBlocked, append(answer.By, delayed...)
		answer.Message = fmt.Sprintf("the client gives up after %s, and hooks that do not answer take %s", v.timeout, longest)
	case worst == unknown:
		answer.Verdict = extant.VitalUnknown
	case len(r.loss.doubts) > 0:
		answer.Verdict, answer.Message = extant.VitalUnknown, r.loss.doubts[0]
	case longest > 0:
		answer.Verdict, answer.By = extant.VitalDelayed, delayed
		answer.Message = fmt.Sprintf("hooks that do not answer take %s", longest)
	}
	answer.By = distinctReferences(answer.By)
	return answer
}

// silent tells whether calls of a backend wait out their timeout.
func (r *run) silent(backend string) bool {
	return r.loss.Mode == extant.ModeUnreachable && r.loss.backends[backend] != nil
}

// explain says why an operation is not allowed, or why that is not known.
func (r *run) explain(o *operation, p *route, allowed truth) string {
	if p.admitted == allowed && p.because != "" {
		return fmt.Sprintf("%s: %s", o, p.because)
	}
	if allowed == unknown {
		return fmt.Sprintf("whether %s is allowed is not known: whether a hook is asked, or its backend answers, is not", o)
	}
	return fmt.Sprintf("%s needs hooks whose backends are down", o)
}

// vitals are the vital operations, each by the component that does it.
func (a *analysis) vitals() []vital {
	node := a.anyNode()
	pod := map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "any", "namespace": systemNamespace},
		"spec": map[string]any{"containers": []any{map[string]any{"name": "any", "image": "any"}}},
	}
	on := func(verb extant.RequestOperation, resource, subresource string, o *operation) []*operation {
		o.verb, o.version, o.resource, o.subresource, o.namespace, o.name = verb, "v1", resource, subresource, systemNamespace, "any"
		return []*operation{o}
	}
	leases := a.leaseVitals()
	return []vital{
		{"create-pods-kube-system", on(extant.OperationCreate, "pods", "", &operation{by: controller("replicaset-controller"), object: pod}), requestTimeout},
		{"bind-pods-kube-system", on(extant.OperationCreate, "pods", "binding", &operation{by: component("system:kube-scheduler"), object: map[string]any{
			"apiVersion": "v1", "kind": "Binding", "metadata": map[string]any{"name": "any", "namespace": systemNamespace},
			"target": map[string]any{"apiVersion": "v1", "kind": "Node", "name": node},
		}}), requestTimeout},
		{"update-pod-status-kube-system", on(extant.OperationUpdate, "pods", "status", &operation{by: kubelet(node), object: pod, old: pod}), requestTimeout},
		{"create-tokens-kube-system", []*operation{a.tokenFor(systemNamespace, "default", kubelet(node))}, requestTimeout},
		{"update-endpointslices-kube-system", []*operation{a.anySlice()}, requestTimeout},
		{"update-node-status", []*operation{a.nodeStatus(node)}, requestTimeout},
		leases[0],
		leases[1],
		{"create-namespaces", []*operation{a.anyNamespace(extant.OperationCreate)}, requestTimeout},
		{"delete-namespaces", []*operation{a.anyNamespace(extant.OperationDelete)}, requestTimeout},
		{"create-events", on(extant.OperationCreate, "events", "", &operation{by: controller("replicaset-controller"), object: map[string]any{
			"apiVersion": "v1", "kind": "Event", "metadata": map[string]any{"name": "any", "namespace": systemNamespace},
			"involvedObject": map[string]any{"kind": "Pod", "name": "any", "namespace": systemNamespace}, "reason": "Any", "type": "Normal",
		}}), requestTimeout},
		{"update-crds", []*operation{a.anyDefinition()}, requestTimeout},
		{"update-apiservices", []*operation{a.anyAPIService()}, requestTimeout},
		{"update-webhook-configurations", []*operation{a.anyConfiguration()}, requestTimeout},
	}
}

// leaseVitals are the renewals of leases, which cannot wait.
func (a *analysis) leaseVitals() []vital {
	return []vital{
		{"update-node-leases", []*operation{a.nodeLease(a.anyNode())}, nodeLeaseTimeout},
		{"update-leader-leases", []*operation{a.leaderLease("kube-controller-manager"), a.leaderLease("kube-scheduler")}, leaderLeaseTimeout},
	}
}

// anySlice is an update of endpoints in kube-system.
func (a *analysis) anySlice() *operation {
	object := map[string]any{
		"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": []any{},
		"metadata": map[string]any{"name": "any", "namespace": systemNamespace},
	}
	return &operation{
		verb: extant.OperationUpdate, group: "discovery.k8s.io", version: "v1", resource: "endpointslices", namespace: systemNamespace, name: "any",
		by: controller("endpointslice-controller"), object: object, old: object,
	}
}

// newNamespace is the name of a namespace that has no labels but its name.
const newNamespace = "new-namespace"

// anyNamespace is what a human does to a namespace without further labels.
func (a *analysis) anyNamespace(verb extant.RequestOperation) *operation {
	object := map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": newNamespace, "labels": map[string]any{"kubernetes.io/metadata.name": newNamespace}},
	}
	o := &operation{verb: verb, version: "v1", resource: "namespaces", name: newNamespace, by: administrator()}
	if verb == extant.OperationCreate {
		o.object = object
	} else {
		o.old = object
	}
	return o
}

func (a *analysis) clusterObject(group, resource, apiVersion, kind, name string, spec map[string]any) *operation {
	object := map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name}}
	for key, value := range spec {
		object[key] = value
	}
	return &operation{
		verb: extant.OperationUpdate, group: group, version: "v1", resource: resource, name: name, by: administrator(), object: object, old: object,
	}
}

func (a *analysis) anyDefinition() *operation {
	return a.clusterObject("apiextensions.k8s.io", "customresourcedefinitions", "apiextensions.k8s.io/v1", "CustomResourceDefinition", "anys.example.com",
		map[string]any{"spec": map[string]any{
			"group": "example.com", "scope": "Namespaced", "names": map[string]any{"plural": "anys", "kind": "Any"},
			"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true, "schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object"}}}},
		}})
}

func (a *analysis) anyAPIService() *operation {
	return a.clusterObject("apiregistration.k8s.io", "apiservices", "apiregistration.k8s.io/v1", "APIService", "v1.example.com",
		map[string]any{"spec": map[string]any{"group": "example.com", "version": "v1", "groupPriorityMinimum": int64(100), "versionPriority": int64(100)}})
}

func (a *analysis) anyConfiguration() *operation {
	return a.clusterObject("admissionregistration.k8s.io", "validatingwebhookconfigurations", "admissionregistration.k8s.io/v1",
		"ValidatingWebhookConfiguration", "any", nil)
}

// distinctReferences sorts references and drops repetitions.
func distinctReferences(all []extant.HookReference) []extant.HookReference {
	sortReferences(all)
	var distinct []extant.HookReference
	for i := range all {
		if i == 0 || all[i] != all[i-1] {
			distinct = append(distinct, all[i])
		}
	}
	return distinct
}
