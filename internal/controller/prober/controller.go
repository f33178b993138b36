package prober

import (
	"context"
	"net"
	"sync"
	"time"

	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/controller/loop"
	"github.com/extant-project/extant/internal/inventory"
	client "github.com/extant-project/extant/pkg/generated/clientset/versioned/typed/extant/v1alpha1"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions/extant/v1alpha1"
	listers "github.com/extant-project/extant/pkg/generated/listers/extant/v1alpha1"
)

// FieldManager is the name under which probes are written.
const FieldManager = "extant-prober"

const (
	// planInterval is the least time between two looks at what is to be called.
	planInterval = 500 * time.Millisecond
	// planRetry is how long a look waits that failed.
	planRetry = 5 * time.Second
	// parallelRounds bounds the backends that are probed at a time.
	parallelRounds = 128
	// parallelWrites bounds the writes in flight.
	parallelWrites = 4
	// writeRetry and writeRetryAtMost bound how long a failed write waits.
	writeRetry       = 500 * time.Millisecond
	writeRetryAtMost = 30 * time.Second
)

// Config is what a controller is made of.
type Config struct {
	Source cluster.Source
	// Inventory returns the inventory of a snapshot, without what probes found.
	Inventory func(*cluster.Snapshot) (*inventory.Inventory, error)
	Client    client.ExtantV1alpha1Interface
	Kinds     informers.Interface
	// Clock is the time by which backends are due and certificates judged.
	Clock clock.Clock
	// Events takes what people are told of transitions; nil: nobody is told.
	Events record.EventRecorder
	// Off says why nothing is called at all; empty: backends are called.
	Off string
	// AllowLocal lets addresses on loopback and the link be called.
	AllowLocal bool
	// Namespace is the one that Extant runs in.
	Namespace string
}

// Controller is the prober.
type Controller struct {
	Config
	backends listers.BackendLister
	// synced tells whether the Backends have been read.
	synced cache.InformerSynced
	judges *judges
	dialer *dialer

	// changes are those of what inventories depend on.
	changes *loop.Changes
	// written is closed when every backend of the first plan was written.
	written     chan struct{}
	writtenOnce sync.Once

	// mu guards what follows, which lives as long as a Run.
	mu     sync.Mutex
	states map[string]*state
	queue  workqueue.TypedRateLimitingInterface[string]
	// unwritten is the backends of the first plan that are to be written yet.
	unwritten map[string]bool
}

// New returns a controller that probes what the source's snapshots register.
func New(config Config) (*Controller, error) {
	changes, err := loop.Watch(config.Kinds.Extensions().Informer(), config.Kinds.ExtensionPoints().Informer())
	if err != nil {
		return nil, err
	}
	c := &Controller{
		Config:   config,
		backends: config.Kinds.Backends().Lister(),
		judges:   newJudges(),
		dialer:   &dialer{allowLocal: config.AllowLocal, limit: newLimiter(), resolver: net.DefaultResolver},
		changes:  changes,
		written:  make(chan struct{}),
	}
	registration, err := config.Kinds.Backends().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: c.enqueue, UpdateFunc: func(_, object any) { c.enqueue(object) },
	})
	if err != nil {
		return nil, err
	}
	c.synced = registration.HasSynced
	return c, nil
}

// Written is closed once the status of the first inventory is in the API.
func (c *Controller) Written() <-chan struct{} { return c.written }

// enqueue has a backend compared with what is to be written.
func (c *Controller) enqueue(object any) {
	name, err := cache.ObjectToName(object)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue != nil {
		c.queue.Add(name.Name)
	}
}

// Run probes and writes until the context ends. It may run again after that:
// what it knows it then reads from what is stored.
func (c *Controller) Run(ctx context.Context) {
	if !cache.WaitForCacheSync(ctx.Done(), append(c.changes.Synced, c.synced)...) {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](writeRetry, writeRetryAtMost))
	c.mu.Lock()
	c.states, c.queue, c.unwritten = map[string]*state{}, queue, nil
	c.mu.Unlock()
	var workers sync.WaitGroup
	defer workers.Wait()
	defer queue.ShutDown()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.states, c.queue = nil, nil
	}()
	defer cancel()
	for range parallelWrites {
		workers.Go(func() { c.write(ctx, queue) })
	}
	c.loop(ctx, queue)
}

// loop decides when what is due.
func (c *Controller) loop(ctx context.Context, queue workqueue.TypedRateLimitingInterface[string]) {
	logger := klog.FromContext(ctx)
	clusterChanged, stop := c.Source.Subscribe()
	defer stop()
	defer loop.Queue("prober", queue.Len)()
	var (
		plan      = planner{controller: c, queue: queue, schedule: newSchedule()}
		results   = make(chan round)
		rounds    int
		replan    = time.NewTimer(0)
		scheduled = true
		looked    time.Time
		due       = c.Clock.NewTimer(time.Hour)
		failed    string
	)
	defer replan.Stop()
	defer due.Stop()
	var calls sync.WaitGroup
	defer inFlight.Set(0)
	defer calls.Wait() // nobody is called any more when another replica begins
	look := func() {
		if !scheduled {
			scheduled = true
			replan.Reset(max(0, time.Until(looked.Add(planInterval))))
		}
	}
	for {
		rounds += c.begin(ctx, &calls, &plan, parallelRounds-rounds, results)
		inFlight.Set(float64(rounds))
		if rounds < parallelRounds {
			if !due.Stop() {
				select {
				case <-due.C():
				default:
				}
			}
			due.Reset(plan.schedule.wait(c.Clock.Now()))
		}
		select {
		case <-ctx.Done():
			return
		case <-clusterChanged:
			look()
		case <-c.changes.C:
			look()
		case <-due.C():
		case r := <-results:
			rounds--
			plan.record(r)
		case <-replan.C:
			scheduled, looked = false, time.Now()
			err := plan.look()
			loop.CountPass("prober", time.Since(looked), err)
			if err == nil {
				failed = ""
			} else {
				if failed != err.Error() { // said once, not at each retry
					logger.Error(err, "Could not tell what to probe")
				}
				failed, scheduled = err.Error(), true
				replan.Reset(planRetry)
			}
		}
	}
}

// begin begins what is due, at most so many, and returns how many those are.
func (c *Controller) begin(ctx context.Context, calls *sync.WaitGroup, plan *planner, most int, results chan<- round) int {
	for begun := range most {
		next, ok := plan.take()
		if !ok {
			return begun
		}
		calls.Go(func() {
			r := c.dialer.round(ctx, next.name, next.target, next.from, next.at)
			select {
			case results <- r:
			case <-ctx.Done():
			}
		})
	}
	return most
}
