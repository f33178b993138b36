package stored

import (
	"strconv"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/validation"
	"github.com/extant-project/extant/pkg/printers"
)

var findings = kind[*extant.Finding]{
	resource:   "findings",
	singular:   "finding",
	shortNames: []string{"fnd"},
	newObject:  func() *extant.Finding { return &extant.Finding{} },
	newList:    func() runtime.Object { return &extant.FindingList{} },
	columns:    printers.Findings,
	selectable: func(f *extant.Finding) fields.Set {
		return fields.Set{
			"spec.accepted":  strconv.FormatBool(f.Spec.Accepted),
			"spec.extension": f.Spec.Extension,
			"spec.policy":    f.Spec.Policy,
			"spec.severity":  string(f.Spec.Severity),
		}
	},
	sameSpec: func(updated, old *extant.Finding) bool {
		return equality.Semantic.DeepEqual(updated.Spec, old.Spec)
	},
	validate:       validation.ValidateFinding,
	validateUpdate: validation.ValidateFindingUpdate,
}
