package dump

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
)

const aggregated = `
apiVersion: apidiscovery.k8s.io/v2
kind: APIGroupDiscoveryList
items:
- metadata: {name: example.com}
  versions:
  - version: v2
    resources:
    - resource: widgets
      scope: Namespaced
      verbs: [get, list]
      responseKind: {kind: Widget}
      subresources:
      - {subresource: scale, verbs: [get], responseKind: {group: autoscaling, version: v1, kind: Scale}}
  - version: v3
    resources:
    - {resource: widgets, scope: Namespaced, verbs: [get], responseKind: {group: example.com, version: v3, kind: Widget}}
`

const everyGroup = `
---
kind: APIGroupList
apiVersion: v1
groups:
- name: apps
  versions: [{groupVersion: apps/v1, version: v1}]
  preferredVersion: {groupVersion: apps/v1, version: v1}
- name: autoscaling
  versions: [{groupVersion: autoscaling/v2, version: v2}, {groupVersion: autoscaling/v1, version: v1}]
  preferredVersion: {groupVersion: autoscaling/v1, version: v1}
`

const definition = `
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.org}
spec:
  group: example.org
  names: {plural: gadgets, kind: Gadget}
  scope: Cluster
  versions:
  - {name: v1beta1, served: true}
  - {name: v1alpha1, served: false}
  - {name: v1, served: true, storage: true, subresources: {status: {}, scale: {}}}
`

func served(s *cluster.Snapshot, resource string) []string {
	var found []string
	at := schema.ParseGroupResource(resource)
	for _, r := range s.Discovery.All() {
		if r.Group == at.Group && r.Resource == at.Resource {
			found = append(found, strings.TrimSuffix(r.Version+"/"+r.Subresource, "/")+" "+r.Kind.String())
		}
	}
	return found
}

func TestDiscovery(t *testing.T) {
	for _, test := range []struct {
		name, dump, resource string
		want                 []string
	}{
		{"without documents a plain API server is assumed", `{gitVersion: v1.24.1}`, "podsecuritypolicies.policy", []string{"v1beta1 policy/v1beta1, Kind=PodSecurityPolicy"}},
		{"documents name the order of preference", aggregated, "widgets.example.com",
			[]string{"v2 example.com/v2, Kind=Widget", "v2/scale autoscaling/v1, Kind=Scale", "v3 example.com/v3, Kind=Widget"}},
		{"documents of some groups are an addition", aggregated, "leases.coordination.k8s.io", []string{"v1 coordination.k8s.io/v1, Kind=Lease"}},
		{"documents of all groups leave nothing else", everyGroup, "leases.coordination.k8s.io", nil},
		{"but the core group, which is listed elsewhere", everyGroup, "configmaps", []string{"v1 /v1, Kind=ConfigMap"}},
		{"a group's resources are assumed where it is only named", everyGroup, "controllerrevisions.apps", []string{"v1 apps/v1, Kind=ControllerRevision"}},
		{"in the order of preference that it says", everyGroup, "horizontalpodautoscalers.autoscaling", []string{
			"v1 autoscaling/v1, Kind=HorizontalPodAutoscaler", "v1/status autoscaling/v1, Kind=HorizontalPodAutoscaler",
			"v2 autoscaling/v2, Kind=HorizontalPodAutoscaler", "v2/status autoscaling/v2, Kind=HorizontalPodAutoscaler"}},
		{"a resource list replaces its version alone", `
{kind: APIResourceList, apiVersion: v1, groupVersion: policy/v1, resources: [
  {name: poddisruptionbudgets, namespaced: true, kind: PodDisruptionBudget, verbs: [get]},
  {name: poddisruptionbudgets/evict, namespaced: true, kind: Eviction, group: policy, version: v2, verbs: [create]}]}
`, "poddisruptionbudgets.policy", []string{"v1 policy/v1, Kind=PodDisruptionBudget", "v1/evict policy/v2, Kind=Eviction"}},
		{"definitions are served", definition, "gadgets.example.org", []string{"v1 example.org/v1, Kind=Gadget", "v1/status example.org/v1, Kind=Gadget",
			"v1/scale autoscaling/v1, Kind=Scale", "v1beta1 example.org/v1beta1, Kind=Gadget"}},
		{"definitions that were not accepted are not", strings.TrimRight(definition, "\n") + `
status: {conditions: [{type: Established, status: "False"}]}
`, "gadgets.example.org", nil},
		{"definitions of a group that the documents do not name are not", everyGroup + definition, "gadgets.example.org", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, served(read(t, test.dump), test.resource)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestItIsSaidThatTheAPIIsAssumed(t *testing.T) {
	services := `{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1beta1.metrics.k8s.io},
spec: {group: metrics.k8s.io, version: v1beta1, service: {namespace: kube-system, name: metrics-server}}}
---
{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.apps}, spec: {group: apps, version: v1}}
`
	want := []cluster.Gap{
		{Resource: "discovery", Reason: cluster.GapAssumed, Message: "the dump does not say which resources are in metrics.k8s.io/v1beta1"},
		{Resource: "discovery", Reason: cluster.GapAssumed, Message: "the dump has no discovery documents: the API is taken to be that of a plain kube-apiserver v1.37.2 with the dump's CustomResourceDefinitions"},
	}
	if diff := cmp.Diff(want, gapsOf(read(t, services), "discovery")); diff != "" {
		t.Error(diff)
	}
	documents := "---\n{kind: APIResourceList, apiVersion: v1, groupVersion: metrics.k8s.io/v1beta1, resources: [{name: nodes, kind: NodeMetrics}]}\n"
	if gaps := gapsOf(read(t, services+documents), "discovery"); gaps != nil {
		t.Errorf("got %v", gaps)
	}
	broken := gapsOf(read(t, "{kind: APIResourceList, apiVersion: v1, resources: []}"), "discovery")
	if !slices.ContainsFunc(broken, func(gap cluster.Gap) bool { return gap.Reason == cluster.GapMalformed }) {
		t.Errorf("got %v", broken)
	}
}

func TestOldWebhooksKeepTheirDefaults(t *testing.T) {
	const dump = `
{apiVersion: admissionregistration.k8s.io/v1beta1, kind: %, metadata: {name: old}, webhooks: [{name: a}, {name: b, failurePolicy: Fail, matchPolicy: Equivalent, timeoutSeconds: 1}]}
`
	s := read(t, strings.Replace(dump, "%", "ValidatingWebhookConfiguration", 1)+"---\n"+strings.Replace(dump, "%", "MutatingWebhookConfiguration", 1))
	validating, _ := s.ValidatingWebhookConfigurations().Get("", "old")
	mutating, _ := s.MutatingWebhookConfigurations().Get("", "old")
	type defaults struct {
		failure admissionregistrationv1.FailurePolicyType
		match   admissionregistrationv1.MatchPolicyType
		timeout int32
	}
	for i, want := range []defaults{{"Ignore", "Exact", 30}, {"Fail", "Equivalent", 1}} {
		v, m := validating.Webhooks[i], mutating.Webhooks[i]
		for _, got := range []defaults{{*v.FailurePolicy, *v.MatchPolicy, *v.TimeoutSeconds}, {*m.FailurePolicy, *m.MatchPolicy, *m.TimeoutSeconds}} {
			if got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	const nodes = `
{apiVersion: v1, kind: Node, metadata: {name: a}, status: {nodeInfo: {kubeletVersion: v1.9.11}}}
---
{apiVersion: v1, kind: Node, metadata: {name: b}, status: {nodeInfo: {kubeletVersion: v1.31.2}}}
---
{apiVersion: v1, kind: Node, metadata: {name: c}, status: {nodeInfo: {kubeletVersion: unknown}}}
`
	for dump, want := range map[string]string{
		"":                                 cluster.NewestVersion,
		nodes:                              "v1.31.2",
		nodes + "---\ngitVersion: v1.32.0": "v1.32.0",
		`{"serverVersion": {"gitVersion": "v1.30.0"}, "clientVersion": {"gitVersion": "v1.36.0"}}`: "v1.30.0",
		"clientVersion: {gitVersion: v1.36.0}":                                                     cluster.NewestVersion,
	} {
		s := read(t, dump)
		if s.GitVersion != want {
			t.Errorf("%q is of version %s, want %s", dump, s.GitVersion, want)
		}
		if assumed := len(gapsOf(s, "version")) > 0; assumed != (want == cluster.NewestVersion) {
			t.Errorf("%q has the gaps %v", dump, gapsOf(s, "version"))
		}
	}
}
