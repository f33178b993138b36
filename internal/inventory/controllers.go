package inventory

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// Controllers register nowhere: that a program reconciles shows only in what
// it ships. A workload is taken for a controller when it belongs to an
// extension that offers something to reconcile, which is a kind (by a CRD) or
// a class of ingresses or gateways. Which of several workloads of an extension
// does it cannot be told from the objects, so that all count; a workload
// without an extension is an application.

var controller = mechanism{
	point:   "controller",
	pattern: extant.PatternController,
	reads:   workloads,
}

// reconciled are the points at which something to reconcile is offered.
var reconciled = map[string]bool{"custom-resource-definition": true, "ingress-class": true, "gateway-class": true}

// The cloud controller manager is a controller of Kubernetes' own with a well
// known name. A workload of that name registers at the point of that name, and
// makes an extension even where nothing else is observed of it.

var cloudControllerManager = mechanism{
	point:   ccmName,
	pattern: extant.PatternController,
	reads:   []schema.GroupResource{deployments, daemonSets, statefulSets},
	register: func(t *taker, point string) {
		for deployment := range t.snapshot.Deployments().All() {
			addCloudController(t, point, deployments, deployment, deployment.Labels)
		}
		for set := range t.snapshot.DaemonSets().All() {
			addCloudController(t, point, daemonSets, set, set.Labels)
		}
		for set := range t.snapshot.StatefulSets().All() {
			addCloudController(t, point, statefulSets, set, set.Labels)
		}
	},
}

const ccmName = "cloud-controller-manager"

func addCloudController(t *taker, point string, resource schema.GroupResource, workload cluster.Object, labels map[string]string) {
	if !strings.Contains(workload.GetName(), ccmName) && labels["k8s-app"] != ccmName && labels["component"] != ccmName {
		return
	}
	i := t.addWorkload(resource, workload)
	t.addRegistration(point, i, 1)
}

// addWorkload adds a workload that its own name can tell the extension of:
// what answers a hook, or is known by its name.
func (t *taker) addWorkload(resource schema.GroupResource, workload cluster.Object) int32 {
	i := t.add(resource, workload)
	if p := &t.parts[i]; means(p.ref.Name) {
		p.fallback = key{rankWorkload, p.ref.Namespace, p.ref.Name}
	}
	return i
}

// replicas returns the pods of a workload that are ready and wanted; reported
// is false where its status was never written.
func replicas(workload cluster.Object) (ready, wanted int32, reported bool) {
	switch w := workload.(type) {
	case *appsv1.Deployment:
		s := &w.Status
		return s.ReadyReplicas, valueOr(w.Spec.Replicas, 1), s.ObservedGeneration > 0 || s.Replicas > 0 || len(s.Conditions) > 0
	case *appsv1.StatefulSet:
		s := &w.Status
		return s.ReadyReplicas, valueOr(w.Spec.Replicas, 1), s.ObservedGeneration > 0 || s.Replicas > 0
	case *appsv1.ReplicaSet:
		s := &w.Status
		return s.ReadyReplicas, valueOr(w.Spec.Replicas, 1), s.ObservedGeneration > 0 || s.Replicas > 0
	case *appsv1.DaemonSet:
		s := &w.Status
		return s.NumberReady, s.DesiredNumberScheduled, s.ObservedGeneration > 0 || s.DesiredNumberScheduled > 0
	default:
		return 0, 0, true
	}
}
