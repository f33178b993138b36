package analyser

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant/install"
)

// object is an object of the API.
type object interface {
	comparable
	runtime.Object
	metav1.Object
}

// hubs converts the objects of a lister. One that did not change is converted
// once, and stays the same pointer.
type hubs[V object, H object] struct {
	list  func(labels.Selector) ([]V, error)
	make  func() H
	known map[V]H
}

// all returns the objects in order of their names.
func (h *hubs[V, H]) all() ([]H, error) {
	stored, err := h.list(labels.Everything())
	if err != nil {
		return nil, err
	}
	known := make(map[V]H, len(stored))
	converted := make([]H, 0, len(stored))
	for _, one := range stored {
		hub, ok := h.known[one]
		if !ok {
			hub = h.make()
			if err := install.Scheme.Convert(one, hub, nil); err != nil {
				return nil, fmt.Errorf("could not convert %T %s: %w", one, one.GetName(), err)
			}
		}
		known[one] = hub
		converted = append(converted, hub)
	}
	h.known = known
	slices.SortFunc(converted, func(x, y H) int { return strings.Compare(x.GetName(), y.GetName()) })
	return converted, nil
}
