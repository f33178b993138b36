package cluster

import (
	_ "embed"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

//go:embed testdata/discovery.txt
var recordedDiscovery string

func TestBuiltinDiscoveryOfTheNewestVersionIsWhatItsAPIServerServed(t *testing.T) {
	var recorded []APIResource
	for line := range strings.Lines(recordedDiscovery) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		r, err := parseServed(strings.Fields(line))
		if err != nil {
			t.Fatal(err)
		}
		recorded = append(recorded, r)
	}
	if len(recorded) < 100 {
		t.Fatalf("only %d resources were recorded", len(recorded))
	}
	want := NewDiscovery(recorded)
	for _, version := range []string{"v1.37.2", NewestVersion, "v1.99.0", "", "not a version"} {
		if diff := cmp.Diff(want.All(), BuiltinDiscovery(version).All()); diff != "" {
			t.Errorf("version %q (-recorded +built in):\n%s", version, diff)
		}
	}
}

func TestBuiltinDiscoveryFollowsTheHistoryOfKubernetes(t *testing.T) {
	for _, test := range []struct {
		version, resource string
		want              []string
	}{
		{"v1.20.0", "ingresses.extensions", []string{"v1beta1"}},
		{"v1.22.0", "ingresses.extensions", nil},
		{"v1.21.0", "customresourcedefinitions.apiextensions.k8s.io", []string{"v1", "v1beta1"}},
		{"v1.22.0", "customresourcedefinitions.apiextensions.k8s.io", []string{"v1"}},
		{"v1.24.0", "podsecuritypolicies.policy", []string{"v1beta1"}},
		{"v1.25.0", "podsecuritypolicies.policy", nil},
		{"v1.24.17", "cronjobs.batch", []string{"v1", "v1beta1"}},
		{"v1.25.0", "cronjobs.batch", []string{"v1"}},
		{"v1.25.0", "horizontalpodautoscalers.autoscaling", []string{"v2", "v1", "v2beta2"}},
		{"v1.28.3", "flowschemas.flowcontrol.apiserver.k8s.io", []string{"v1beta3", "v1beta2"}},
		{"v1.29.0", "flowschemas.flowcontrol.apiserver.k8s.io", []string{"v1", "v1beta3"}},
		// Betas since 1.24 are off by default.
		{"v1.29.0", "validatingadmissionpolicies.admissionregistration.k8s.io", nil},
		{"v1.30.0", "validatingadmissionpolicies.admissionregistration.k8s.io", []string{"v1"}},
		{"v1.30.0-gke.100", "validatingadmissionpolicybindings.admissionregistration.k8s.io", []string{"v1"}},
		{"v1.35.0", "mutatingadmissionpolicies.admissionregistration.k8s.io", nil},
		{"v1.36.0", "mutatingadmissionpolicies.admissionregistration.k8s.io", []string{"v1"}},
		{"v1.33.0", "deviceclasses.resource.k8s.io", nil},
		{"v1.34.0", "deviceclasses.resource.k8s.io", []string{"v1"}},
		{"v1.20.0", "pods", []string{"v1"}},
		{"v1.37.2", "gatewayclasses.gateway.networking.k8s.io", nil},
	} {
		t.Run(test.version+" "+test.resource, func(t *testing.T) {
			var got []string
			for _, v := range BuiltinDiscovery(test.version).Versions(schema.ParseGroupResource(test.resource)) {
				got = append(got, v.Version)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBuiltinDiscoveryKnowsYoungSubresources(t *testing.T) {
	resize := func(version string) bool {
		for _, r := range BuiltinDiscovery(version).All() {
			if r.Resource == "pods" && r.Subresource == "resize" {
				return true
			}
		}
		return false
	}
	if resize("v1.32.0") || !resize("v1.33.0") {
		t.Error("pods/resize is served from 1.33 on")
	}
}

func TestObservedResourcesAreServedByTheNewestVersion(t *testing.T) {
	discovery := BuiltinDiscovery(NewestVersion)
	for _, r := range Resources {
		if r.Group == "gateway.networking.k8s.io" {
			continue
		}
		versions := discovery.Versions(r.GroupResource())
		if len(versions) == 0 {
			t.Errorf("%s is not served", r.GroupResource())
			continue
		}
		got := versions[0]
		want := APIResource{Group: r.Group, Version: r.Version, Resource: r.Resource, Kind: r.GroupVersion().WithKind(r.Kind), Namespaced: r.Namespaced, Verbs: got.Verbs}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-observed +served):\n%s", r.GroupResource(), diff)
		}
	}
}

func TestBuiltinTableRefusesWhatItCannotRead(t *testing.T) {
	for _, line := range []string{"v1 pods Pod", "a/b/c pods Pod namespaced all 0-", "v1 pods Pod namespaced all x-", "v1 pods Pod namespaced all 0-y"} {
		if _, err := parseBuiltin(line); err == nil {
			t.Errorf("%q was read", line)
		}
	}
}
