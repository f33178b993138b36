package outage

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// sameProviders tells whether the same workloads provide the same in two
// observations of a cluster, of which these resources differ. Who provides what
// follows from what extensions say and from which workloads there are.
func sameProviders(before, after *requestpath.Observed, differ map[schema.GroupResource]bool) bool {
	said, pods := capabilitiesOf(before)
	still, now := capabilitiesOf(after)
	if !slices.Equal(said, still) {
		return false
	}
	pods = pods || now
	for resource := range kindNames {
		if differ[resource] && (resource != podResource || pods) {
			return slices.Equal(providersOf(before), providersOf(after))
		}
	}
	return true
}

// capabilitiesOf lists what extensions say that they provide, and by what;
// whether pods without a controller are among that.
func capabilitiesOf(observed *requestpath.Observed) (said []string, pods bool) {
	for i := range observed.Inventory.Extensions {
		extension := &observed.Inventory.Extensions[i]
		if len(extension.Status.Provides) == 0 {
			continue
		}
		said = append(append(said, extension.Name), extension.Status.Provides...)
		for _, c := range extension.Status.Components {
			said = append(said, c.Group, c.Resource, c.Namespace, c.Name)
			pods = pods || c.Group == "" && c.Resource == podResource.Resource
		}
	}
	return said, pods
}

// providersOf lists which workloads provide what, as analyses find it.
func providersOf(observed *requestpath.Observed) []string {
	a := &analysis{observed: *observed, spec: &extant.OutageReviewSpec{}}
	a.workloads = newWorkloads(observed.Snapshot)
	a.findProviders()
	var all []string
	for _, capability := range slices.Sorted(maps.Keys(a.providers.byCapability)) {
		for _, p := range a.providers.byCapability[capability] {
			sure := ""
			if p.sure {
				sure = "sure"
			}
			all = append(all, strings.Join([]string{capability, p.workload.String(), p.workload.Group, sure, accountOf(p.workload)}, " "))
		}
	}
	return all
}
