package outage

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var quotaResource = schema.GroupResource{Resource: "resourcequotas"}

// quota: the API server refuses a pod that a ResourceQuota has no room for, and
// goes by what status.used says. Lost pods count there until the quota
// controller has written that they are gone. Where even then there is no room,
// because the quota was lowered after the pods were made, they do not come back.
func (a *analysis) quota(w *workload) []requirement {
	if w.template == nil {
		return nil
	}
	if why := a.unseen(quotaResource); why != "" {
		return []requirement{cannotTell("whether quotas have room for the pods of %s is not known: %s", it, why)}
	}
	var all []requirement
	for q := range a.snapshot().ResourceQuotas().InNamespace(w.Namespace) {
		switch {
		case a.exceeds(w, q, false):
			all = append(all, lowered(q))
		case a.exceeds(w, q, true):
			because := say("the quota %s/%s must notice that pods are gone before those of %s have room", q.Namespace, q.Name, it)
			all = append(all, requirement{component: a.controllers(), because: because}, requirement{because: because, passage: a.pass(counted(q))})
		}
	}
	return all
}

// lowered is what pods need for which a quota has no room: never there, but for
// quotas that may be about other pods.
func lowered(q *corev1.ResourceQuota) requirement {
	if len(q.Spec.Scopes) > 0 || q.Spec.ScopeSelector != nil {
		return cannotTell("whether the quota %s/%s is about the pods of %s, for which it has no room, is not computed", q.Namespace, q.Name, it)
	}
	return never("the quota %s/%s has no room for the pods of %s", q.Namespace, q.Name, it)
}

// exceeds tells whether a quota has no room for the lost pods of a workload,
// while it counts them as lost or, stale, as still there.
func (a *analysis) exceeds(w *workload, q *corev1.ResourceQuota, stale bool) bool {
	for name, hard := range q.Status.Hard {
		each, ok := chargeOf(w.template, name)
		if !ok || each.IsZero() {
			continue
		}
		needed := q.Status.Used[name].DeepCopy()
		// Those that were not there before are not counted yet.
		more := int64(w.missing)
		if stale {
			more = int64(w.lost)
		}
		for range more {
			needed.Add(each)
		}
		if needed.Cmp(hard) > 0 {
			return true
		}
	}
	return false
}

// chargeOf is what a pod costs of a resource of quotas.
func chargeOf(template *corev1.PodTemplateSpec, name corev1.ResourceName) (resource.Quantity, bool) {
	of := func(list func(*corev1.ResourceRequirements) corev1.ResourceList, resourceName corev1.ResourceName) (resource.Quantity, bool) {
		var sum resource.Quantity
		for i := range template.Spec.Containers {
			sum.Add(list(&template.Spec.Containers[i].Resources)[resourceName])
		}
		return sum, true
	}
	requests := func(r *corev1.ResourceRequirements) corev1.ResourceList { return r.Requests }
	limits := func(r *corev1.ResourceRequirements) corev1.ResourceList { return r.Limits }
	switch name {
	case corev1.ResourcePods, "count/pods":
		return resource.MustParse("1"), true
	case corev1.ResourceCPU, corev1.ResourceRequestsCPU:
		return of(requests, corev1.ResourceCPU)
	case corev1.ResourceMemory, corev1.ResourceRequestsMemory:
		return of(requests, corev1.ResourceMemory)
	case corev1.ResourceLimitsCPU:
		return of(limits, corev1.ResourceCPU)
	case corev1.ResourceLimitsMemory:
		return of(limits, corev1.ResourceMemory)
	}
	return resource.Quantity{}, false
}

// counted is the request by which a quota notices what is gone.
func counted(q *corev1.ResourceQuota) *operation {
	return &operation{
		verb: extant.OperationUpdate, version: "v1", resource: "resourcequotas", subresource: "status", namespace: q.Namespace, name: q.Name,
		by: quotaController,
		build: func(o *operation) {
			object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(q)
			if err != nil { // every ResourceQuota can be converted
				return
			}
			object["apiVersion"], object["kind"] = "v1", "ResourceQuota"
			o.object, o.old = object, object
		},
	}
}

var quotaController = controller("resourcequota-controller")
