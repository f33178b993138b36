package outage

import (
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// status: a pod counts as ready once its kubelet has written so to pods/status.
func (a *analysis) podStatus(w *workload) []requirement {
	return []requirement{{because: say("the kubelet must report the pods of %s as ready", it), passage: a.passOf(w, a.reported)}}
}

// reported is the report that a pod of a workload is ready.
func (a *analysis) reported(w *workload) *operation {
	o := &operation{
		verb: extant.OperationUpdate, version: "v1", resource: "pods", subresource: "status", namespace: w.Namespace, name: a.podName(w, 0), by: a.kubeletOf(w),
	}
	if w.template != nil {
		o.of = w
		o.build = func(o *operation) {
			o.old = a.again(w, 0).stored()
			o.old["spec"].(map[string]any)["nodeName"] = a.nodeFor(w, 0)
			o.object = runtime.DeepCopyJSON(o.old)
			o.object["status"] = map[string]any{
				"phase":      "Running",
				"conditions": []any{map[string]any{"type": "Ready", "status": "True", "lastTransitionTime": "1970-01-01T00:00:00Z"}},
			}
		}
	}
	return o
}

// kubeletOf is the kubelet of a node on which the pods of a workload can run.
func (a *analysis) kubeletOf(w *workload) *authenticationv1.UserInfo {
	name := a.nodeFor(w, 0)
	known, ok := a.users[name]
	if !ok {
		known = kubelet(name)
		a.users[name] = known
	}
	return known
}
