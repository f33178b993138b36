package review

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/endpoints/request"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// observe is the observed cluster as it is now, for a caller.
func (c *Config) observe(ctx context.Context) (requestpath.Observed, error) {
	_, reading := startSpan(ctx, "Snapshot")
	snapshot := c.Source.Snapshot()
	reading.SetAttributes(attribute.String("extant.source", snapshot.Origin), attribute.Int("extant.gaps", len(snapshot.Gaps())))
	reading.End()
	_, taking := startSpan(ctx, "Inventory")
	found, err := c.Inventory(snapshot)
	taking.End()
	if err != nil {
		return requestpath.Observed{}, apierrors.NewInternalError(fmt.Errorf("could not take the inventory: %w", err))
	}
	observed := requestpath.Observed{
		Snapshot: snapshot, Inventory: found, Params: c.ParamsOf(snapshot), Time: metav1.NewTime(c.Now()),
		Begin: parts(ctx),
	}
	if c.Authorizer != nil {
		observed.MayReadParam = c.mayReadParam(ctx)
	}
	return observed, nil
}

// ParamsOf returns who reads the params of policies: the cluster where it can
// be asked, else what a snapshot has.
func (c *Config) ParamsOf(snapshot *cluster.Snapshot) requestpath.Params {
	if c.Cluster != nil {
		return c.Cluster
	}
	return snapshotParams{snapshot}
}

// mayReadParam tells whether the caller may read a param. The answer holds for
// one review.
func (c *Config) mayReadParam(ctx context.Context) func(context.Context, schema.GroupVersionResource, string, string) bool {
	type param struct {
		resource        schema.GroupVersionResource
		namespace, name string
	}
	known := map[param]bool{}
	caller, ok := request.UserFrom(ctx)
	return func(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) bool {
		asked := param{resource, namespace, name}
		may, answered := known[asked]
		if !answered && ok {
			may = c.allowed(ctx, authorizer.AttributesRecord{
				User: caller, Verb: "get", APIGroup: resource.Group, APIVersion: resource.Version, Resource: resource.Resource,
				Namespace: namespace, Name: name, ResourceRequest: true,
			})
			known[asked] = may
		}
		return may
	}
}

// allowed tells whether the caller may do something in the observed cluster.
// Where that is another one than the host cluster, which knows the caller, both
// must say so: the objects are those of the one, the caller is the other's.
func (c *Config) allowed(ctx context.Context, asked authorizer.Attributes) bool {
	decision, _, err := c.Authorizer.Authorize(ctx, asked)
	if err == nil && decision == authorizer.DecisionAllow && c.Cluster != nil && c.CallersAreKnown {
		decision, _, err = c.Cluster.Authorize(ctx, asked)
	}
	return err == nil && decision == authorizer.DecisionAllow
}

// failure is what the caller is told where an engine has no answer: what is
// wrong with the review, or with the server.
func failure(kind, name string, err error) error {
	var invalid *requestpath.InvalidError
	switch {
	case errors.As(err, &invalid):
		return apierrors.NewInvalid(extant.Kind(kind), name, invalid.Errors)
	case errors.Is(err, context.DeadlineExceeded):
		return apierrors.NewTimeoutError("the review took too long to answer", busySeconds)
	default:
		return apierrors.NewInternalError(err)
	}
}
