package outage_test

import (
	"fmt"
	"testing"

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
