package truth

import (
	"bytes"
	"testing"
	"testing/fstest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
)

func TestTheArchiveHasWhatWasRecorded(t *testing.T) {
	var archive bytes.Buffer
	err := Write(&archive, fstest.MapFS{
		"cluster.json": {Data: []byte(`{"kubernetesVersion": "v1.37.2", "discovery": {"api": {}, "apis": {}}, "objects": [{"kind": "ClusterRole"}]}`)},
		"one.json":     {Data: []byte(`{"name": "one", "objects": [{"b": 1, "a": 1e3}, {"c": "<"}], "cases": [{"id": "c01", "truth": {"allAvailable": {"verdict": "Denied"}}}]}`)},
		"two.json":     {Data: []byte(`{"name": "two", "objects": [{"c": "<"}, {"a": 1e3, "b": 1}], "cases": []}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	scenarios, err := read(&archive)
	if err != nil {
		t.Fatal(err)
	}
	if len(scenarios) != 2 || scenarios[0].Name != "one" || scenarios[1].Name != "two" {
		t.Fatalf("got %v", scenarios)
	}
	one, two := scenarios[0], scenarios[1]
	if len(one.Objects) != 2 || string(one.Objects[0]) != `{"a":1e3,"b":1}` || string(one.Objects[1]) != `{"c":"<"}` {
		t.Errorf("the objects of one are %s", one.Objects)
	}
	if len(two.Objects) != 2 || &two.Objects[1][0] != &one.Objects[0][0] {
		t.Error("equal objects are not held once")
	}
	if len(one.Cases) != 1 || one.Cases[0].Truth.AllAvailable.Verdict != "Denied" || one.Cases[0].Truth.SomeDown != nil {
		t.Errorf("the cases of one are %v", one.Cases)
	}
}

func TestAFieldThatNobodyReadsIsAnError(t *testing.T) {
	var archive bytes.Buffer
	err := Write(&archive, fstest.MapFS{
		"cluster.json": {Data: []byte(`{}`)},
		"one.json":     {Data: []byte(`{"objects": [], "cases": [{"truth": {"allAvailable": {"novelty": true}}}]}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := read(&archive); err == nil {
		t.Error("it was read")
	}
}

func TestASnapshotHasEveryObservedObjectOfItsScenario(t *testing.T) {
	scenarios, err := Requests()
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for _, scenario := range scenarios {
		cases += len(scenario.Cases)
	}
	if len(scenarios) != 160 || cases != 2356 {
		t.Errorf("%d scenarios have %d cases", len(scenarios), cases)
	}
	scenario := scenarios[0]
	snapshot, err := scenario.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for _, gap := range snapshot.Gaps() {
		if gap.Reason.Decides() {
			t.Errorf("%s: %s", gap.Resource, gap.Message)
		}
	}
	if snapshot.GitVersion != "v1.37.2" {
		t.Errorf("the version is %s", snapshot.GitVersion)
	}
	for _, text := range scenario.Objects {
		var object unstructured.Unstructured
		if err := object.UnmarshalJSON(text); err != nil {
			t.Fatal(err)
		}
		resource, known := snapshot.Discovery.ResourceOf(object.GroupVersionKind().GroupKind())
		if !known {
			t.Fatalf("%s is not served", object.GroupVersionKind())
		}
		of := schema.GroupResource{Group: resource.Group, Resource: resource.Resource}
		if _, observed := cluster.Lookup(of); !observed {
			continue
		}
		if _, found := snapshot.Objects(of).Get(object.GetNamespace(), object.GetName()); !found {
			t.Errorf("%s %s/%s is missing", of, object.GetNamespace(), object.GetName())
		}
	}
}

// BenchmarkSnapshots is what a test of all scenarios spends before it starts.
func BenchmarkSnapshots(b *testing.B) {
	for b.Loop() {
		scenarios, err := Requests()
		if err != nil {
			b.Fatal(err)
		}
		for _, scenario := range scenarios {
			if _, err := scenario.Snapshot(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
