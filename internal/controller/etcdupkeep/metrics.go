package etcdupkeep

import (
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

var (
	totalSize = newGauge("extant_etcd_db_total_size_bytes",
		"Size of the file of a member of Extant's etcd, by endpoint.", "endpoint")
	inUseSize = newGauge("extant_etcd_db_in_use_bytes",
		"What of the file of a member of Extant's etcd holds data, by endpoint. The rest can be freed by defragmentation.", "endpoint")
	quotaSize = newGauge("extant_etcd_db_quota_bytes",
		"Size of the file of a member of Extant's etcd at which it refuses writes, by endpoint. Absent where etcd does not tell.", "endpoint")
	memberUp = newGauge("extant_etcd_member_up",
		"Whether a member of Extant's etcd can be asked, by endpoint.", "endpoint")
	alarmRaised = newGauge("extant_etcd_alarm",
		"Whether a member of Extant's etcd has raised the alarm: NOSPACE, which refuses writes, or CORRUPT.", "alarm")
	defragmentations = metrics.NewCounterVec(&metrics.CounterOpts{
		Name:           "extant_etcd_defragmentations_total",
		Help:           "Defragmentations of a member of Extant's etcd, by endpoint and result (success or error).",
		StabilityLevel: metrics.ALPHA,
	}, []string{"endpoint", "result"})
)

func newGauge(name, help, label string) *metrics.GaugeVec {
	return metrics.NewGaugeVec(&metrics.GaugeOpts{Name: name, Help: help, StabilityLevel: metrics.ALPHA}, []string{label})
}

func init() {
	legacyregistry.MustRegister(totalSize, inUseSize, quotaSize, memberUp, alarmRaised, defragmentations)
}

// forget removes the gauges: who does not look any more must not seem to.
func forget() {
	for _, gauge := range []*metrics.GaugeVec{totalSize, inUseSize, quotaSize, memberUp, alarmRaised} {
		gauge.Reset()
	}
}

// measure sets the gauges to what was seen.
func measure(s state) {
	forget()
	for _, m := range s.members {
		for _, result := range []string{"success", "error"} { // from zero, so that the first is seen
			defragmentations.WithLabelValues(m.endpoint, result)
		}
		if m.err != nil {
			memberUp.WithLabelValues(m.endpoint).Set(0)
			continue
		}
		memberUp.WithLabelValues(m.endpoint).Set(1)
		totalSize.WithLabelValues(m.endpoint).Set(float64(m.size))
		inUseSize.WithLabelValues(m.endpoint).Set(float64(m.inUse))
		if m.quota > 0 {
			quotaSize.WithLabelValues(m.endpoint).Set(float64(m.quota))
		}
	}
	alarmRaised.WithLabelValues("NOSPACE").Set(oneIf(len(s.full) > 0))
	alarmRaised.WithLabelValues("CORRUPT").Set(oneIf(len(s.corrupt) > 0))
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
