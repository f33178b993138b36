// Package fuzzer fills objects of the API group with random values that
// survive a round trip, for tests.
package fuzzer

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
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
		// What backends are assumed to be is defaulted.
		func(assume *extant.RequestAssumptions, c randfill.Continue) {
			c.FillNoCustom(assume)
			assume.Backends = extant.BackendsAllAvailable
		},
		// How things are lost, and how much of the answer is spelled out, are
		// defaulted.
		func(down *extant.Outage, c randfill.Continue) {
			c.FillNoCustom(down)
			down.Mode = extant.ModeRestarted
		},
		func(spec *extant.OutageReviewSpec, c randfill.Continue) {
			c.FillNoCustom(spec)
			spec.Detail = extant.DetailFull
		},
		// An object inside of a review is JSON, or absent.
		func(raw *runtime.RawExtension, c randfill.Continue) {
			*raw = runtime.RawExtension{}
			if c.Bool() {
				raw.Raw = []byte(`{"apiVersion":"v1","kind":"Pod"}`)
			}
		},
		// A duration is written in whole units of its string form.
		func(d *metav1.Duration, c randfill.Continue) {
			d.Duration = time.Duration(c.Int31()) * time.Millisecond
		},
	}
}
