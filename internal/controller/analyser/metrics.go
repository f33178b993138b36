package analyser

import (
	"cmp"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	standingFindings = &standing{}
	passDuration     = metrics.NewHistogram(&metrics.HistogramOpts{
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
	legacyregistry.MustRegister(passDuration, writesTotal)
	legacyregistry.CustomMustRegister(standingFindings)
}

func observePass(found []extant.FindingSpec, took time.Duration) {
	passDuration.Observe(took.Seconds())
	standingFindings.set(found)
}

func countWrite(what string) { writesTotal.WithLabelValues(what).Inc() }

const (
	// maxSeries bounds the series of extant_findings. There are never more than
	// findings, and a finding has one extension, but a strict policy over a large
	// cluster has thousands.
	maxSeries = 1000
	// otherExtensions stands for the extensions beyond the bound. No object has
	// such a name.
	otherExtensions = "_other"
)

// series is the labels of extant_findings, in their order.
type series struct{ policy, rule, severity, accepted, extension string }

var findingsDesc = metrics.NewDesc("extant_findings",
	"Findings that stand, by policy, rule, severity, whether the owner of the extension accepts them, and extension. Beyond "+
		strconv.Itoa(maxSeries)+" series the extensions that come last by name are counted together as "+otherExtensions+". Absent on a replica that does not evaluate policies.",
	[]string{"policy", "rule", "severity", "accepted", "extension"}, nil, metrics.ALPHA, "")

// standing is the findings of the newest pass, counted. A scrape sees those of
// one pass, never a part.
type standing struct {
	metrics.BaseStableCollector

	counted atomic.Pointer[map[series]int]
}

// set counts findings.
func (s *standing) set(found []extant.FindingSpec) {
	counted := count(found)
	s.counted.Store(&counted)
}

// forget removes the series: a replica that no longer evaluates must not seem
// to.
func (s *standing) forget() { s.counted.Store(nil) }

func count(found []extant.FindingSpec) map[series]int {
	counted := map[series]int{}
	for i := range found {
		f := &found[i]
		counted[series{f.Policy, f.Rule, string(f.Severity), strconv.FormatBool(f.Accepted), f.Extension}]++
	}
	if len(counted) <= maxSeries {
		return counted
	}
	all := make([]series, 0, len(counted))
	for one := range counted {
		all = append(all, one)
	}
	slices.SortFunc(all, func(x, y series) int { return cmp.Compare(x.extension, y.extension) })
	last := all[maxSeries].extension
	bounded := map[series]int{}
	for one, n := range counted {
		if one.extension >= last {
			one.extension = otherExtensions
		}
		bounded[one] += n
	}
	return bounded
}

// DescribeWithStability describes the gauge.
func (s *standing) DescribeWithStability(ch chan<- *metrics.Desc) { ch <- findingsDesc }

// CollectWithStability reads what was counted last.
func (s *standing) CollectWithStability(ch chan<- metrics.Metric) {
	counted := s.counted.Load()
	if counted == nil {
		return
	}
	for one, n := range *counted {
		ch <- metrics.NewLazyConstMetric(findingsDesc, metrics.GaugeValue, float64(n), one.policy, one.rule, one.severity, one.accepted, one.extension)
	}
}
