package loop

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/component-base/metrics/testutil"
	"k8s.io/utils/clock"
)

func TestPassesAreCountedByResult(t *testing.T) {
	passesTotal.Reset()
	outcomes := []error{ErrNotSettled, errors.New("away"), nil, nil}
	sent := len(outcomes) + 1
	ctx, cancel := context.WithCancel(t.Context())
	changed, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		l := Loop{Name: "test", Clock: clock.RealClock{}, Retry: time.Hour}
		l.Run(ctx, nil, changed, func(context.Context) error {
			if len(outcomes) == 0 {
				cancel() // a pass that is cut off is none
				return ctx.Err()
			}
			next := outcomes[0]
			outcomes = outcomes[1:]
			return next
		})
	}()
	for range sent {
		changed <- struct{}{}
	}
	<-ended
	want := `
# HELP extant_controller_passes_total [ALPHA] Passes of a controller, by result: success, error, or unsettled where the observed cluster had not been read yet.
# TYPE extant_controller_passes_total counter
extant_controller_passes_total{controller="test",result="error"} 1
extant_controller_passes_total{controller="test",result="success"} 2
extant_controller_passes_total{controller="test",result="unsettled"} 1
`
	if err := testutil.GatherAndCompare(legacyregistry.DefaultGatherer, strings.NewReader(want), "extant_controller_passes_total"); err != nil {
		t.Error(err)
	}
}

func TestAQueueIsShownForAsLongAsItsControllerRuns(t *testing.T) {
	shown := func() string {
		families, err := legacyregistry.DefaultGatherer.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			if family.GetName() == "extant_controller_queue_depth" {
				return family.GetMetric()[0].String()
			}
		}
		return ""
	}
	stop := Queue("test", func() int { return 3 })
	again := Queue("test", func() int { return 5 }) // the next term begins
	stop()
	if got := shown(); !strings.Contains(got, `"test"`) || !strings.Contains(got, "value:5") {
		t.Errorf("got %s", got)
	}
	again()
	if got := shown(); got != "" {
		t.Errorf("it is shown after its end: %s", got)
	}
}
