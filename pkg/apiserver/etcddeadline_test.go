package apiserver

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	grpccodes "google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

func TestWhatEtcdSaysBecomesAStatus(t *testing.T) {
	conflict := errors.New("conflict")
	for _, test := range []struct {
		name string
		says error
		is   func(error) bool
		want string
	}{
		{"the quota is used up", rpctypes.ErrNoSpace, apierrors.IsServiceUnavailable, "used up its quota"},
		{"the object is too large for etcd", rpctypes.ErrRequestTooLarge, apierrors.IsRequestEntityTooLargeError, "1.5 MiB"},
		{"the object is too large for the client", grpcstatus.Error(grpccodes.ResourceExhausted, "trying to send message larger than max"), apierrors.IsRequestEntityTooLargeError, "1.5 MiB"},
		{"etcd is away", grpcstatus.Error(grpccodes.Unavailable, "connection refused"), apierrors.IsServiceUnavailable, "does not answer"},
		{"anything else", conflict, func(err error) bool { return errors.Is(err, conflict) }, "conflict"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := bounded(t.Context(), func(context.Context) error { return test.says })
			if !test.is(err) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestACallOfEtcdHasADeadline(t *testing.T) {
	err := bounded(t.Context(), func(ctx context.Context) error {
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > etcdDeadline {
			t.Errorf("it has until %v", deadline)
		}
		return context.DeadlineExceeded
	})
	if !apierrors.IsServiceUnavailable(err) {
		t.Errorf("got %v", err)
	}
}
