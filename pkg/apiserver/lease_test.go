package apiserver

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/util/retry"
)

// leases is a cluster with the Lease, for replicas by name.
type leases struct {
	client *fake.Clientset
}

// newLeases has writes refused that were decided on an older version.
func newLeases() leases {
	client := fake.NewClientset()
	kind := coordinationv1.SchemeGroupVersion.WithResource("leases")
	var mu sync.Mutex
	version := 0
	client.PrependReactor("update", "leases", func(action clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		updated := action.(clienttesting.UpdateAction).GetObject().(*coordinationv1.Lease).DeepCopy()
		found, err := client.Tracker().Get(kind, updated.Namespace, updated.Name)
		if err != nil {
			return true, nil, err
		}
		if found.(*coordinationv1.Lease).ResourceVersion != updated.ResourceVersion {
			return true, nil, apierrors.NewConflict(coordinationv1.Resource("leases"), updated.Name, errors.New("changed"))
		}
		version++
		updated.ResourceVersion = strconv.Itoa(version)
		return true, updated, client.Tracker().Update(kind, updated, updated.Namespace)
	})
	return leases{client}
}

func (l *leases) lock(t *testing.T, replica string) resourcelock.Interface {
	t.Helper()
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, "extant-system", leaseName,
		l.client.CoreV1(), l.client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: replica})
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

// holder is who holds the Lease.
func (l *leases) holder(t *testing.T) string {
	t.Helper()
	lease, err := l.client.CoordinationV1().Leases("extant-system").Get(t.Context(), leaseName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return *lease.Spec.HolderIdentity
}

// take gives the Lease to a replica.
func (l *leases) take(t *testing.T, replica string) {
	t.Helper()
	kinds := l.client.CoordinationV1().Leases("extant-system")
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		lease, err := kinds.Get(t.Context(), leaseName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		lease.Spec = resourcelock.LeaderElectionRecordToLeaseSpec(&resourcelock.LeaderElectionRecord{
			HolderIdentity: replica, LeaseDurationSeconds: 60, AcquireTime: metav1.Now(), RenewTime: metav1.Now(),
		})
		_, err = kinds.Update(t.Context(), lease, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheLeaseIsGivenBackAfterTheControllersEnded(t *testing.T) {
	l := newLeases()
	ctx, end := context.WithCancel(t.Context())
	began, mayEnd, over := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		over <- serveTerm(ctx, l.lock(t, "a"), func(term context.Context) {
			close(began)
			<-term.Done()
			<-mayEnd
		})
	}()
	<-began
	end()
	// Others see it held for as long as anything runs.
	select {
	case err := <-over:
		t.Errorf("the term is over while controllers run: %v", err)
	case <-time.After(2 * retryPeriod):
	}
	if holder := l.holder(t); holder != "a" {
		t.Errorf("the Lease is held by %q while controllers of a run", holder)
	}
	close(mayEnd)
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	if holder := l.holder(t); holder != "" {
		t.Errorf("the Lease is held by %q after a ended", holder)
	}
}

func TestATermEndsWhenAnotherHasTheLease(t *testing.T) {
	l := newLeases()
	over := make(chan error, 1)
	began := make(chan struct{})
	go func() {
		over <- serveTerm(t.Context(), l.lock(t, "a"), func(term context.Context) {
			close(began)
			<-term.Done()
		})
	}()
	<-began
	l.take(t, "b")
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	if holder := l.holder(t); holder != "b" {
		t.Errorf("the Lease is held by %q, want b", holder)
	}
}

// The library gives back a Lease that it could not renew before the term ends,
// and whoever holds it.
func TestALeaseIsNotGivenBackTooEarlyNorForAnother(t *testing.T) {
	l := newLeases()
	if _, err := l.client.CoordinationV1().Leases("extant-system").Create(t.Context(),
		&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: leaseName}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	l.take(t, "a")
	held := &heldLock{Interface: l.lock(t, "a")}
	giveBack := func() error {
		if _, _, err := held.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		return held.Update(t.Context(), resourcelock.LeaderElectionRecord{})
	}
	if err := giveBack(); err == nil || l.holder(t) != "a" {
		t.Errorf("given back while controllers run: %v, held by %q", err, l.holder(t))
	}
	held.free.Store(true)
	l.take(t, "b")
	if err := giveBack(); err == nil || l.holder(t) != "b" {
		t.Errorf("given back for another: %v, held by %q", err, l.holder(t))
	}
	l.take(t, "a")
	if err := giveBack(); err != nil || l.holder(t) != "" {
		t.Errorf("not given back: %v, held by %q", err, l.holder(t))
	}
}
