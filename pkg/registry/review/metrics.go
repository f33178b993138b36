package review

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

var (
	answered = metrics.NewHistogramVec(&metrics.HistogramOpts{
		Name:           "extant_review_duration_seconds",
		Help:           "Time to answer a review, by kind and verdict: that of a RequestReview, or whether the cluster recovers unaided (True, False, Unknown) of an OutageReview.",
		Buckets:        metrics.ExponentialBuckets(0.0005, 2, 16),
		StabilityLevel: metrics.ALPHA,
	}, []string{"kind", "verdict"})
	failures = metrics.NewCounterVec(&metrics.CounterOpts{
		Name:           "extant_review_failures_total",
		Help:           "Reviews that were not answered, by kind and the reason in the Status: Invalid, Forbidden, TooManyRequests, Timeout and others of the API.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"kind", "reason"})
	inFlight = metrics.NewGaugeVec(&metrics.GaugeOpts{
		Name:           "extant_reviews_in_flight",
		Help:           "Reviews that are being answered, by kind. A replica answers 64 at a time and refuses more.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"kind"})
)

func init() { legacyregistry.MustRegister(answered, failures, inFlight) }

// expectFailures makes the failures of a kind that are the server's own start
// from zero, so that the first is seen.
func expectFailures(kind string) {
	for _, reason := range []metav1.StatusReason{metav1.StatusReasonInternalError, metav1.StatusReasonTimeout, metav1.StatusReasonTooManyRequests} {
		failures.WithLabelValues(kind, string(reason))
	}
}

// countReview counts what came of a review.
func countReview(kind, verdict string, took time.Duration, err error) {
	if err == nil {
		answered.WithLabelValues(kind, verdict).Observe(took.Seconds())
		return
	}
	reason := apierrors.ReasonForError(err)
	if reason == metav1.StatusReasonUnknown {
		reason = metav1.StatusReasonInternalError
	}
	failures.WithLabelValues(kind, string(reason)).Inc()
}
