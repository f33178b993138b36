package discovery

import (
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
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
)

func init() {
	legacyregistry.MustRegister(passDuration, writesTotal)
}

func countWrite(resource, operation string) {
	writesTotal.WithLabelValues(resource, operation).Inc()
}
