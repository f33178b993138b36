// Package fuzzer fills objects of the API group with random values that
// survive a round trip, for tests.
package fuzzer

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	runtimeserializer "k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/randfill"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Funcs returns the fuzzer functions of the group.
func Funcs(_ runtimeserializer.CodecFactory) []any {
	return []any{
		// A probe that is given is defaulted, so that its fields are never empty.
		func(probe *extant.Probe, c randfill.Continue) {
			c.FillNoCustom(probe)
			probe.Mode = extant.ProbeModeTCP
			probe.IntervalSeconds = max(probe.IntervalSeconds, 1)
			probe.TimeoutSeconds = max(probe.TimeoutSeconds, 1)
		},
		// A duration is written in whole units of its string form.
		func(d *metav1.Duration, c randfill.Continue) {
			d.Duration = time.Duration(c.Int31()) * time.Millisecond
		},
	}
}
