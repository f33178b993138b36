package analyser

import (
	"strconv"
	"time"

	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	findings = metrics.NewGaugeVec(&metrics.GaugeOpts{
		Name:           "extant_findings",
		Help:           "Findings that stand, by policy, rule, severity, and whether the owner of the extension accepts them.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"policy", "rule", "severity", "accepted"})
	passDuration = metrics.NewHistogram(&metrics.HistogramOpts{
		Name:           "extant_findings_duration_seconds",
		Help:           "Time to evaluate the policies over what changed.",
		Buckets:        metrics.ExponentialBuckets(0.001, 2, 14),
		StabilityLevel: metrics.ALPHA,
	})
	writesTotal = metrics.NewCounterVec(&metrics.CounterOpts{
		Name:           "extant_finding_writes_total",
		Help:           "Writes of the analyser to the API: findings that it created, updated or deleted, and statuses of extensions and policies.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"write"})
)

func init() {
	legacyregistry.MustRegister(findings, passDuration, writesTotal)
}

func observePass(standing []extant.FindingSpec, took time.Duration) {
	passDuration.Observe(took.Seconds())
	findings.Reset()
	for i := range standing {
		s := &standing[i]
		findings.WithLabelValues(s.Policy, s.Rule, string(s.Severity), strconv.FormatBool(s.Accepted)).Inc()
	}
}

func countWrite(what string) { writesTotal.WithLabelValues(what).Inc() }
