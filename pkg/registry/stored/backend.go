package stored

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/validation"
	"github.com/extant-project/extant/pkg/printers"
)

var backends = kind[*extant.Backend]{
	resource:   "backends",
	singular:   "backend",
	shortNames: []string{"be"},
	newObject:  func() *extant.Backend { return &extant.Backend{} },
	newList:    func() runtime.Object { return &extant.BackendList{} },
	columns:    printers.Backends,
	selectable: func(b *extant.Backend) fields.Set {
		return fields.Set{
			"status.available": string(orUnknown(b.Status.Available)),
			"status.reason":    string(b.Status.Reason),
		}
	},
	sameSpec: func(updated, old *extant.Backend) bool {
		return equality.Semantic.DeepEqual(updated.Spec, old.Spec)
	},
	validate:       validation.ValidateBackend,
	validateUpdate: validation.ValidateBackendUpdate,
	status: &statusOf[*extant.Backend]{
		copySpec:       func(to, from *extant.Backend) { to.Spec = from.Spec },
		copyStatus:     func(to, from *extant.Backend) { to.Status = from.Status },
		validateUpdate: validation.ValidateBackendStatusUpdate,
	},
}
