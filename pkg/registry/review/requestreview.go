package review

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"k8s.io/apimachinery/pkg/util/validation/field"

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
		verdict:  func(review *extant.RequestReview) string { return string(review.Status.Verdict) },
		counts: func(review *extant.RequestReview) []attribute.KeyValue {
			s := &review.Status
			return []attribute.KeyValue{
				attribute.Int("extant.hops", len(s.Hops)), attribute.Int("extant.called", len(s.Presumes)), attribute.Int("extant.blocked_by", len(s.BlockedBy)),
			}
		},
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
	if err != nil {
		return failure("RequestReview", review.Name, err)
	}
	status.Observed.Gaps = append(status.Observed.Gaps, assumed...)
	review.Status = *status
	return nil
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
