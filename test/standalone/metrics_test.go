package standalone

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-base/metrics/testutil"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/test/monitoring"
)

// scrape reads the metrics of a server, as it serves them and by name.
func scrape(t *testing.T, s *server) (string, map[string]*dto.MetricFamily) {
	t.Helper()
	text, err := s.client.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	families, err := monitoring.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return string(text), families
}

// askEverything asks a review of each kind, and one that is no question.
func askEverything(t *testing.T, s *server) {
	t.Helper()
	api := s.client.ExtantV1alpha1()
	request := &v1alpha1.RequestReview{Spec: v1alpha1.RequestReviewSpec{Request: v1alpha1.ReviewedRequest{
		Operation: "GET", Version: "v1", Resource: "pods", Namespace: "default", Name: "web",
	}}}
	if _, err := api.RequestReviews().Create(t.Context(), request, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	outage := &v1alpha1.OutageReview{Spec: v1alpha1.OutageReviewSpec{Down: v1alpha1.Outage{Namespaces: []string{"kube-system"}}}}
	if _, err := api.OutageReviews().Create(t.Context(), outage, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.OutageReviews().Create(t.Context(), &v1alpha1.OutageReview{}, metav1.CreateOptions{}); !apierrors.IsInvalid(err) {
		t.Fatalf("an outage of nothing: %v", err)
	}
}

// TestEveryMetricIsServedAndKeepsToTheConventions takes the names from the
// sources, so that a metric that is added is one that is served, and lints them
// as Kubernetes does.
func TestEveryMetricIsServedAndKeepsToTheConventions(t *testing.T) {
	declared, err := monitoring.Declared("../..")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, t.TempDir())
	askEverything(t, s)
	var (
		text    string
		served  map[string]*dto.MetricFamily
		missing []string
	)
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		text, served = scrape(t, s)
		missing = slices.DeleteFunc(slices.Clone(declared), func(name string) bool {
			_, elsewhere := monitoring.OnlyBehindAnAPIServer[name]
			return elsewhere || served[name] != nil
		})
		if len(missing) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("of %d metrics these are not served: %v", len(declared), missing)
		}
	}
	for name := range monitoring.OnlyBehindAnAPIServer {
		if served[name] != nil {
			t.Errorf("%s is served, and is said not to be", name)
		}
	}
	for name := range served {
		if strings.HasPrefix(name, "extant_") && !slices.Contains(declared, name) {
			t.Errorf("%s is not found in the sources: its name must be there in whole", name)
		}
	}
	problems, err := testutil.NewPromLinter(strings.NewReader(ours(text))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
	s.stop(t)
}

// ours are the lines about Extant's own metrics.
func ours(text string) string {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), "extant_") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}
