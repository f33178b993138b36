package validation

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// loseGatekeeper is a review without mistakes.
func loseGatekeeper() *extant.OutageReview {
	workload := extant.ObjectReference{Group: "apps", Resource: "daemonsets", Namespace: "kube-system", Name: "istio-cni"}
	return &extant.OutageReview{Spec: extant.OutageReviewSpec{
		Down: extant.Outage{Namespaces: []string{"gatekeeper-system"}, Mode: extant.ModePodsLost},
		Assume: extant.OutageAssumptions{
			Provides: []extant.Provision{
				{Extension: "cilium", Capability: "PodNetwork"},
				{Workload: &workload, Capability: "Storage/ebs.csi.aws.com"},
			},
			Needs: []extant.Need{{Workload: workload, Operations: []extant.Operation{
				{Operation: "LIST", Group: "example.com", Version: "v1", Resource: "widgets", Subresource: "status", Namespace: "shop"},
			}}},
			WatchCache:     extant.WatchCacheWarm,
			StartupSeconds: new(int32(0)),
		},
		Detail: extant.DetailSummary,
	}}
}

func TestOutageReview(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*extant.OutageReviewSpec)
		want   []string
	}{
		{"a namespace is lost", func(*extant.OutageReviewSpec) {}, nil},
		{"everything is lost", func(s *extant.OutageReviewSpec) { s.Down = extant.Outage{Everything: true, Mode: extant.ModeRestarted} }, nil},
		{"an object is gone for good", func(s *extant.OutageReviewSpec) {
			s.Down = extant.Outage{Mode: extant.ModePodsLost, Deleted: []extant.ObjectReference{{Group: "rbac.authorization.k8s.io", Resource: "clusterroles", Name: "system:Node"}}}
		}, nil},
		{"nothing is said", func(s *extant.OutageReviewSpec) { *s = extant.OutageReviewSpec{} }, []string{
			"spec.down.mode: Required value: one of PodsLost, NodesDown, Restarted, Unreachable",
			"spec.down: Required value: what is lost: backends, services, namespaces, nodes, extensions, deleted or everything",
			"spec.detail: Required value: one of Summary, Full",
		}},
		{"nothing is lost", func(s *extant.OutageReviewSpec) { s.Down = extant.Outage{Mode: extant.ModeNodesDown} }, []string{
			"spec.down: Required value: what is lost: backends, services, namespaces, nodes, extensions, deleted or everything",
		}},
		{"words that no enumeration has", func(s *extant.OutageReviewSpec) {
			s.Down.Mode, s.Detail, s.Assume.WatchCache = "Gone", "Half", "Tepid"
		}, []string{
			`spec.down.mode: Unsupported value: "Gone": supported values: "PodsLost", "NodesDown", "Restarted", "Unreachable"`,
			`spec.assume.watchCache: Unsupported value: "Tepid": supported values: "Warm", "Cold"`,
			`spec.detail: Unsupported value: "Half": supported values: "Summary", "Full"`,
		}},
		{"everything, and it does not answer", func(s *extant.OutageReviewSpec) { s.Down.Everything, s.Down.Mode = true, extant.ModeUnreachable }, []string{
			"spec.down.everything: Forbidden: must be false with mode Unreachable: when nothing answers, the API server doesn't either",
		}},
		{"names that are missing", func(s *extant.OutageReviewSpec) {
			s.Down.Backends, s.Down.Services, s.Down.Namespaces = []string{""}, make([]extant.ServiceName, 1), []string{""}
			s.Down.Nodes, s.Down.Extensions, s.Down.Deleted = []string{""}, []string{""}, make([]extant.ObjectReference, 1)
		}, []string{
			"spec.down.backends[0]: Required value: the name of an object",
			"spec.down.services[0].namespace: Required value: the name of a namespace",
			"spec.down.services[0].name: Required value: the name of an object",
			"spec.down.namespaces[0]: Required value: the name of a namespace",
			"spec.down.nodes[0]: Required value: the name of an object",
			"spec.down.extensions[0]: Required value: the name of an object",
			"spec.down.deleted[0].resource: Required value: the plural, lower-case name of a resource",
			"spec.down.deleted[0].name: Required value: the name of an object",
		}},
		{"names that no name is", func(s *extant.OutageReviewSpec) {
			s.Down.Backends, s.Down.Services = []string{"a.b.443", "A B"}, []extant.ServiceName{{Namespace: "a.b", Name: "-"}}
			s.Down.Namespaces, s.Down.Nodes, s.Down.Extensions = []string{"a", "UP"}, []string{"node_1"}, []string{"x/y"}
			s.Down.Deleted = []extant.ObjectReference{{Group: "-", Resource: "pods/log", Namespace: "UP", Name: "x/y"}}
		}, []string{
			`spec.down.backends[1]: Invalid value: "A B": `,
			`spec.down.services[0].namespace: Invalid value: "a.b": `,
			`spec.down.services[0].name: Invalid value: "-": `,
			`spec.down.namespaces[1]: Invalid value: "UP": `,
			`spec.down.nodes[0]: Invalid value: "node_1": `,
			`spec.down.extensions[0]: Invalid value: "x/y": `,
			`spec.down.deleted[0].group: Invalid value: "-": `,
			`spec.down.deleted[0].resource: Invalid value: "pods/log": `,
			`spec.down.deleted[0].namespace: Invalid value: "UP": `,
			`spec.down.deleted[0].name: Invalid value: "x/y": may not contain '/'`,
		}},
		{"more than there may be", func(s *extant.OutageReviewSpec) {
			s.Down = extant.Outage{
				Mode: extant.ModePodsLost, Backends: make([]string, maxLost+1), Services: make([]extant.ServiceName, maxLost+1), Namespaces: make([]string, maxLost+1),
				Nodes: make([]string, maxLost+1), Extensions: make([]string, maxLost+1), Deleted: make([]extant.ObjectReference, maxLost+1),
			}
			s.Assume.Provides, s.Assume.Needs = make([]extant.Provision, maxItems+1), make([]extant.Need, maxItems+1)
		}, []string{
			"spec.down.backends: Too many: 1025: must have at most 1024 items",
			"spec.down.services: Too many: 1025: must have at most 1024 items",
			"spec.down.namespaces: Too many: 1025: must have at most 1024 items",
			"spec.down.nodes: Too many: 1025: must have at most 1024 items",
			"spec.down.extensions: Too many: 1025: must have at most 1024 items",
			"spec.down.deleted: Too many: 1025: must have at most 1024 items",
			"spec.assume.provides: Too many: 65: must have at most 64 items",
			"spec.assume.needs: Too many: 65: must have at most 64 items",
		}},
		{"a capability that nobody provides", func(s *extant.OutageReviewSpec) { s.Assume.Provides = []extant.Provision{{Capability: "ClusterDNS"}} }, []string{
			"spec.assume.provides[0]: Required value: extension or workload: who provides the capability",
		}},
		{"a capability that two provide", func(s *extant.OutageReviewSpec) { s.Assume.Provides[1].Extension = "ebs" }, []string{
			"spec.assume.provides[1].workload: Forbidden: must be absent with extension: only one provides the capability",
		}},
		{"an extension and a workload that no names are", func(s *extant.OutageReviewSpec) {
			s.Assume.Provides[0].Extension, s.Assume.Provides[1].Workload = "A B", &extant.ObjectReference{Resource: "pods"}
		}, []string{
			`spec.assume.provides[0].extension: Invalid value: "A B": `,
			"spec.assume.provides[1].workload.name: Required value: the name of an object",
		}},
		{"capabilities that are not known", func(s *extant.OutageReviewSpec) {
			s.Assume.Provides[0].Capability, s.Assume.Provides[1].Capability = "", "Storage/"
		}, []string{
			"spec.assume.provides[0].capability: Required value: one of PodNetwork, ServiceNetwork, ClusterDNS, Scheduling, Storage/<driver>, Runtime/<handler>",
			`spec.assume.provides[1].capability: Unsupported value: "Storage/": supported values: "PodNetwork", "ServiceNetwork", "ClusterDNS", "Scheduling", "Storage/<driver>", "Runtime/<handler>"`,
		}},
		{"a workload that needs nothing", func(s *extant.OutageReviewSpec) { s.Assume.Needs[0].Operations = nil }, []string{
			"spec.assume.needs[0]: Required value: backends or operations",
		}},
		{"needs that are no requests", func(s *extant.OutageReviewSpec) {
			s.Assume.Needs[0] = extant.Need{Backends: []string{"A B"}, Operations: []extant.Operation{
				{Operation: "PATCH", Group: "-", Version: "a/b", Resource: "*", Subresource: "x/%", Namespace: "UP"},
			}}
		}, []string{
			"spec.assume.needs[0].workload.resource: Required value: the plural, lower-case name of a resource",
			"spec.assume.needs[0].workload.name: Required value: the name of an object",
			`spec.assume.needs[0].backends[0]: Invalid value: "A B": `,
			`spec.assume.needs[0].operations[0].operation: Unsupported value: "PATCH": `,
			`spec.assume.needs[0].operations[0].group: Invalid value: "-": `,
			`spec.assume.needs[0].operations[0].version: Invalid value: "a/b": may not contain '/'`,
			`spec.assume.needs[0].operations[0].resource: Invalid value: "*": `,
			`spec.assume.needs[0].operations[0].subresource: Invalid value: "%": may not contain '%'`,
			`spec.assume.needs[0].operations[0].namespace: Invalid value: "UP": `,
		}},
		{"a start that takes less than nothing", func(s *extant.OutageReviewSpec) { s.Assume.StartupSeconds = new(int32(-1)) }, []string{
			"spec.assume.startupSeconds: Invalid value: -1: must be 0 or more",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			review := loseGatekeeper()
			test.change(&review.Spec)
			if diff := cmp.Diff(test.want, messages(ValidateOutageReview(review)), cmp.Comparer(hasPrefix)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
