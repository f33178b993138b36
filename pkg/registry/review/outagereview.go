package review

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/validation"
	"github.com/extant-project/extant/pkg/printers"
)

// outageReviews answers what is refused while things are lost, and what comes
// back.
type outageReviews struct {
	Config
	engine *outage.Engine
}

func (r *outageReviews) kind() kind[*extant.OutageReview] {
	return kind[*extant.OutageReview]{
		kind:      "OutageReview",
		singular:  "outagereview",
		newObject: func() *extant.OutageReview { return &extant.OutageReview{} },
		columns:   printers.OutageReviews,
		prepare: func(review *extant.OutageReview) field.ErrorList {
			review.Status = extant.OutageReviewStatus{}
			return nil
		},
		validate: validation.ValidateOutageReview,
		answer:   r.answer,
		verdict:  func(review *extant.OutageReview) string { return string(review.Status.Recovery.RecoversUnaided) },
		counts: func(review *extant.OutageReview) []attribute.KeyValue {
			s := &review.Status
			return []attribute.KeyValue{
				attribute.Int("extant.blocked", len(s.Blocked)), attribute.Int("extant.waves", len(s.Recovery.Waves)), attribute.Int("extant.deadlocks", len(s.Recovery.Deadlocks)),
			}
		},
	}
}

// answer asks nobody what users may do: a review follows thousands of requests
// of the cluster's own components, for which the RBAC objects of the snapshot
// decide.
func (r *outageReviews) answer(ctx context.Context, review *extant.OutageReview) error {
	observed, err := r.observe(ctx)
	if err != nil {
		return err
	}
	status, err := r.engine.Analyze(ctx, observed, &review.Spec)
	if err != nil {
		return failure("OutageReview", review.Name, err)
	}
	review.Status = *status
	return nil
}
