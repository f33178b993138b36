package outage_test

import (
	"fmt"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// BenchmarkOutage reviews outages of a large cluster: everything at once, and
// shares of it, whose price should be near to linear in what is lost.
func BenchmarkOutage(b *testing.B) {
	observed := largeCluster(b).observed()
	engine := outage.NewEngine(requestpath.NewEngine(), rbac.NewAuthorizers(rbac.Options{}))
	namespaces := make([]string, sceneNamespaces/10)
	for i := range namespaces {
		namespaces[i] = sceneNamespace(i)
	}
	for _, lost := range []struct {
		what string
		down extant.Outage
	}{
		{"everything", extant.Outage{Everything: true}},
		{"tenth", extant.Outage{Namespaces: namespaces}},
		{"hundredth", extant.Outage{Namespaces: namespaces[:len(namespaces)/10]}},
		{"backend", extant.Outage{Backends: []string{fmt.Sprintf("app-7.%s.443", sceneNamespace(7))}}},
	} {
		b.Run(lost.what, func(b *testing.B) {
			lost.down.Mode = extant.ModePodsLost
			spec := &extant.OutageReviewSpec{Down: lost.down, Detail: extant.DetailSummary}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := engine.Analyze(b.Context(), observed, spec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLosses keeps what the loss of each extension does: from nothing, and
// after one webhook configuration changed, which guards pods or something that
// no recovery needs.
func BenchmarkLosses(b *testing.B) {
	builder := largeCluster(b).builder()
	before := observedBy(builder)
	b.Run("scratch", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := newEngine().Losses(b.Context(), before); err != nil {
				b.Fatal(err)
			}
		}
	})
	resource := schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations"}
	for _, changed := range []struct {
		what          string
		configuration int
	}{{"pods", 7}, {"services", 9}} {
		b.Run("changed/"+changed.what, func(b *testing.B) {
			configuration := sceneConfiguration(changed.configuration)
			configuration.Webhooks[0].FailurePolicy = new(admissionregistrationv1.Ignore)
			row, _ := cluster.Lookup(resource)
			kept, err := row.Keep(configuration)
			if err != nil {
				b.Fatal(err)
			}
			builder.Put(resource, kept)
			after := observedBy(builder)
			engine := newEngine()
			if _, err := engine.Losses(b.Context(), before); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				for _, observed := range []*requestpath.Observed{&after, &before} {
					if _, err := engine.Losses(b.Context(), *observed); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(2*b.N), "ms/change")
			b.ReportMetric(float64(len(before.Inventory.Extensions)), "extensions")
			original, err := row.Keep(sceneConfiguration(changed.configuration))
			if err != nil {
				b.Fatal(err)
			}
			builder.Put(resource, original)
		})
	}
}
