package scenario

import (
	"math/rand/v2"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
)

// Rebuild makes a snapshot anew, with the objects put in another order, and
// one resource, if it is named, forbidden.
func Rebuild(snapshot *cluster.Snapshot, seed uint64, forbidden schema.GroupResource) *cluster.Snapshot {
	return rebuild(snapshot, snapshot.Origin, snapshot.Gaps(), seed, forbidden)
}

// Live makes of a dump's snapshot that of a live cluster, which lacks nothing
// but what may not be seen.
func Live(snapshot *cluster.Snapshot) *cluster.Snapshot {
	gaps := slices.DeleteFunc(slices.Clone(snapshot.Gaps()), func(gap cluster.Gap) bool { return !gap.Reason.Decides() })
	return rebuild(snapshot, "live", gaps, 0, schema.GroupResource{})
}

func rebuild(snapshot *cluster.Snapshot, origin string, seen []cluster.Gap, seed uint64, forbidden schema.GroupResource) *cluster.Snapshot {
	b := cluster.NewBuilder(origin)
	random := rand.New(rand.NewPCG(seed, seed))
	gaps := map[string][]cluster.Gap{}
	for _, gap := range seen {
		gaps[gap.Resource] = append(gaps[gap.Resource], gap)
	}
	for _, i := range random.Perm(len(cluster.Resources)) {
		resource := cluster.Resources[i].GroupResource()
		if resource == forbidden {
			gaps[resource.String()] = []cluster.Gap{{Resource: resource.String(), Reason: cluster.GapForbidden, Message: "may not list"}}
			continue
		}
		all := slices.Collect(snapshot.Objects(resource).All())
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, object := range all {
			b.Put(resource, object)
		}
	}
	for resource, of := range gaps {
		b.SetGaps(resource, of...)
	}
	b.SetVersion(snapshot.GitVersion)
	b.SetDiscovery(snapshot.Discovery)
	return b.Snapshot()
}
