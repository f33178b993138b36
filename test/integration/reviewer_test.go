package integration

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// reviewer asks what a request passes through.
type reviewer func(ctx context.Context, spec *extant.RequestReviewSpec) (*extant.RequestReviewStatus, error)

// newReviewer asks Extant, through the aggregator.
func newReviewer(t *testing.T) reviewer {
	t.Helper()
	scheme := runtime.NewScheme()
	install.Install(scheme)
	reviews := extantClient(t).RequestReviews()
	return func(ctx context.Context, spec *extant.RequestReviewSpec) (*extant.RequestReviewStatus, error) {
		var question v1alpha1.RequestReview
		if err := scheme.Convert(&extant.RequestReview{Spec: *spec}, &question, nil); err != nil {
			return nil, err
		}
		answer, err := reviews.Create(ctx, &question, metav1.CreateOptions{})
		if err != nil {
			return nil, err
		}
		var review extant.RequestReview
		err = scheme.Convert(answer, &review, nil)
		return &review.Status, err
	}
}
