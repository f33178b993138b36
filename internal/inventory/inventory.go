// Package inventory says what extends the observed cluster: it turns a
// snapshot, the extension points and the stored Extensions into the hooks that
// are registered, the extensions that they belong to, the backends that they
// call, and what occupies each point. It decides which objects belong together
// and what can be told of a backend without calling it, and lays over that what
// probes found. It probes nothing, writes nothing and keeps no state: the same input gives the same answer,
// whatever the order of the objects. It stands on internal/cluster and the hub
// types.
package inventory

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// Inventory is what extends a cluster.
type Inventory struct {
	// Hooks is every single interception that is registered, in the order of
	// the mechanisms, then of the registering objects, then as registered.
	Hooks []Hook
	// Extensions is every extension that should be stored, ordered by name:
	// those that were found, and those that stay though nothing of them was
	// found. Each has its name, the label extant.dev/origin, and the parts of
	// the status that discovery writes; conditions have no times.
	Extensions []extant.Extension
	// Gone names the stored Extensions that are to be deleted, in order:
	// nothing of them is left, no gap can hide it, and nobody wrote into them.
	Gone []string
	// Backends is every backend that a hook calls, ordered by name, with its
	// spec and what the snapshot tells of its status; see Probed.
	Backends []extant.Backend
	// Needs is what the stored Extensions say that their workloads need.
	Needs []extant.Need
	// Points is the status of each given point, by name.
	Points map[string]extant.ExtensionPointStatus
	// Probes is how each backend is probed, by name.
	Probes map[string]extant.Probe

	// readiness is what the objects of each extension that was found say of
	// whether it works, by name.
	readiness map[string]readiness
}

// Take takes the inventory of a snapshot. Points are those of the catalogue
// and of users; extensions are the stored ones. Neither is changed, nor is the
// snapshot; the Inventory shares memory with all three.
func Take(snapshot *cluster.Snapshot, points []*extant.ExtensionPoint, extensions []*extant.Extension) *Inventory {
	t := newTaker(snapshot, points, extensions)
	t.register()
	t.connect()
	t.name()
	t.join()
	backends := t.backendStatuses()
	inventory := &Inventory{Hooks: t.hooks, Backends: backends, readiness: t.readinessOfAll()}
	inventory.Extensions, inventory.Gone = t.extensionStatuses(backends, inventory.readiness)
	inventory.Probes = t.probes()
	inventory.Points = t.pointStatuses()
	for _, extension := range extensions {
		inventory.Needs = append(inventory.Needs, extension.Spec.Needs...)
	}
	return inventory
}

// Reads returns the resources whose change can change the inventory, for
// Snapshot.Revision. Pods are left out on purpose: an inventory reads them only
// through endpoint slices, which change with them, and in dumps, which never
// change.
func Reads(points []*extant.ExtensionPoint) []schema.GroupResource {
	var reads []schema.GroupResource
	add := func(resources ...schema.GroupResource) {
		for _, resource := range resources {
			if !slices.Contains(reads, resource) {
				reads = append(reads, resource)
			}
		}
	}
	for i := range mechanisms {
		add(mechanisms[i].reads...)
	}
	add(joiners...)
	add(services, endpointSlices, nodes)
	for _, point := range points {
		for _, registration := range point.Spec.RegisteredBy {
			if registration.Resource != "" {
				add(schema.GroupResource{Group: registration.Group, Resource: registration.Resource})
			}
		}
	}
	return reads
}
