package bench

import (
	"context"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// pod is what is reviewed: in the example cluster it meets a mutating and a
// validating policy, pod security, and webhooks of three products.
const pod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-0","labels":{"app":"web"}},` +
	`"spec":{"containers":[{"name":"web","image":"registry.example.com/web:1"}]}}`

// reviews measures the reviews that the server answers to several clients at a
// time.
func reviews(b *testing.B, s *server) {
	review := &v1alpha1.RequestReview{Spec: v1alpha1.RequestReviewSpec{
		Request: v1alpha1.ReviewedRequest{Operation: v1alpha1.OperationCreate, Version: "v1", Resource: "pods", Namespace: "shop",
			Object: runtime.RawExtension{Raw: []byte(pod)}},
		User:   &authenticationv1.UserInfo{Username: "alice", Groups: []string{"team-shop"}},
		Assume: v1alpha1.RequestAssumptions{Backends: v1alpha1.BackendsAllAvailable},
	}}
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			answered, err := s.client.ExtantV1alpha1().RequestReviews().Create(context.Background(), review, metav1.CreateOptions{})
			if err != nil {
				b.Error(err)
				return
			}
			if answered.Status.Verdict != v1alpha1.VerdictAllowed {
				b.Errorf("%s: %s", answered.Status.Verdict, answered.Status.Message)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reviews/s")
}
