package apiserver

import (
	"time"

	"k8s.io/component-base/metrics"

	"github.com/extant-project/extant/internal/cluster"
)

var (
	objectsDesc = metrics.NewDesc("extant_snapshot_objects",
		"Objects of the observed cluster that this replica holds, by resource. Absent where they cannot be read.",
		[]string{"resource"}, nil, metrics.ALPHA, "")
	ageDesc = metrics.NewDesc("extant_snapshot_age_seconds",
		"How long ago the observed cluster was last heard of, by source. An API server says at least once a minute that nothing changed; a dump was read that long ago.",
		[]string{"source"}, nil, metrics.ALPHA, "")
	gapsDesc = metrics.NewDesc("extant_observed_gaps",
		"Gaps: what this replica cannot see of the observed cluster, by resource and reason.",
		[]string{"resource", "reason"}, nil, metrics.ALPHA, "")
)

// observedCollector is the gauges of what a replica observes: each has a
// snapshot of its own.
type observedCollector struct {
	metrics.BaseStableCollector
	source cluster.Source
}

// DescribeWithStability describes the gauges.
func (o *observedCollector) DescribeWithStability(ch chan<- *metrics.Desc) {
	for _, desc := range []*metrics.Desc{objectsDesc, ageDesc, gapsDesc} {
		ch <- desc
	}
}

// CollectWithStability reads the newest snapshot.
func (o *observedCollector) CollectWithStability(ch chan<- metrics.Metric) {
	gauge := func(desc *metrics.Desc, value float64, labels ...string) {
		ch <- metrics.NewLazyConstMetric(desc, metrics.GaugeValue, value, labels...)
	}
	snapshot := o.source.Snapshot()
	if heard := o.source.Heard(); !heard.IsZero() {
		gauge(ageDesc, time.Since(heard).Seconds(), snapshot.Origin)
	}
	for i := range cluster.Resources {
		resource := cluster.Resources[i].GroupResource()
		n := snapshot.Objects(resource).Len()
		if _, gap := snapshot.DecidingGap(resource); n > 0 || !gap {
			gauge(objectsDesc, float64(n), resource.String())
		}
	}
	// Of one resource several objects may be malformed.
	type labels struct{ resource, reason string }
	gaps := map[labels]float64{}
	for _, gap := range snapshot.Gaps() {
		gaps[labels{gap.Resource, string(gap.Reason)}]++
	}
	for gap, n := range gaps {
		gauge(gapsDesc, n, gap.resource, gap.reason)
	}
}
