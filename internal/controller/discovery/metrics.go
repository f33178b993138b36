package discovery

import (
	"time"

	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"

	"github.com/extant-project/extant/internal/cluster"
)

var (
	passDuration = metrics.NewHistogram(&metrics.HistogramOpts{
		Name:           "extant_inventory_duration_seconds",
		Help:           "Time to take the inventory of one snapshot of the observed cluster.",
		Buckets:        metrics.ExponentialBuckets(0.001, 2, 12),
		StabilityLevel: metrics.ALPHA,
	})
	writesTotal = metrics.NewCounterVec(&metrics.CounterOpts{
		Name:           "extant_discovery_writes_total",
		Help:           "Writes of discovery to the API, by resource and operation.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"resource", "operation"})
	observedGaps = metrics.NewGaugeVec(&metrics.GaugeOpts{
		Name:           "extant_observed_gaps",
		Help:           "What cannot be seen of the observed cluster, by resource and reason.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"resource", "reason"})
)

func init() {
	legacyregistry.MustRegister(passDuration, writesTotal, observedGaps)
}

func observePass(snapshot *cluster.Snapshot, took time.Duration) {
	passDuration.Observe(took.Seconds())
	observedGaps.Reset()
	for _, gap := range snapshot.Gaps() {
		observedGaps.WithLabelValues(gap.Resource, string(gap.Reason)).Set(1)
	}
}

func countWrite(resource, operation string) {
	writesTotal.WithLabelValues(resource, operation).Inc()
}
