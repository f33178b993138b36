package outage

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// status: a pod counts as ready once its kubelet has written so to pods/status.
func (a *analysis) podStatus(w *workload) []requirement {
	made, ok := a.again(w, 0)
	if !ok {
		if w.template == nil && len(w.pods) > 0 {
			return []requirement{{because: "the kubelet must report " + w.String() + " as ready", passage: a.pass(&operation{
				verb: extant.OperationUpdate, version: "v1", resource: "pods", subresource: "status", namespace: w.Namespace, name: w.Name,
				by: kubelet(a.nodeFor(w, 0)),
			})}}
		}
		return nil
	}
	node := a.nodeFor(w, 0)
	old := made.stored()
	spec, _ := old["spec"].(map[string]any)
	spec["nodeName"] = node
	ready := runtime.DeepCopyJSON(old)
	ready["status"] = map[string]any{
		"phase": "Running",
		"conditions": []any{map[string]any{
			"type": "Ready", "status": "True", "lastTransitionTime": time.Unix(0, 0).UTC().Format(time.RFC3339),
		}},
	}
	return []requirement{{because: "the kubelet must report the pods of " + w.String() + " as ready", passage: a.pass(&operation{
		verb: extant.OperationUpdate, version: "v1", resource: "pods", subresource: "status", namespace: w.Namespace, name: made.name,
		by: kubelet(node), object: ready, old: old,
	})}}
}
