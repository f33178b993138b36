package dump

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
)

func TestTheExampleIsUnderstood(t *testing.T) {
	source, err := FromFS(Example())
	if err != nil {
		t.Fatal(err)
	}
	snapshot := source.Snapshot()
	for _, gap := range snapshot.Gaps() {
		if gap.Reason.Decides() || gap.Resource == "dump" || gap.Resource == "namespaces" {
			t.Errorf("%s: %s: %s", gap.Resource, gap.Reason, gap.Message)
		}
	}
	if snapshot.GitVersion != cluster.NewestVersion || snapshot.Origin != "dump" {
		t.Errorf("got version %s of %s", snapshot.GitVersion, snapshot.Origin)
	}
	if snapshot.Nodes().Len() != 7 || snapshot.Pods().Len() == 0 || snapshot.EndpointSlices().Len() == 0 {
		t.Errorf("got %d nodes, %d pods, %d endpoint slices", snapshot.Nodes().Len(), snapshot.Pods().Len(), snapshot.EndpointSlices().Len())
	}
	for definition := range snapshot.CustomResourceDefinitions().All() {
		if snapshot.Discovery.Versions(schema.GroupResource{Group: definition.Spec.Group, Resource: definition.Spec.Names.Plural}) == nil {
			t.Errorf("the resource of %s is not served", definition.Name)
		}
	}
}
