package prober

import (
	"container/heap"
	"hash/fnv"
	"time"
)

const (
	// spread is the time that the first probe of each backend is put into, for
	// each backend that there is.
	spread = 10 * time.Millisecond
	// confirmAfter is when a probe is made again that contradicts the ones before:
	// one lost packet is no outage.
	confirmAfter = time.Second
	// retryAfter is the interval to begin with after a failure, and as long as it
	// has not gone on for long.
	retryAfter = 5 * time.Second
	// impatient is how many probes in a row fail before they become rarer.
	impatient = 12
)

// firstDelay spreads the first probes in time, in the same way each time.
func firstDelay(name string, backends int, interval time.Duration) time.Duration {
	span := min(interval, time.Duration(backends)*spread)
	if span <= 0 {
		return 0
	}
	hash := fnv.New64a()
	hash.Write([]byte(name))
	return time.Duration(hash.Sum64() % uint64(span))
}

// pace is how long a backend waits for its next probe.
type pace struct {
	// delay is the one before; failures is how many probes in a row failed.
	delay    time.Duration
	failures int
}

// next returns the delay after a probe. Contradicts: it is not what the probes
// before told.
func (p *pace) next(failed, contradicts bool, interval time.Duration) time.Duration {
	fast := min(retryAfter, interval)
	switch {
	case contradicts && failed:
		p.failures = 1
		p.delay = min(confirmAfter, interval)
	case failed:
		p.failures++
		p.delay = fast
		for range max(0, p.failures-impatient) {
			if p.delay = min(2*p.delay, interval); p.delay == interval {
				break
			}
		}
	case p.failures > 0:
		p.failures, p.delay = 0, fast
	case p.delay == 0:
		p.delay = interval
	default:
		p.delay = min(2*max(p.delay, fast), interval)
	}
	return p.delay
}

// schedule is who is due when: a heap by time, then name.
type schedule struct {
	entries []*entry
	of      map[string]*entry
}

type entry struct {
	name string
	due  time.Time
	at   int
}

func newSchedule() *schedule { return &schedule{of: map[string]*entry{}} }

// set makes a backend due at a time, and at no other.
func (s *schedule) set(name string, due time.Time) {
	if e, ok := s.of[name]; ok {
		e.due = due
		heap.Fix(s, e.at)
		return
	}
	e := &entry{name: name, due: due}
	s.of[name] = e
	heap.Push(s, e)
}

// remove forgets a backend.
func (s *schedule) remove(name string) {
	if e, ok := s.of[name]; ok {
		heap.Remove(s, e.at)
		delete(s.of, name)
	}
}

// take removes and returns one backend that is due.
func (s *schedule) take(now time.Time) (name string, due time.Time, ok bool) {
	if len(s.entries) == 0 || s.entries[0].due.After(now) {
		return "", time.Time{}, false
	}
	e := s.entries[0]
	s.remove(e.name)
	return e.name, e.due, true
}

// wait returns how long to wait for who is due. Waking up costs as much as
// calling somebody does: those who are due in the same moment are called at once.
func (s *schedule) wait(now time.Time) time.Duration {
	const moment, atMost = 200 * time.Millisecond, time.Minute
	if len(s.entries) == 0 {
		return atMost
	}
	return min(max(s.entries[0].due.Sub(now), moment), atMost)
}

func (s *schedule) Len() int { return len(s.entries) }
func (s *schedule) Less(i, j int) bool {
	x, y := s.entries[i], s.entries[j]
	if x.due.Equal(y.due) {
		return x.name < y.name
	}
	return x.due.Before(y.due)
}
func (s *schedule) Swap(i, j int) {
	s.entries[i], s.entries[j] = s.entries[j], s.entries[i]
	s.entries[i].at, s.entries[j].at = i, j
}
func (s *schedule) Push(e any) {
	added := e.(*entry)
	added.at = len(s.entries)
	s.entries = append(s.entries, added)
}
func (s *schedule) Pop() any {
	last := s.entries[len(s.entries)-1]
	s.entries = s.entries[:len(s.entries)-1]
	return last
}
