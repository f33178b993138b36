package outage

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// What pods need and the cluster's workloads provide: a pod network, volumes of
// a driver, a scheduler. Few objects show it. It is known where somebody says
// so (Extension.spec.provides, spec.assume.provides) or where a CSIDriver or
// RuntimeClass of the extension makes it certain.

// provider is a workload that provides a capability.
type provider struct {
	workload *workload
	// sure is false where an extension provides something and it is not known
	// which of its workloads does.
	sure bool
}

// providers are the workloads that provide capabilities.
type providers struct {
	byCapability map[string][]provider
	// hidden are the capabilities of which a provider cannot be seen, and why.
	hidden map[string]string
	// likelyNetwork are workloads that look as if they provided the pod network:
	// they write into the directories of CNI on their nodes.
	likelyNetwork []*workload
}

func (a *analysis) findProviders() {
	a.providers.byCapability, a.providers.hidden = map[string][]provider{}, map[string]string{}
	for i := range a.observed.Inventory.Extensions {
		extension := &a.observed.Inventory.Extensions[i]
		for _, capability := range extension.Status.Provides {
			a.providesExtension(extension, capability)
		}
	}
	for i := range a.spec.Assume.Provides {
		said := &a.spec.Assume.Provides[i]
		if said.Workload != nil {
			a.providesWorkload(*said.Workload, said.Capability)
			continue
		}
		for i := range a.observed.Inventory.Extensions {
			if extension := &a.observed.Inventory.Extensions[i]; extension.Name == said.Extension {
				a.providesExtension(extension, said.Capability)
			}
		}
	}
	for _, w := range a.loss.workloads {
		if w.resource() == daemonSetResource && installsNetworkPlugin(w.template) {
			a.providers.likelyNetwork = append(a.providers.likelyNetwork, w)
		}
	}
}

// providesWorkload takes a workload for a provider, and notes that it cannot be
// seen where it cannot.
func (a *analysis) providesWorkload(reference extant.ObjectReference, capability string) {
	if w, ok := a.workloads.get(reference); ok {
		a.provides(capability, provider{w, true})
	} else if why := a.unseen(schema.GroupResource{Group: reference.Group, Resource: reference.Resource}); why != "" {
		a.providers.hidden[capability] = why
	}
}

// providesExtension finds the workloads by which an extension provides
// something: what nodes need comes from its DaemonSets.
func (a *analysis) providesExtension(extension *extant.Extension, capability string) {
	var daemons, others []*workload
	for _, c := range extension.Status.Components {
		if _, ok := kindNames[schema.GroupResource{Group: c.Group, Resource: c.Resource}]; !ok {
			continue
		}
		w, ok := a.workloads.get(extant.ObjectReference{Group: c.Group, Resource: c.Resource, Namespace: c.Namespace, Name: c.Name})
		switch {
		case !ok:
		case w.resource() == daemonSetResource:
			daemons = append(daemons, w)
		default:
			others = append(others, w)
		}
	}
	if len(daemons) == 0 || capability == "Scheduling" || capability == "ClusterDNS" {
		daemons = append(daemons, others...)
	}
	for _, w := range daemons {
		a.provides(capability, provider{w, len(daemons) == 1})
	}
}

func (a *analysis) provides(capability string, p provider) {
	known := a.providers.byCapability[capability]
	for i := range known {
		if known[i].workload == p.workload {
			known[i].sure = known[i].sure || p.sure
			return
		}
	}
	a.providers.byCapability[capability] = append(known, p)
}

// provided returns what a workload needs of the providers of a capability. A
// provider does not need itself.
func (a *analysis) provided(capability string, to *workload, because reason) []requirement {
	var all []requirement
	if why := a.providers.hidden[capability]; why != "" {
		all = append(all, cannotTell("%s: who provides it is not known: %s", because, why))
	}
	for _, p := range a.providers.byCapability[capability] {
		if p.workload == to {
			continue
		}
		q := requirement{workload: p.workload, because: say("%s, which %s provides", because, p.workload)}
		if !p.sure {
			q.otherwise = unknown
		}
		all = append(all, q)
	}
	return all
}

// scheduler returns the workload that is the scheduler of that name.
func (a *analysis) schedulerNamed(name string) (*workload, bool) {
	known := a.providers.byCapability["Scheduling"]
	i := slices.IndexFunc(known, func(p provider) bool { return p.workload.Name == name })
	switch {
	case i >= 0:
		return known[i].workload, true
	case len(known) == 1:
		return known[0].workload, true
	}
	return nil, false
}

// installsNetworkPlugin tells whether pods write into the directories in which
// container runtimes look for network plugins.
func installsNetworkPlugin(template *corev1.PodTemplateSpec) bool {
	if template == nil || !template.Spec.HostNetwork {
		return false
	}
	for i := range template.Spec.Volumes {
		if path := template.Spec.Volumes[i].HostPath; path != nil {
			if p := strings.TrimSuffix(path.Path, "/"); p == "/etc/cni/net.d" || p == "/opt/cni/bin" {
				return true
			}
		}
	}
	return false
}
