package review

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/component-base/metrics/testutil"

	"github.com/extant-project/extant/pkg/apis/extant"
)

func TestReviewsAreCountedByVerdictOrByWhyThereIsNone(t *testing.T) {
	answered.Reset()
	failures.Reset()
	r := outagesOf(t, nil)
	if _, err := r.Create(as(carol), loseGuards(), nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Create(as(carol), &extant.OutageReview{}, nil, nil); !apierrors.IsInvalid(err) {
		t.Fatalf("got %v", err)
	}
	for range maxRunning {
		r.running <- struct{}{}
	}
	if _, err := r.Create(as(carol), loseGuards(), nil, nil); !apierrors.IsTooManyRequests(err) {
		t.Fatalf("got %v", err)
	}
	testutil.AssertHistogramTotalCount(t, "extant_review_duration_seconds", map[string]string{"kind": "OutageReview", "verdict": "False"}, 1)
	testutil.AssertHistogramTotalCount(t, "extant_review_duration_seconds", map[string]string{"kind": "OutageReview"}, 1)
	testutil.AssertVectorCount(t, "extant_review_failures_total", map[string]string{"kind": "OutageReview", "reason": "Invalid"}, 1)
	testutil.AssertVectorCount(t, "extant_review_failures_total", map[string]string{"kind": "OutageReview", "reason": "TooManyRequests"}, 1)
	testutil.AssertVectorCount(t, "extant_review_failures_total", map[string]string{"kind": "OutageReview"}, 2)
}
