package outage

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// collateral is what the cluster's own controllers cannot do while things are
// lost.
func (a *analysis) collateral() []extant.Collateral {
	var all []extant.Collateral
	all = append(all, a.leases()...)
	for i := range a.observed.Inventory.Hooks {
		hook := &a.observed.Inventory.Hooks[i]
		if a.loss.backends[hook.Backend] == nil || a.hookDeleted(hook) {
			continue
		}
		switch {
		case hook.APIService != nil:
			all = append(all, aggregatedDown(hook)...)
		case hook.Definition != nil:
			all = append(all, a.conversionDown(hook)...)
		}
	}
	all = append(all, a.namespaceDeletion()...)
	return append(all, a.finalizers()...)
}

// leases are lost by leaders and kubelets that cannot renew them in time.
func (a *analysis) leases() []extant.Collateral {
	var all []extant.Collateral
	r := a.newRun(false)
	leaders := r.judge(&vital{operations: a.leaseVitals()[1].operations, timeout: leaderLeaseTimeout})
	leadersLost := no
	if leaders.Verdict == extant.VitalBlocked {
		leadersLost = a.lapse(a.controllers()).or(a.lapse(a.scheduler()))
	}
	if leadersLost != no {
		because := "leaders give up 10 s after they can no longer renew their leases: no controller runs and no pod is scheduled until they can"
		all = append(all, extant.Collateral{Effect: extant.CollateralLeaderElectionLost, Because: perhaps(leadersLost, because), By: leaders.By})
	}
	node := a.anyNode()
	nodes := r.judge(&vital{operations: []*operation{a.nodeLease(node)}, timeout: nodeLeaseTimeout})
	if nodes.Verdict != extant.VitalBlocked || leadersLost == yes {
		return all // without a leader nobody says that nodes are not ready
	}
	if lost := a.nodesLapse(); lost != no {
		because := "the node controller marks nodes as not ready 40 to 50 s after they can no longer renew their leases"
		all = append(all, extant.Collateral{Effect: extant.CollateralNodesNotReady, Because: perhaps(lost, because), By: nodes.By})
	}
	return all
}

func perhaps(t truth, because string) string {
	if t == unknown {
		return "if it lasts that long (assume.startupSeconds): " + because
	}
	return because
}

// lapse tells whether a component loses its lease.
func (a *analysis) lapse(c *controlComponent) truth {
	if a.loss.Mode == extant.ModeUnreachable || c.restarted {
		return yes
	}
	for _, other := range a.outcome.race {
		if other == c {
			return unknown
		}
	}
	for _, r := range a.outcome.sure {
		if r.lapsed[c] {
			return yes
		}
	}
	return no
}

// nodesLapse tells whether nodes lose their leases, which they do even where
// their status goes through.
func (a *analysis) nodesLapse() truth {
	if a.loss.Mode == extant.ModeUnreachable {
		return yes
	}
	lease := a.routeOf(a.nodeLease(a.anyNode()))
	startup, known := a.startup()
	for _, r := range a.outcome.hopeful {
		if lease.allowed(r.answers) == no {
			return yes
		}
	}
	wave := 0
	for _, c := range lease.calls {
		wave = max(wave, a.outcome.wave(func(r *run) int { return r.answered[c.hook.Backend] }))
	}
	switch after := startup * time.Duration(wave); {
	case !known:
		return unknown
	case after >= nodeLapse:
		return yes
	case after >= nodeGrace:
		return unknown
	}
	return no
}

// aggregatedDown is what misses the group of an aggregated API.
func aggregatedDown(hook *inventory.Hook) []extant.Collateral {
	spec := &hook.APIService.Spec
	group := spec.Group + "/" + spec.Version
	by := []extant.HookReference{referenceOf(hook)}
	all := []extant.Collateral{
		{Effect: extant.CollateralNamespaceDeletionStuck, Because: "every deletion of a namespace needs the full discovery, and " + group + " is missing from it", By: by},
		{Effect: extant.CollateralDiscoveryIncomplete, Scope: group, Because: "clients that need the full discovery miss " + group, By: by},
		{
			Effect: extant.CollateralGarbageCollectionStopped, Scope: group, Latent: true, By: by,
			Because: "the garbage collector goes on with what it knows; once the controller manager starts again, it knows nothing of " + group,
		},
		{
			Effect: extant.CollateralQuotaStopped, Scope: group, Latent: true, By: by,
			Because: "quotas go on with what they know; once the controller manager starts again, they know nothing of " + group,
		},
	}
	if spec.Group == "metrics.k8s.io" || strings.HasSuffix(spec.Group, ".metrics.k8s.io") {
		all = append(all, extant.Collateral{
			Effect: extant.CollateralAutoscalingStopped, Scope: group, By: by, Because: "autoscalers that go by metrics of " + group + " keep the replicas as they are",
		})
	}
	return all
}

// conversionDown is what cannot read a custom resource whose conversion is
// down.
func (a *analysis) conversionDown(hook *inventory.Hook) []extant.Collateral {
	by := []extant.HookReference{referenceOf(hook)}
	name := hook.Definition.Name
	because := "objects can be neither read nor written in another version than the stored one; lists go on from the API server's watch cache until something is written in the stored version, or the API server starts again"
	all := []extant.Collateral{
		{Effect: extant.CollateralCustomResourcesUnreadable, Scope: name, Because: because, By: by},
		{
			Effect: extant.CollateralGarbageCollectionStopped, Scope: name, Latent: true, By: by,
			Because: "the garbage collector goes on; once the controller manager starts again, it waits for a list of " + name + " that it cannot get",
		},
		{
			Effect: extant.CollateralQuotaStopped, Scope: name, Latent: true, By: by,
			Because: "quotas go on; once the controller manager starts again, they wait for a list of " + name + " that they cannot get",
		},
	}
	if a.spec.Assume.WatchCache == extant.WatchCacheCold {
		all = append(all, extant.Collateral{
			Effect: extant.CollateralNamespaceDeletionStuck, Scope: name, By: by,
			Because: "a namespace in which there are objects of " + name + " cannot be deleted: they cannot be listed",
		})
	}
	return all
}

// namespaceDeletion: once the deletion of a namespace is accepted, the
// namespace controller deletes what is in it (every namespace has a service
// account and a ConfigMap), and then the namespace.
func (a *analysis) namespaceDeletion() []extant.Collateral {
	r := a.newRun(false)
	stuck := func(namespace string) (string, []extant.HookReference) {
		for _, o := range emptying(namespace) {
			p := a.routeOf(o)
			if p.allowed(r.answers) == no {
				return o.String(), distinctReferences(p.blockers(r.answers))
			}
		}
		return "", nil
	}
	a.foundNewNamespace()
	if what, by := stuck(newNamespace); what != "" {
		what = strings.ReplaceAll(what, " in "+newNamespace, "")
		return []extant.Collateral{{
			Effect: extant.CollateralNamespaceDeletionStuck, By: by,
			Because: fmt.Sprintf("the namespace controller must succeed in %s before a namespace is gone", what),
		}}
	}
	return nil
}

// emptying are the requests without which a namespace does not go.
func emptying(namespace string) []*operation {
	by := controller("namespace-controller")
	named := func(kind, name string) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{"name": name, "namespace": namespace}}
	}
	terminating := map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": namespace, "labels": map[string]any{corev1.LabelMetadataName: namespace}},
	}
	return []*operation{
		{verb: extant.OperationDelete, version: "v1", resource: "configmaps", namespace: namespace, by: by, old: named("ConfigMap", "kube-root-ca.crt")},
		{verb: extant.OperationDelete, version: "v1", resource: "serviceaccounts", namespace: namespace, by: by, old: named("ServiceAccount", "default")},
		{verb: extant.OperationUpdate, version: "v1", resource: "namespaces", subresource: "status", name: namespace, by: by, object: terminating, old: terminating},
		{verb: extant.OperationUpdate, version: "v1", resource: "namespaces", subresource: "finalize", name: namespace, by: by, object: terminating, old: terminating},
	}
}

// foundNewNamespace puts a namespace without further labels into the cluster,
// so that requests in it can be traced.
func (a *analysis) foundNewNamespace() {
	if _, ok := a.snapshot().Namespaces().Get("", newNamespace); ok || a.snapshot().Namespaces().Len() == 0 {
		return
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: newNamespace, Labels: map[string]string{corev1.LabelMetadataName: newNamespace}}}
	namespace.Status.Phase = corev1.NamespaceActive
	a.founded = a.observed
	a.founded.Snapshot = a.snapshot().Edited(cluster.Edit{Resource: namespaceResource, Name: newNamespace, Object: namespace})
}

// finalizers stay on objects whose controller is gone for good.
func (a *analysis) finalizers() []extant.Collateral {
	var all []extant.Collateral
	for i := range a.observed.Inventory.Extensions {
		extension := &a.observed.Inventory.Extensions[i]
		gone := false
		var kinds []string
		for _, c := range extension.Status.Components {
			deleted := a.isDeleted(c.Group, c.Resource, c.Namespace, c.Name)
			switch {
			case c.Resource == "customresourcedefinitions" && !deleted:
				kinds = append(kinds, c.Name)
			case deleted && c.Group == "apps":
				gone = true
			}
		}
		if !gone {
			continue
		}
		for _, kind := range kinds {
			all = append(all, extant.Collateral{
				Effect: extant.CollateralFinalizersStuck, Scope: kind,
				Because: "nobody removes the finalizers that the controllers of " + extension.Name + " have set: such objects, and their namespaces, cannot be deleted",
			})
		}
	}
	return all
}
