package outage

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"

	"github.com/extant-project/extant/internal/outage"
)

var (
	passDuration = metrics.NewHistogram(&metrics.HistogramOpts{
		Name:           "extant_losses_duration_seconds",
		Help:           "Time to bring up to date what the loss of each extension does.",
		Buckets:        metrics.ExponentialBuckets(0.001, 2, 14),
		StabilityLevel: metrics.ALPHA,
	})
	writesTotal = metrics.NewCounter(&metrics.CounterOpts{
		Name:           "extant_outage_writes_total",
		Help:           "Writes of what the loss of an extension does to the API.",
		StabilityLevel: metrics.ALPHA,
	})
	extensionsRecovering = metrics.NewGaugeVec(&metrics.GaugeOpts{
		Name:           "extant_extensions_recovering_unaided",
		Help:           "Extensions, by whether the cluster gets them back without a human when all their backends are lost at once.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"status"})
)

func init() {
	legacyregistry.MustRegister(passDuration, writesTotal, extensionsRecovering)
}

func observePass(losses map[string]outage.Loss, took time.Duration) {
	passDuration.Observe(took.Seconds())
	counts := map[metav1.ConditionStatus]float64{}
	for _, loss := range losses {
		counts[loss.RecoversUnaided]++
	}
	for _, status := range []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown} {
		extensionsRecovering.WithLabelValues(string(status)).Set(counts[status])
	}
}

// forget removes the gauges: a replica that no longer looks must not seem to.
func forget() { extensionsRecovering.Reset() }

func countWrite() { writesTotal.Inc() }
