package synthetic

import (
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestTheSameSizeYieldsTheSameObjects(t *testing.T) {
	for _, resource := range Resources() {
		next, stop := iter.Pull(Small.Objects(resource))
		defer stop()
		names := map[string]bool{}
		for object := range Small.Objects(resource) {
			again, _ := next()
			m, err := meta.Accessor(object)
			if err != nil {
				t.Fatal(err)
			}
			key := m.GetNamespace() + "/" + m.GetName()
			if names[key] {
				t.Errorf("%s %s is there twice", resource, key)
			}
			names[key] = true
			if diff := cmp.Diff(object, again); diff != "" {
				t.Fatalf("%s differs from one time to the next:\n%s", resource, diff)
			}
		}
		if len(names) == 0 {
			t.Errorf("no %s", resource)
		}
	}
}

func TestLargeIsAsLargeAsItSays(t *testing.T) {
	for resource, want := range map[schema.GroupResource]int{
		{Resource: "nodes"}: 5_000, {Resource: "pods"}: 150_000, {Resource: "namespaces"}: 10_000, {Resource: "services"}: 15_000,
		{Resource: "persistentvolumes"}: 20_000, {Group: "batch", Resource: "jobs"}: 20_000,
		{Group: "apps", Resource: "deployments"}: 20_000, {Group: "apps", Resource: "replicasets"}: 30_000,
	} {
		if testing.Short() && want > 50_000 {
			continue
		}
		got := 0
		for range Large.Objects(resource) {
			got++
		}
		if got != want {
			t.Errorf("%s: got %d, want %d", resource, got, want)
		}
	}
}
