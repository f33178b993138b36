package prober

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

func TestFirstProbesAreSpreadInTimeAndTheSameEachTime(t *testing.T) {
	const backends = 1000
	var delays []time.Duration
	for i := range backends {
		name := fmt.Sprintf("backend-%d", i)
		delays = append(delays, firstDelay(name, backends, 30*time.Second))
		if again := firstDelay(name, backends, 30*time.Second); again != delays[i] {
			t.Fatalf("%s: %s, then %s", name, delays[i], again)
		}
	}
	slices.Sort(delays)
	if median := delays[backends/2]; delays[0] < 0 || delays[backends-1] >= 10*time.Second || median < 4*time.Second || median > 6*time.Second {
		t.Errorf("from %s over %s to %s", delays[0], median, delays[backends-1])
	}
	if alone := firstDelay("backend", 1, 30*time.Second); alone > 10*time.Millisecond {
		t.Errorf("a single backend waits for %s", alone)
	}
}

func TestFailuresAreProbedFastForAWhileAndHealthSlowly(t *testing.T) {
	const interval = 30 * time.Second
	var p pace
	next := func(want time.Duration, failed, contradicts bool) {
		t.Helper()
		if got := p.next(failed, contradicts, interval); got != want {
			t.Errorf("want %s, got %s", want, got)
		}
	}
	next(30*time.Second, false, false)
	next(time.Second, true, true)
	for range impatient - 1 {
		next(5*time.Second, true, false)
	}
	next(10*time.Second, true, false)
	next(20*time.Second, true, false)
	next(30*time.Second, true, false)
	next(30*time.Second, true, false)
	next(5*time.Second, false, false)
	next(10*time.Second, false, false)
	next(20*time.Second, false, false)
	next(30*time.Second, false, false)
	next(30*time.Second, false, false)
}

func TestWhoIsDueFirstComesFirst(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := newSchedule()
	for i, name := range []string{"d", "c", "b", "a"} {
		s.set(name, start.Add(time.Duration(i)*time.Second))
	}
	s.set("a", start)
	s.remove("c")
	s.remove("nobody")
	if wait := s.wait(start.Add(-time.Second)); wait != time.Second {
		t.Errorf("nobody is due for %s", wait)
	}
	if wait := s.wait(start.Add(time.Second)); wait != 200*time.Millisecond {
		t.Errorf("who is due is looked for again after %s", wait)
	}
	var got []string
	for {
		name, _, ok := s.take(start.Add(time.Second))
		if !ok {
			break
		}
		got = append(got, name)
	}
	if want := []string{"a", "d"}; !slices.Equal(got, want) {
		t.Errorf("want %v, got %v", want, got)
	}
	if name, _, ok := s.take(start.Add(time.Hour)); !ok || name != "b" {
		t.Errorf("then came %q", name)
	}
}

func TestTheNewestSixtySamplesAreKept(t *testing.T) {
	var s samples
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 100 {
		failure := ""
		if i%10 == 0 {
			failure = "refused"
		}
		before := slices.Clone(s)
		next := s.with(start.Add(time.Duration(i)*time.Second), time.Duration(i)*time.Millisecond, failure)
		if !slices.Equal(before, s) {
			t.Fatal("samples that were handed out were changed")
		}
		s = next
	}
	if len(s) != maxSamples || s[0].Milliseconds != 40 || s[59].Milliseconds != 99 {
		t.Fatalf("%d samples, from %v", len(s), s[0])
	}
	want := v1alpha1.Latency{Last: milliseconds(99), P50: milliseconds(69), P99: milliseconds(99)}
	if got := s.latency(); *got != want {
		t.Errorf("want %v, got %v", want, *got)
	}
	if got := (samples{{Error: "refused"}}).latency(); got != nil {
		t.Errorf("failures took %v", got)
	}
}
