package truth

import (
	"slices"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
)

var readOutages = sync.OnceValues(Outages)

func outagesOf(t *testing.T) []*Outage {
	t.Helper()
	all, err := readOutages()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryOutageIsRead(t *testing.T) {
	all := outagesOf(t)
	blocked, allowed := 0, 0
	for _, scenario := range all {
		blocked += len(scenario.Truth.Blocked) + len(scenario.Truth.Denied)
		allowed += len(scenario.Truth.Allowed)
	}
	// 41 outages and 17 incidents; of the incidents come 103 requests that
	// their descriptions name.
	if len(all) != 58 || blocked != 413+1+39 || allowed != 4621+64 {
		t.Errorf("%d scenarios have %d requests that were refused, and %d that were allowed", len(all), blocked, allowed)
	}
}

func TestTheSnapshotOfAnOutageHasWhatIsTakenDown(t *testing.T) {
	for _, scenario := range outagesOf(t) {
		snapshot, err := scenario.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		bare, err := scenario.BareSnapshot()
		if err != nil {
			t.Fatal(err)
		}
		for i := range cluster.Resources {
			// Only the recorded objects are the same: those of RBAC are added.
			if resource := cluster.Resources[i].GroupResource(); resource.Group != "rbac.authorization.k8s.io" && snapshot.Objects(resource).Len() != bare.Objects(resource).Len() {
				t.Errorf("%s: there are %d %s, and %d of the bare objects", scenario.Name, snapshot.Objects(resource).Len(), resource, bare.Objects(resource).Len())
			}
		}
		for crd := range snapshot.CustomResourceDefinitions().All() {
			if of := (schema.GroupResource{Group: crd.Spec.Group, Resource: crd.Spec.Names.Plural}); !snapshot.Discovery.Serves(of) {
				t.Errorf("%s: %s is not served", scenario.Name, of)
			}
		}
		for _, gap := range snapshot.Gaps() {
			if gap.Reason.Decides() {
				t.Errorf("%s: %s: %s", scenario.Name, gap.Resource, gap.Message)
			}
		}
		for _, lost := range scenario.Truth.LostWorkloads {
			workload := lost.ObjectReference
			resource := schema.GroupResource{Group: workload.Group, Resource: workload.Resource}
			if _, found := snapshot.Objects(resource).Get(workload.Namespace, workload.Name); !found {
				t.Errorf("%s: %s is missing", scenario.Name, reference(workload))
			}
		}
		for _, name := range scenario.Spec.Down.Namespaces {
			if !scenario.namespaces()[name] {
				t.Errorf("%s: the namespace %s is missing", scenario.Name, name)
			}
		}
	}
}

func TestWhatWasPlayedIsOneOfFourWays(t *testing.T) {
	ways := []Simulated{SimulatedDeleted, SimulatedHang, SimulatedNodeDies, SimulatedReboot}
	for _, scenario := range outagesOf(t) {
		if !slices.Contains(ways, scenario.Simulated) {
			t.Errorf("%s was %q", scenario.Name, scenario.Simulated)
		}
	}
}
