package prober

import (
	"context"
	"maps"
	"sync"
	"time"
)

const (
	// endpointsPerRound bounds the endpoints that are called at a time; of a
	// Service with more, each round takes the next.
	endpointsPerRound = 16
	// answersKept is how long an answer counts of an endpoint that later rounds
	// left out.
	answersKept = 10 * time.Minute
)

// round is one probe of a backend.
type round struct {
	name    string
	target  *target
	at      time.Time
	answers map[string]answer
}

// call calls the endpoints and returns what they answered.
func (d *dialer) round(ctx context.Context, name string, t *target, from int, at time.Time) round {
	r := round{name: name, target: t, at: at, answers: map[string]answer{}}
	var mu sync.Mutex
	var calls sync.WaitGroup
	for i := range min(len(t.endpoints), endpointsPerRound) {
		endpoint := t.endpoints[(from+i)%len(t.endpoints)]
		calls.Go(func() {
			a := d.call(ctx, t, endpoint)
			a.at = at
			mu.Lock()
			defer mu.Unlock()
			r.answers[endpoint] = a
		})
	}
	calls.Wait()
	return r
}

// slowest returns how long the slowest endpoint took that answered.
func (r *round) slowest() (slowest time.Duration) {
	for _, a := range r.answers {
		if a.failure == nil {
			slowest = max(slowest, a.took)
		}
	}
	return slowest
}

// kept returns the answers that still count, with those of the round.
func (r *round) kept(before map[string]answer, t *target, now time.Time) map[string]answer {
	all := make(map[string]answer, len(t.endpoints))
	for _, endpoint := range t.endpoints {
		if a, ok := before[endpoint]; ok && now.Sub(a.at) < answersKept {
			all[endpoint] = a
		}
	}
	maps.Copy(all, r.answers)
	return all
}
