package etcdupkeep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// Policy says how often etcd is looked at, and what is done about it.
type Policy struct {
	// Period is the time between two looks. At each, at most one member is
	// defragmented.
	Period time.Duration
	// MinSize is the size in bytes below which a file is left as it is.
	MinSize int64
	// MaxFree is the part of a file that may be free, between 0 and 1.
	MaxFree float64
}

const (
	// urgent is the time between two looks while etcd refuses writes.
	urgent = 5 * time.Second
	// stepTimeout is how long etcd may take to compact or to defragment.
	stepTimeout = 5 * time.Minute
)

// Controller keeps one etcd in order.
type Controller struct {
	etcd   Etcd
	policy Policy
	clock  clock.Clock

	// compacted is the revision up to which the history was forgotten, and said
	// what was logged last of what is not as it should be.
	compacted int64
	said      string
}

// New returns a controller that keeps this etcd in order.
func New(etcd Etcd, policy Policy, clock clock.Clock) *Controller {
	return &Controller{etcd: etcd, policy: policy, clock: clock}
}

// Run keeps etcd in order until the context ends.
func (c *Controller) Run(ctx context.Context) {
	defer forget()
	for {
		pause := c.policy.Period
		if c.tend(ctx) {
			pause = min(pause, urgent)
		}
		select {
		case <-ctx.Done():
			return
		case <-c.clock.After(pause):
		}
	}
}

// tend looks once and does what is to be done next. It tells whether there is
// hope that doing more at once makes etcd accept writes again.
func (c *Controller) tend(ctx context.Context) (goOn bool) {
	s, err := look(ctx, c.etcd)
	if err != nil {
		c.say(ctx, err.Error())
		return false
	}
	measure(s)
	next := c.policy.plan(s, c.compacted)
	problem := next.reason
	if problem == "" && len(s.full) > 0 {
		problem = "etcd refuses writes because its quota is used up"
	}
	if err := c.do(ctx, next); err != nil {
		c.say(ctx, err.Error())
		return false
	}
	if len(next.disarm) > 0 {
		problem = ""
	}
	c.say(ctx, problem)
	return len(s.full) > 0 && next.reason == ""
}

// do takes a step.
func (c *Controller) do(ctx context.Context, next step) error {
	logger := klog.FromContext(ctx)
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	switch {
	case next.compact > 0:
		_, err := c.etcd.Compact(ctx, next.compact, clientv3.WithCompactPhysical())
		if err != nil && !errors.Is(err, rpctypes.ErrCompacted) {
			return fmt.Errorf("could not compact etcd: %w", err)
		}
		c.compacted = next.compact
		logger.Info("Compacted etcd, which refuses writes", "revision", next.compact)
	case next.defragment != "":
		if _, err := c.etcd.Defragment(ctx, next.defragment); err != nil {
			defragmentations.WithLabelValues(next.defragment, "error").Inc()
			return fmt.Errorf("could not defragment the etcd member at %s: %w", next.defragment, err)
		}
		defragmentations.WithLabelValues(next.defragment, "success").Inc()
		logger.Info("Defragmented a member of etcd", "endpoint", next.defragment)
	case len(next.disarm) > 0:
		for _, id := range next.disarm {
			alarm := &clientv3.AlarmMember{MemberID: id, Alarm: etcdserverpb.AlarmType_NOSPACE}
			if _, err := c.etcd.AlarmDisarm(ctx, alarm); err != nil {
				return fmt.Errorf("could not disarm the alarm of etcd: %w", err)
			}
		}
		logger.Info("Disarmed the alarm of etcd: it is below its quota and accepts writes")
	}
	return nil
}

// say logs what is not as it should be when it changes.
func (c *Controller) say(ctx context.Context, problem string) {
	if problem == c.said || ctx.Err() != nil {
		return
	}
	c.said = problem
	logger := klog.FromContext(ctx)
	if problem == "" {
		logger.Info("Etcd is in order")
		return
	}
	logger.Info("Etcd is not in order", "problem", problem)
}
