package inventory_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/internal/inventory"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// example is what Extant says of the bundled example cluster: the name, whether
// it is available, what its loss does, and its backends. The table in the
// README of the example tells the story.
const example = `
ceph-csi-rbd True None
cert-manager Unknown Blocks cert-manager-webhook.cert-manager.443=Unknown
cilium True None
cloudnative-pg Unknown Blocks cnpg-controller-manager-service.cnpg-system.443=Unknown
cost-tagger-server Unknown Skips cost-tagger.finops.443=Unknown
custom-metrics False Blocks custom-metrics-apiserver.monitoring.443=False
example-platform Unknown Blocks platform-webhook.platform-system.9443=Unknown
external-dns True None
gatekeeper False Blocks gatekeeper-webhook-service.gatekeeper-system.443=False
gateway.networking.k8s.io Unknown None
image-scan-gateway Unknown Skips imagescan.security.example.com.8443=Unknown
ingress-nginx Unknown Blocks ingress-nginx-controller-admission.ingress-nginx.443=Unknown
istio Unknown Blocks istiod.istio-system.443=Unknown
metrics-server True Blocks metrics-server.kube-system.443=True
nvidia-gpu True None
polaris False Blocks polaris-webhook.polaris.443=False
vertical-pod-autoscaler Unknown Skips vpa-webhook.kube-system.443=Unknown
`

func TestTheExampleClusterTellsItsStory(t *testing.T) {
	source, err := dump.FromFS(dump.Example())
	if err != nil {
		t.Fatal(err)
	}
	found := inventory.Take(source.Snapshot(), catalogue.Points(), nil)
	available := map[string]string{}
	for _, backend := range found.Backends {
		available[backend.Name] = string(backend.Status.Available)
	}
	var got strings.Builder
	for _, extension := range found.Extensions {
		condition := meta.FindStatusCondition(extension.Status.Conditions, extant.ConditionAvailable)
		if condition == nil {
			t.Fatalf("%s has no condition %s", extension.Name, extant.ConditionAvailable)
		}
		fmt.Fprintf(&got, "\n%s %s %s", extension.Name, condition.Status, extension.Status.FailureMode)
		for _, name := range extension.Status.Backends {
			fmt.Fprintf(&got, " %s=%s", name, available[name])
		}
	}
	if diff := cmp.Diff(strings.TrimSpace(example), strings.TrimSpace(got.String())); diff != "" {
		t.Errorf("the example cluster (-wanted +found):\n%s", diff)
	}
}

func TestTheExampleClusterOccupiesEveryPattern(t *testing.T) {
	source, err := dump.FromFS(dump.Example())
	if err != nil {
		t.Fatal(err)
	}
	found := inventory.Take(source.Snapshot(), catalogue.Points(), nil)
	occupied := map[extant.Pattern]bool{}
	for _, point := range catalogue.Points() {
		if found.Points[point.Name].Hooks > 0 {
			occupied[point.Spec.Pattern] = true
		}
	}
	// Configuration shows in flags and files only, which no API object has.
	for _, pattern := range []extant.Pattern{extant.PatternPolicyAPI, extant.PatternAPI, extant.PatternController, extant.PatternWebhook, extant.PatternBinaryPlugin} {
		if !occupied[pattern] {
			t.Errorf("nothing occupies a point of pattern %s", pattern)
		}
	}
}
