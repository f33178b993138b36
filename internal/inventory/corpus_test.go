package inventory

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/catalogue"
)

// corpus is install manifests of widely used products, beside the repository.
const corpus = "../../../shared/corpus/manifests"

// products is which extensions each file of the corpus comes out as. A file
// has one product as its authors ship it, without RBAC: which controller writes
// a kind's status is not known yet, so that CRDs that say nothing and that no
// hook or class is named after stand apart from their controllers.
var products = map[string][]string{
	"aws-load-balancer-controller": {"aws-load-balancer-controller"},
	// No hook connects the operator, its own API (operator.tigera.io), the API
	// of the product that it installs, and a policy API that it vendors.
	"calico-tigera-operator": {"policy.networking.k8s.io", "projectcalico.org", "tigera.io"},
	// The CRDs go with the aggregated API of their domain, whose workload names
	// them. The CSI driver says nothing but its name.
	"calico":       {"calico-apiserver", "csi.tigera.io", "policy.networking.k8s.io"},
	"cert-manager": {"cert-manager"},
	// Its agents make the CRDs when they run: nothing in the file registers.
	"cilium": nil,
	// Three providers, each with a controller, hooks and kinds of its own.
	"cluster-api": {"capi-controller-manager", "capi-kubeadm-bootstrap-controller-manager", "capi-kubeadm-control-plane-controller-manager"},
	// A platform's webhooks for four of its products.
	"cozystack-webhooks": {"flux-shard-operator", "kubeovn-webhook", "lineage-controller-webhook", "linstor-scheduler"},
	// The webhook configuration names a Service that Crossplane replaces when
	// it runs; from then on the label part-of of the real one names it.
	"crossplane": {"crossplane.io"},
	// The workloads say nothing that the CSIDriver says.
	"csi-driver-nfs": {"nfs.csi.k8s.io"},
	// No labels: the workload behind the webhook ranks above the domain.
	"gatekeeper":    {"gatekeeper-controller-manager"},
	"hami":          {"hami"},
	"ingress-nginx": {"ingress-nginx"},
	"istio":         {"istio"},
	// Two domains without a hook.
	"kai-scheduler": {"kai.scheduler", "run.ai"},
	// Three domains without a hook.
	"karpenter":       {"autoscaling.x-k8s.io", "k8s.aws", "karpenter.sh"},
	"knative-serving": {"knative-serving"},
	// Its own kinds, and three APIs of other projects that it vendors.
	"kserve-llmisvc": {"inference.networking.k8s.io", "inference.networking.x-k8s.io", "kserve-llmisvc", "llm-d.ai"},
	"kube-ovn":       {"kubeovn.io"},
	"kueue":          {"kueue"},
	// The CRDs are part of kyverno-crds, which nobody else is; their instance
	// brings them to the workloads.
	"kyverno": {"kyverno"},
	// A DaemonSet that installs a plugin on nodes registers nothing.
	"linkerd2-cni": nil,
	"linkerd2-ha":  {"linkerd"},
	"linkerd2":     {"linkerd"},
	// The workload's name, "controller", tells nothing.
	"metallb":              {"metallb.io"},
	"metrics-server-ha":    {"metrics-server"},
	"metrics-server":       {"metrics-server"},
	"multus-cni":           {"cncf.io"},
	"nvidia-device-plugin": nil,
	"piraeus-operator":     {"piraeus-operator"},
	"prometheus-adapter":   {"prometheus-adapter"},
	// The operator's labels are not on its CRDs.
	"prometheus-operator": {"coreos.com"},
	// Its configurations are empty until it runs, and say nothing.
	"rancher-webhook":     nil,
	"slurm-operator":      {"slurm-operator"},
	"snapshot-controller": {"snapshot-controller"},
	"topolvm":             {"topolvm"},
	// The label instance ranks above name.
	"vertical-pod-autoscaler": {"vpa"},
	// Its admission policies say nothing, and belong to nobody.
	"volcano-vap": {"volcano-admission"},
	"volcano":     {"volcano-admission"},
	// It registers its hooks when it runs.
	"yunikorn": nil,
}

func TestProductsComeOutAsExtensions(t *testing.T) {
	files, err := filepath.Glob(corpus + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("the corpus is missing")
		}
		t.Log("the corpus is not here; nothing was tested")
		return
	}
	for _, file := range files {
		product := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(product, func(t *testing.T) {
			want, ok := products[product]
			if !ok {
				t.Fatal("it is not in the table")
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			snapshot := readCluster(t, string(data), nil)
			found := Take(snapshot, catalogue.Points(), nil)
			var got []string
			for i := range found.Extensions {
				got = append(got, found.Extensions[i].Name)
			}
			if !slices.Equal(want, got) {
				t.Errorf("want %v, got %v", want, got)
			}
			again := Take(rebuild(snapshot, nil, 7, schema.GroupResource{}), catalogue.Points(), nil)
			if diff := cmp.Diff(format(found), format(again)); diff != "" {
				t.Errorf("in another order:\n%s", diff)
			}
			checkForbidden(t, snapshot, catalogue.Points(), nil, found)
		})
	}
	if len(files) != len(products) {
		t.Errorf("the table has %d products, the corpus %d", len(products), len(files))
	}
}
