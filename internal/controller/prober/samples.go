package prober

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// maxSamples is how many probes a status keeps.
const maxSamples = 60

// samples is the newest probes of a backend, the oldest first.
type samples []v1alpha1.Sample

// with returns the samples with one more.
func (s samples) with(at time.Time, took time.Duration, failure string) samples {
	if len(s) >= maxSamples {
		s = s[len(s)-maxSamples+1:]
	}
	return append(slices.Clip(s), v1alpha1.Sample{
		Time: metav1.NewTime(at.Truncate(time.Second)), Milliseconds: took.Round(time.Millisecond).Milliseconds(), Error: clean(failure, maxWords),
	})
}

// latency is how long the probes took that succeeded.
func (s samples) latency() *v1alpha1.Latency {
	var took []int64
	for _, sample := range s {
		if sample.Error == "" {
			took = append(took, sample.Milliseconds)
		}
	}
	if len(took) == 0 {
		return nil
	}
	last := took[len(took)-1]
	slices.Sort(took)
	return &v1alpha1.Latency{Last: milliseconds(last), P50: milliseconds(percentile(took, 50)), P99: milliseconds(percentile(took, 99))}
}

// percentile returns the nearest rank of sorted values.
func percentile(sorted []int64, p int) int64 {
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

func milliseconds(n int64) metav1.Duration {
	return metav1.Duration{Duration: time.Duration(n) * time.Millisecond}
}
