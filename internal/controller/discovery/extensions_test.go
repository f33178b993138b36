package discovery

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned/fake"
	listers "github.com/extant-project/extant/pkg/generated/listers/extant/v1alpha1"

	clocktesting "k8s.io/utils/clock/testing"
)

// TestAnExtensionThatSomebodyDeletesDoesNotComeBack plans over an inventory
// that knows an Extension which is not there any more.
func TestAnExtensionThatSomebodyDeletesDoesNotComeBack(t *testing.T) {
	found := &inventory.Inventory{Extensions: []extant.Extension{{ObjectMeta: metav1.ObjectMeta{Name: "guard"}}}}
	for name, test := range map[string]struct {
		before  []*v1alpha1.Extension
		created int
	}{
		"it was there when the inventory was taken": {[]*v1alpha1.Extension{{ObjectMeta: metav1.ObjectMeta{Name: "guard"}}}, 0},
		"it is new": {nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewSimpleClientset()
			c := &Controller{
				client: client.ExtantV1alpha1(), extensions: listers.NewExtensionLister(cache.NewIndexer(cache.MetaNamespaceKeyFunc, nil)),
				clock: clocktesting.NewFakeClock(metav1.Now().Time),
			}
			writes, err := c.planExtensions(found, test.before)
			if err != nil {
				t.Fatal(err)
			}
			for _, write := range writes {
				_ = write(t.Context()) // the fake knows no status to apply to
			}
			list, err := client.ExtantV1alpha1().Extensions().List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := len(list.Items); got != test.created {
				t.Errorf("%d Extensions were created", got)
			}
		})
	}
}
