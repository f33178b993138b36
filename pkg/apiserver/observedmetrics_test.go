package apiserver

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/component-base/metrics/testutil"

	"github.com/extant-project/extant/internal/cluster"
)

// heardOf is a source that was heard of at some time.
type heardOf struct {
	cluster.Source
	snapshot *cluster.Snapshot
	at       time.Time
}

func (h heardOf) Snapshot() *cluster.Snapshot { return h.snapshot }
func (h heardOf) Heard() time.Time            { return h.at }

// TestWhatIsNotSeenHasNoNumber keeps a resource that is forbidden from looking
// like one of which there are no objects.
func TestWhatIsNotSeenHasNoNumber(t *testing.T) {
	b := cluster.NewBuilder("live")
	for i := range cluster.Resources {
		resource := cluster.Resources[i].GroupResource()
		if resource != (schema.GroupResource{Resource: "pods"}) {
			b.SetGaps(resource.String(), cluster.Gap{Reason: cluster.GapForbidden, Message: "one"}, cluster.Gap{Reason: cluster.GapForbidden, Message: "two"})
		}
	}
	want := `
# HELP extant_snapshot_objects [ALPHA] Objects of the observed cluster that this replica holds, by resource. Absent where they cannot be read.
# TYPE extant_snapshot_objects gauge
extant_snapshot_objects{resource="pods"} 0
`
	collector := &observedCollector{source: heardOf{snapshot: b.Snapshot()}}
	if err := testutil.CustomCollectAndCompare(collector, strings.NewReader(want), "extant_snapshot_objects", "extant_snapshot_age_seconds"); err != nil {
		t.Error(err)
	}
}

func TestTheAgeOfASnapshotGrowsSinceTheClusterWasHeardOf(t *testing.T) {
	collector := &observedCollector{source: heardOf{snapshot: cluster.NewBuilder("live").Snapshot(), at: time.Now().Add(-time.Hour)}}
	registry := testutil.NewFakeKubeRegistry("1.37.0")
	registry.CustomMustRegister(collector)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "extant_snapshot_age_seconds" {
			continue
		}
		metric := family.GetMetric()[0]
		if age := metric.GetGauge().GetValue(); age < 3600 || age > 3700 || metric.GetLabel()[0].GetValue() != "live" {
			t.Errorf("got %v", metric)
		}
		return
	}
	t.Error("it has none")
}
