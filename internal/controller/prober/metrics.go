package prober

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

var (
	probesTotal = metrics.NewCounterVec(&metrics.CounterOpts{
		Name:           "extant_probes_total",
		Help:           "Endpoints that were called, by what came of it: answered, refused, timeout, unreachable, unresolved, connect, handshake, or local for those that may not be called. Whether callers trust the certificate is not in it.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"result"})
	probeDuration = metrics.NewHistogram(&metrics.HistogramOpts{
		Name:           "extant_probe_duration_seconds",
		Help:           "Time to connect to an endpoint and to shake hands, of those that answered.",
		Buckets:        metrics.ExponentialBuckets(0.001, 2, 14),
		StabilityLevel: metrics.ALPHA,
	})
	late = metrics.NewHistogram(&metrics.HistogramOpts{
		Name:           "extant_probe_late_seconds",
		Help:           "How late probes begin: more than a second means that too many wait for backends that do not answer.",
		Buckets:        metrics.ExponentialBuckets(0.001, 4, 10),
		StabilityLevel: metrics.ALPHA,
	})
	inFlight = metrics.NewGauge(&metrics.GaugeOpts{
		Name:           "extant_probes_in_flight",
		Help:           "Backends that are being probed.",
		StabilityLevel: metrics.ALPHA,
	})
	writesTotal = metrics.NewCounterVec(&metrics.CounterOpts{
		Name:           "extant_probe_writes_total",
		Help:           "Writes of a Backend's status by the prober: for a change, or because the samples were ten minutes old.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"why"})
)

func init() {
	legacyregistry.MustRegister(probesTotal, probeDuration, late, inFlight, writesTotal)
}

func observeRound(r *round) {
	for _, a := range r.answers {
		if a.failure != nil {
			probesTotal.WithLabelValues(a.failure.result).Inc()
			continue
		}
		probesTotal.WithLabelValues("answered").Inc()
		probeDuration.Observe(a.took.Seconds())
	}
}

func countWrite(before *v1alpha1.Backend, now *v1alpha1.BackendStatus) {
	why := "change"
	if s := &before.Status; s.Available == now.Available && s.Reason == now.Reason && s.Message == now.Message {
		why = "samples"
	}
	writesTotal.WithLabelValues(why).Inc()
}

// perBackend is the gauges of each backend. They have no series for a single
// endpoint, and none on a replica that does not probe.
type perBackend struct {
	metrics.BaseStableCollector
	controller *Controller
}

var (
	availableDesc = metrics.NewDesc("extant_backend_available",
		"Whether a backend is available: 1, or 0. Absent where it is not known.", []string{"backend"}, nil, metrics.ALPHA, "")
	failingDesc = metrics.NewDesc("extant_backend_endpoints_failing",
		"Endpoints of a backend that did not answer their probe, or that no caller trusts.", []string{"backend"}, nil, metrics.ALPHA, "")
	expiryDesc = metrics.NewDesc("extant_backend_certificate_expiry_timestamp_seconds",
		"When the serving certificate of a backend expires, in seconds since 1970; of several, the first.", []string{"backend"}, nil, metrics.ALPHA, "")
	latencyDesc = metrics.NewDesc("extant_backend_probe_latency_seconds",
		"How long the newest probe of a backend took; of several endpoints, the slowest.", []string{"backend"}, nil, metrics.ALPHA, "")
)

// Collector returns the gauges of each backend.
func (c *Controller) Collector() metrics.StableCollector { return &perBackend{controller: c} }

// DescribeWithStability describes the gauges.
func (p *perBackend) DescribeWithStability(ch chan<- *metrics.Desc) {
	for _, desc := range []*metrics.Desc{availableDesc, failingDesc, expiryDesc, latencyDesc} {
		ch <- desc
	}
}

// CollectWithStability reads what was found last.
func (p *perBackend) CollectWithStability(ch chan<- metrics.Metric) {
	c := p.controller
	c.mu.Lock()
	defer c.mu.Unlock()
	gauge := func(desc *metrics.Desc, name string, value float64) {
		ch <- metrics.NewLazyConstMetric(desc, metrics.GaugeValue, value, name)
	}
	for _, name := range slices.Sorted(maps.Keys(c.states)) {
		s := c.states[name]
		available := s.pure.Available
		if v := s.shown; v != nil && c.Off == "" {
			if available == metav1.ConditionUnknown {
				available = v.available
			}
			gauge(failingDesc, name, float64(v.failing))
			if v.certificate != nil {
				gauge(expiryDesc, name, float64(v.certificate.NotAfter.Unix()))
			}
		}
		switch available {
		case metav1.ConditionTrue:
			gauge(availableDesc, name, 1)
		case metav1.ConditionFalse:
			gauge(availableDesc, name, 0)
		}
		if n := len(s.samples); n > 0 && s.samples[n-1].Error == "" {
			gauge(latencyDesc, name, float64(s.samples[n-1].Milliseconds)/1000)
		}
	}
}
