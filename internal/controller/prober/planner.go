package prober

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/controller/loop"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// planner keeps the states and the schedule in line with the newest snapshot.
// Only the controller's loop uses it.
type planner struct {
	controller *Controller
	queue      workqueue.TypedRateLimitingInterface[string]
	schedule   *schedule
	// seen is what it looked at last.
	seen     *inventory.Inventory
	revision uint64
}

// turn is a round to make.
type turn struct {
	name   string
	target *target
	from   int
	at     time.Time
}

// look finds what is to be called.
func (p *planner) look() error {
	c := p.controller
	if !c.Source.Settled() {
		return loop.ErrNotSettled
	}
	snapshot := c.Source.Snapshot()
	found, err := c.Inventory(snapshot)
	if err != nil {
		return err
	}
	revision := snapshot.Revision(serviceResource, endpointSliceResource, networkPolicyResource)
	if found == p.seen && revision == p.revision {
		return nil
	}
	if err := p.follow(snapshot, found, c.Clock.Now()); err != nil {
		return err
	}
	p.seen, p.revision = found, revision
	return nil
}

// follow aims at what was found.
func (p *planner) follow(snapshot *cluster.Snapshot, found *inventory.Inventory, now time.Time) error {
	c := p.controller
	wanted := targets(snapshot, found, c.Namespace)
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.states {
		if wanted[name] == nil {
			delete(c.states, name)
			delete(c.unwritten, name)
			p.schedule.remove(name)
		}
	}
	first := c.unwritten == nil
	if first {
		c.unwritten = map[string]bool{}
	}
	for i := range found.Backends {
		backend := &found.Backends[i]
		s, known := c.states[backend.Name]
		if !known {
			stored, err := c.backends.Get(backend.Name)
			if err != nil && !apierrors.IsNotFound(err) {
				return err
			}
			s = newState(stored, stored != nil && recent(stored, found.Probes[backend.Name], now))
			c.states[backend.Name] = s
		}
		if first {
			c.unwritten[backend.Name] = true
		}
		changed, due := s.aim(wanted[backend.Name], &backend.Status)
		if changed {
			s.reconsider(c.judges, now)
			p.queue.Add(backend.Name)
		}
		switch {
		case c.Off != "" || s.target.skip != "":
			p.schedule.remove(backend.Name)
		case s.running:
			s.again = s.again || due
		case due && known:
			p.schedule.set(backend.Name, now)
		case due:
			p.schedule.set(backend.Name, now.Add(firstDelay(backend.Name, len(found.Backends), s.target.interval())))
		}
	}
	c.settle()
	return nil
}

// settle notes that the first plan is written. The lock is held.
func (c *Controller) settle() {
	if c.unwritten != nil && len(c.unwritten) == 0 {
		c.writtenOnce.Do(func() { close(c.written) })
	}
}

// take returns a round that is due.
func (p *planner) take() (turn, bool) {
	c, now := p.controller, p.controller.Clock.Now()
	name, due, ok := p.schedule.take(now)
	if !ok {
		return turn{}, false
	}
	late.Observe(now.Sub(due).Seconds())
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.states[name]
	s.running, s.again = true, false
	return turn{name, s.target, s.next, now}, true
}

// record takes in what a round found.
func (p *planner) record(r round) {
	c, now := p.controller, p.controller.Clock.Now()
	observeRound(&r)
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.states[r.name]
	if !ok || !s.running {
		return // it is gone, or gone and back
	}
	if s.target.skip != "" {
		s.running = false
		return
	}
	delay, news := s.record(r, c.judges, now)
	if s.again {
		delay = 0
	}
	p.schedule.set(r.name, r.at.Add(delay))
	if news {
		p.queue.Add(r.name)
	}
}

func recent(stored *v1alpha1.Backend, probe extant.Probe, now time.Time) bool {
	return inventory.RecentAt(stored.Status.LastProbeTime, probe, now)
}
