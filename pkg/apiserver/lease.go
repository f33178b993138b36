package apiserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	_ "k8s.io/component-base/metrics/prometheus/clientgo/leaderelection" // leader_election_master_status
	"k8s.io/klog/v2"
)

// The times of the Lease. Another replica writes about leaseDuration after one
// was killed, and one retryPeriod after one ended by itself. They are shorter
// than those of kube-controller-manager, because less hangs on them: a replica
// that loses the Lease for a moment ends nothing but its controllers, and they
// begin again with what they know.
const (
	leaseDuration = 8 * time.Second
	renewDeadline = 5 * time.Second
	retryPeriod   = time.Second
	leaseName     = "extant-apiserver"
)

// lead makes this replica run the controllers whenever it holds the Lease. A
// server that ends has given the Lease back, after the last write.
func (s *Server) lead(ctx context.Context) error {
	hostname, err := os.Hostname()
	if err != nil {
		return err
	}
	// Pods on a node's network share its name, and all their processes are 1.
	identity := resourcelock.ResourceLockConfig{Identity: fmt.Sprintf("%s_%s", hostname, uuid.NewUUID())}
	lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, s.config.Namespace, leaseName,
		identity, rest.CopyConfig(s.config.Host), renewDeadline)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	go func() {
		<-s.retiring
		end()
	}()
	go func() {
		defer close(s.retired)
		// A replica that loses the Lease goes on serving, and stands for
		// election again.
		for ctx.Err() == nil {
			if err := serveTerm(ctx, lock, s.runControllers); err != nil {
				klog.FromContext(ctx).Error(err, "No part in the election of the replica that writes")
				return
			}
		}
	}()
	return nil
}

// serveTerm waits for the Lease and runs the controllers until it is lost or
// the context ends. The Lease is given back after the controllers have ended,
// and not before: whoever takes it then is the only one who writes.
func serveTerm(ctx context.Context, lock resourcelock.Interface, run func(context.Context)) error {
	held := &heldLock{Interface: lock}
	elected := make(chan context.Context, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: held, Name: leaseName,
		LeaseDuration: leaseDuration, RenewDeadline: renewDeadline, RetryPeriod: retryPeriod,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(term context.Context) { elected <- term },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return err
	}
	electing, retire := context.WithCancel(context.WithoutCancel(ctx))
	over := make(chan struct{})
	go func() {
		defer close(over)
		elector.Run(electing)
	}()
	select {
	case <-ctx.Done():
	case lease := <-elected:
		logger := klog.FromContext(ctx)
		logger.Info("This replica writes now", "lease", lock.Describe())
		term, end := context.WithCancel(ctx)
		stop := context.AfterFunc(lease, end)
		run(term)
		stop()
		end()
		logger.Info("This replica writes no more", "lease", lock.Describe())
	}
	held.free.Store(true)
	retire()
	<-over
	return nil
}

// heldLock is a Lease that is given back by its holder alone, and when nothing
// is done under it any more. The library gives one back also when it could not
// renew it, before it tells anybody, and whoever holds it by then.
type heldLock struct {
	resourcelock.Interface
	// free: the controllers have ended.
	free atomic.Bool
	// holder is who held the Lease when it was read last; one goroutine reads
	// and writes it.
	holder string
}

func (l *heldLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	if err == nil {
		l.holder = record.HolderIdentity
	}
	return record, raw, err
}

func (l *heldLock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if record.HolderIdentity == "" {
		switch {
		case !l.free.Load():
			return errors.New("the controllers of this replica still run: the Lease is left to expire")
		case l.holder != l.Identity():
			return fmt.Errorf("the Lease is held by %s by now", l.holder)
		}
	}
	return l.Interface.Update(ctx, record)
}

// retire ends this replica's part in the Lease before the server ends, while
// the controllers can still finish what they write. That it failed must not
// end the server before the requests that it serves.
func (s *Server) retire() error {
	close(s.retiring)
	select {
	case <-s.retired:
	case <-time.After(leaseDuration):
		klog.Background().Info("The Lease could not be given back: another replica takes it when it expires", "lease", klog.KRef(s.config.Namespace, leaseName))
	}
	return nil
}
