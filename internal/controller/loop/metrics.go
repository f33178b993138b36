package loop

import (
	"errors"
	"sync"
	"time"

	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

var (
	passesTotal = metrics.NewCounterVec(&metrics.CounterOpts{
		Name:           "extant_controller_passes_total",
		Help:           "Passes of a controller, by result: success, error, or unsettled where the observed cluster had not been read yet.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"controller", "result"})
	passDuration = metrics.NewHistogramVec(&metrics.HistogramOpts{
		Name:           "extant_controller_pass_duration_seconds",
		Help:           "Time of one pass of a controller, with what it writes.",
		Buckets:        metrics.ExponentialBuckets(0.001, 2, 16),
		StabilityLevel: metrics.ALPHA,
	}, []string{"controller"})
	queues = &running{depths: map[string]*func() int{}}
)

// What comes of a pass.
const (
	success   = "success"
	errored   = "error"
	unsettled = "unsettled"
)

func init() {
	legacyregistry.MustRegister(passesTotal, passDuration)
	legacyregistry.CustomMustRegister(queues)
}

// CountPass counts one pass of a controller.
func CountPass(controller string, took time.Duration, err error) {
	result := success
	switch {
	case errors.Is(err, ErrNotSettled):
		result = unsettled
	case err != nil:
		result = errored
	}
	passesTotal.WithLabelValues(controller, result).Inc()
	passDuration.WithLabelValues(controller).Observe(took.Seconds())
}

// Queue shows how much waits for a controller, until the returned function is
// called. Depth is asked at each scrape.
func Queue(controller string, depth func() int) (stop func()) {
	queues.mu.Lock()
	defer queues.mu.Unlock()
	queues.depths[controller] = &depth
	for _, result := range []string{success, errored, unsettled} { // from zero, so that the first is seen
		passesTotal.WithLabelValues(controller, result)
	}
	return func() {
		queues.mu.Lock()
		defer queues.mu.Unlock()
		if queues.depths[controller] == &depth {
			delete(queues.depths, controller)
		}
	}
}

// running are the controllers that run.
type running struct {
	metrics.BaseStableCollector

	mu     sync.Mutex
	depths map[string]*func() int
}

var queueDesc = metrics.NewDesc("extant_controller_queue_depth",
	"What waits for a controller: news of the cluster and of the API (1 each, however many changes), or backends to be written. Absent on a replica that does not run the controller.",
	[]string{"controller"}, nil, metrics.ALPHA, "")

// DescribeWithStability describes the gauge.
func (r *running) DescribeWithStability(ch chan<- *metrics.Desc) { ch <- queueDesc }

// CollectWithStability asks each queue.
func (r *running) CollectWithStability(ch chan<- metrics.Metric) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for controller, depth := range r.depths {
		ch <- metrics.NewLazyConstMetric(queueDesc, metrics.GaugeValue, float64((*depth)()), controller)
	}
}
