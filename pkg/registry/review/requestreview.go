package review

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/endpoints/request"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/validation"
	"github.com/extant-project/extant/pkg/printers"
)

// requestReviews answers what requests pass through.
type requestReviews struct {
	Config
	engine      *requestpath.Engine
	authorizers *rbac.Authorizers
}

func (r *requestReviews) kind() kind[*extant.RequestReview] {
	return kind[*extant.RequestReview]{
		kind:      "RequestReview",
		singular:  "requestreview",
		newObject: func() *extant.RequestReview { return &extant.RequestReview{} },
		columns:   printers.RequestReviews,
		prepare: func(review *extant.RequestReview) field.ErrorList {
			review.Status = extant.RequestReviewStatus{}
			return normalise(&review.Spec.Request, field.NewPath("spec", "request"))
		},
		validate: validation.ValidateRequestReview,
		answer:   r.answer,
	}
}

func (r *requestReviews) answer(ctx context.Context, review *extant.RequestReview) error {
	spec := review.Spec
	var err error
	if spec.User, err = r.userOf(ctx, spec.User); err != nil {
		return err
	}
	observed, err := r.observe(ctx)
	if err != nil {
		return err
	}
	authorizer, assumed := r.authorizerOf(observed.Snapshot)
	status, err := r.engine.Trace(ctx, observed, authorizer, &spec)
	var invalid *requestpath.InvalidError
	switch {
	case errors.As(err, &invalid):
		return apierrors.NewInvalid(extant.Kind("RequestReview"), review.Name, invalid.Errors)
	case errors.Is(err, context.DeadlineExceeded):
		return apierrors.NewTimeoutError("the review took too long to answer", busySeconds)
	case err != nil:
		return apierrors.NewInternalError(err)
	}
	status.Observed.Gaps = append(status.Observed.Gaps, assumed...)
	review.Status = *status
	return nil
}

// observe is the observed cluster as it is now, for a caller.
func (r *requestReviews) observe(ctx context.Context) (requestpath.Observed, error) {
	snapshot := r.Source.Snapshot()
	found, err := r.Inventory(snapshot)
	if err != nil {
		return requestpath.Observed{}, apierrors.NewInternalError(fmt.Errorf("could not take the inventory: %w", err))
	}
	observed := requestpath.Observed{
		Snapshot: snapshot, Inventory: found, Params: r.paramsOf(snapshot), Time: metav1.NewTime(r.Now()),
	}
	if r.Authorizer != nil {
		observed.MayReadParam = r.mayReadParam(ctx)
	}
	return observed, nil
}

// authorizerOf returns who decides what users may do, and what is assumed
// about that.
func (r *requestReviews) authorizerOf(snapshot *cluster.Snapshot) (requestpath.Authorizer, []extant.Gap) {
	if r.Cluster != nil {
		return r.Cluster, nil
	}
	rules := r.authorizers.Of(snapshot)
	if gap, open := rules.Assumed(); open {
		return rules, []extant.Gap{{Resource: gap.Resource, Reason: string(gap.Reason), Message: gap.Message}}
	}
	return rules, nil
}

func (r *requestReviews) paramsOf(snapshot *cluster.Snapshot) requestpath.Params {
	if r.Cluster != nil {
		return r.Cluster
	}
	return snapshotParams{snapshot}
}

// mayReadParam tells whether the caller may read a param. The answer holds for
// one review.
func (r *requestReviews) mayReadParam(ctx context.Context) func(context.Context, schema.GroupVersionResource, string, string) bool {
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
			may = r.allowed(ctx, authorizer.AttributesRecord{
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
func (r *requestReviews) allowed(ctx context.Context, asked authorizer.Attributes) bool {
	decision, _, err := r.Authorizer.Authorize(ctx, asked)
	if err == nil && decision == authorizer.DecisionAllow && r.Cluster != nil && r.CallersAreKnown {
		decision, _, err = r.Cluster.Authorize(ctx, asked)
	}
	return err == nil && decision == authorizer.DecisionAllow
}
