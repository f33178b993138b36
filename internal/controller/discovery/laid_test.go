package discovery

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	listers "github.com/extant-project/extant/pkg/generated/listers/extant/v1alpha1"
)

func TestTheSameInventoryIsHandedOutUntilAResultDiffersOrAges(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	pure := &inventory.Inventory{Backends: []extant.Backend{{
		ObjectMeta: metav1.ObjectMeta{Name: "a"}, Status: extant.BackendStatus{Available: metav1.ConditionUnknown, Reason: extant.BackendNotProbed},
	}}}
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, nil)
	var l laid
	over := func(at time.Time) *inventory.Inventory {
		t.Helper()
		found, err := l.over(pure, listers.NewBackendLister(store), at)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	put := func(available metav1.ConditionStatus, probed time.Time) {
		at := metav1.NewTime(probed)
		if err := store.Add(&v1alpha1.Backend{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Status: v1alpha1.BackendStatus{
			Available: available, Reason: v1alpha1.BackendProbeSucceeded, LastProbeTime: &at,
		}}); err != nil {
			t.Fatal(err)
		}
	}
	if over(now) != pure {
		t.Error("without results it is another inventory")
	}
	put(metav1.ConditionTrue, now)
	first := over(now)
	if got := first.Backends[0].Status.Available; got != metav1.ConditionTrue {
		t.Errorf("a result makes it %s", got)
	}
	if over(now.Add(time.Minute)) != first {
		t.Error("without a difference it is another inventory")
	}
	if got := over(now.Add(time.Hour)).Backends[0].Status.Available; got != metav1.ConditionUnknown {
		t.Errorf("an old result makes it %s", got)
	}
	put(metav1.ConditionFalse, now.Add(time.Hour))
	if got := over(now.Add(time.Hour)).Backends[0].Status.Available; got != metav1.ConditionFalse {
		t.Errorf("another result makes it %s", got)
	}
}
