package standalone

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// more than any disk has.
const fullDisk = "--data-reserve-bytes=1000000000000000000"

// TestAServerOnAFullDiskRefusesWritesAndGoesOnOtherwise takes a disk for full
// that is not: what the server does then is done before there is no room left.
func TestAServerOnAFullDiskRefusesWritesAndGoesOnOtherwise(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	declare(t, s, "kept")
	declare(t, s, "deleted")
	want := objects(t, s)
	s.stop(t)

	s = start(t, dir, fullDisk)
	wantAll(t, s, want)
	api := s.client.ExtantV1alpha1()
	_, create := api.Extensions().Create(t.Context(), &v1alpha1.Extension{ObjectMeta: metav1.ObjectMeta{Name: "refused"}}, metav1.CreateOptions{})
	_, update := api.Extensions().Patch(t.Context(), "kept", types.MergePatchType, []byte(`{"spec":{"owner":"refused"}}`), metav1.PatchOptions{})
	for what, err := range map[string]error{"creation": create, "change": update} {
		if !apierrors.IsServiceUnavailable(err) || !strings.Contains(err.Error(), "the disk of Extant's data directory "+dir+" is almost full") {
			t.Errorf("of a %s it says: %v", what, err)
		}
	}
	if err := api.Extensions().Delete(t.Context(), "deleted", metav1.DeleteOptions{}); err != nil {
		t.Errorf("a deletion is refused: %v", err)
	}
	review, err := api.RequestReviews().Create(t.Context(), &v1alpha1.RequestReview{Spec: v1alpha1.RequestReviewSpec{Request: v1alpha1.ReviewedRequest{
		Operation: v1alpha1.OperationCreate, Version: "v1", Resource: "pods", Namespace: "shop",
		Object: runtime.RawExtension{Raw: []byte(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}`)},
	}}}, metav1.CreateOptions{})
	if err != nil || len(review.Status.Hops) == 0 {
		t.Errorf("a review says %+v: %v", review, err)
	}
	metrics, err := s.client.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	if err != nil || !regexp.MustCompile(`(?m)^extant_data_free_bytes [1-9]`).Match(metrics) {
		t.Errorf("how much is free is not told: %v", err)
	}
	s.stop(t)
	log, err := os.ReadFile(filepath.Join(dir, "extant.log"))
	if said := strings.Count(string(log), "Refusing writes: the disk of the data directory is almost full"); err != nil || said != 1 {
		t.Errorf("it is logged %d times: %v", said, err)
	}

	s = start(t, dir)
	delete(want, "Extension/deleted")
	wantAll(t, s, want)
	if kept, err := s.client.ExtantV1alpha1().Extensions().Get(t.Context(), "kept", metav1.GetOptions{}); err != nil || kept.Spec.Owner != "platform" {
		t.Errorf("a change that was refused is there: %+v, %v", kept, err)
	}
	declare(t, s, "refused")
	s.stop(t)
}
