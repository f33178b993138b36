package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/extant-project/extant/internal/cluster"
)

const file = "../../artifacts/base/observer.yaml"

func TestTheManifestIsWhatTheTableSays(t *testing.T) {
	committed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(manifest(cluster.Resources)), string(committed)); diff != "" {
		t.Errorf("%s is stale: run make generate and commit what it writes (-want +got):\n%s", file, diff)
	}
}

func TestTheRoleReadsTheTableAndNothingElse(t *testing.T) {
	var role rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict(manifest(cluster.Resources), &role); err != nil {
		t.Fatal(err)
	}
	type right struct{ group, resource, verb string }
	got, want := map[right]bool{}, map[right]bool{}
	for _, rule := range role.Rules {
		if len(rule.NonResourceURLs)+len(rule.ResourceNames) > 0 {
			t.Errorf("unexpected rule %v", rule)
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					got[right{group, resource, verb}] = true
				}
			}
		}
	}
	for _, resource := range cluster.Resources {
		for _, verb := range []string{"list", "watch"} {
			want[right{resource.Group, resource.Resource, verb}] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rights (-want +got):\n%s", diff)
	}
}
