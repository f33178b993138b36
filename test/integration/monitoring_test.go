package integration

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/test/controlplane"
	"github.com/extant-project/extant/test/monitoring"
)

// wellServed waits until Extant serves every metric that the sources declare,
// and returns those with what else is served.
func wellServed(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	declared, err := monitoring.Declared("../..")
	if err != nil {
		t.Fatal(err)
	}
	aggregator := clientCertificate(t, env.plane.FrontProxyCA, controlplane.FrontProxyName)
	var served map[string]*dto.MetricFamily
	eventually(t, time.Minute, func(ctx context.Context) string {
		code, body, err := env.extant.get(ctx, "/metrics", masters, aggregator...)
		if err != nil || code != http.StatusOK {
			return fmt.Sprintf("%d %v", code, err)
		}
		if served, err = monitoring.Parse(strings.NewReader(body)); err != nil {
			return err.Error()
		}
		missing := slices.DeleteFunc(slices.Clone(declared), func(name string) bool {
			_, elsewhere := monitoring.OnlyStandalone[name]
			return elsewhere || served[name] != nil
		})
		if len(missing) > 0 {
			return fmt.Sprintf("%v are not served", missing)
		}
		return ""
	})
	return served
}

// answerAndProbe makes Extant answer a review of each kind, refuse one, and
// probe a webhook.
func answerAndProbe(t *testing.T) {
	t.Helper()
	const name = "watched"
	probingLoopback(t)
	webhook := newProbedWebhook(t)
	certificate := webhook.certificate(time.Now().Add(time.Hour))
	webhook.start(certificate)
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	configurations := kubeClient(t).AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if _, err := configurations.Create(t.Context(), probedConfiguration(name, "https://"+webhook.address+"/validate", bundle), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = configurations.Delete(context.Background(), name, metav1.DeleteOptions{}) })
	api := extantClient(t)
	if _, err := api.RequestReviews().Create(t.Context(), &v1alpha1.RequestReview{Spec: v1alpha1.RequestReviewSpec{Request: v1alpha1.ReviewedRequest{
		Operation: "GET", Version: "v1", Resource: "pods", Namespace: "default", Name: "web",
	}}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.OutageReviews().Create(t.Context(), &v1alpha1.OutageReview{
		Spec: v1alpha1.OutageReviewSpec{Down: v1alpha1.Outage{Namespaces: []string{"kube-system"}}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.OutageReviews().Create(t.Context(), &v1alpha1.OutageReview{}, metav1.CreateOptions{}); !apierrors.IsInvalid(err) {
		t.Fatal(err)
	}
}

// expressionsOf are those of what is in artifacts/monitoring.
func expressionsOf(t *testing.T) []monitoring.Expression {
	t.Helper()
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(artifacts, "monitoring", name))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	// As docs/monitoring.md says.
	_, spec, found := strings.Cut(string(read("prometheusrule.yaml")), "\nspec:\n")
	if !found {
		t.Fatal("the rules have no spec")
	}
	alerts, err := monitoring.Rules([]byte(strings.ReplaceAll("\n"+spec, "\n  ", "\n")))
	if err != nil {
		t.Fatal(err)
	}
	panels, err := monitoring.Dashboard(read("dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(alerts) < 10 || len(panels) < 20 {
		t.Errorf("there are %d alerts and %d expressions in panels", len(alerts), len(panels))
	}
	all := slices.Concat(alerts, panels)
	if err := monitoring.ParseExpressions("../..", all); err != nil {
		t.Fatal(err)
	}
	return all
}

// ofPrometheus are the labels that a scrape adds.
var ofPrometheus = []string{"job", "instance", "namespace", "pod", "le"}

// TestAlertsAndPanelsReadWhatIsServed compares the rules and the dashboard with
// the metrics of a server that has seen everything, and of kube-apiserver.
func TestAlertsAndPanelsReadWhatIsServed(t *testing.T) {
	expressions := expressionsOf(t)
	answerAndProbe(t)
	served := wellServed(t)
	ofAPIServer, err := monitoring.Parse(strings.NewReader(kubectl(t, "", "get", "--raw", "/metrics")))
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]bool{}
	for _, expression := range expressions {
		for _, selector := range expression.Selects {
			name := selector.Metric
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				if base, ok := strings.CutSuffix(name, suffix); ok && served[base] != nil {
					name = base
				}
			}
			family := served[name]
			if strings.HasPrefix(name, "aggregator_") {
				family = ofAPIServer[name]
			}
			if family == nil {
				t.Errorf("%s: nobody serves %s", expression.Where, selector.Metric)
				continue
			}
			read[name] = true
			for _, label := range selector.Labels {
				if !slices.Contains(ofPrometheus, label) && !hasLabel(family, label) {
					t.Errorf("%s: %s has no label %s", expression.Where, name, label)
				}
			}
		}
	}
	for name := range served {
		if strings.HasPrefix(name, "extant_") && !read[name] {
			t.Errorf("%s is served, and nobody looks at it", name)
		}
	}
}

func hasLabel(family *dto.MetricFamily, name string) bool {
	return slices.ContainsFunc(family.GetMetric(), func(metric *dto.Metric) bool {
		return slices.ContainsFunc(metric.GetLabel(), func(label *dto.LabelPair) bool { return label.GetName() == name })
	})
}
