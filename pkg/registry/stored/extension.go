package stored

import (
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/validation"
	"github.com/extant-project/extant/pkg/printers"
)

var extensions = kind[*extant.Extension]{
	resource:   "extensions",
	singular:   "extension",
	shortNames: []string{"extn"},
	newObject:  func() *extant.Extension { return &extant.Extension{} },
	newList:    func() runtime.Object { return &extant.ExtensionList{} },
	columns:    printers.Extensions,
	selectable: func(e *extant.Extension) fields.Set {
		return fields.Set{
			"status.failureMode":     string(e.Status.FailureMode),
			"status.recoversUnaided": string(orUnknown(e.Status.RecoversUnaided)),
		}
	},
	// An extension that nobody says is discovered was declared by its author.
	prepare: func(e *extant.Extension) {
		if e.Labels[extant.LabelOrigin] == "" {
			metav1.SetMetaDataLabel(&e.ObjectMeta, extant.LabelOrigin, extant.OriginDeclared)
		}
	},
	sameSpec: func(updated, old *extant.Extension) bool {
		return equality.Semantic.DeepEqual(updated.Spec, old.Spec)
	},
	validate:       validation.ValidateExtension,
	validateUpdate: validation.ValidateExtensionUpdate,
	status: &statusOf[*extant.Extension]{
		copySpec:       func(to, from *extant.Extension) { to.Spec = from.Spec },
		copyStatus:     func(to, from *extant.Extension) { to.Status = from.Status },
		validateUpdate: validation.ValidateExtensionStatusUpdate,
	},
	warnings: func(e *extant.Extension) []string {
		return validation.WarningsForExtension(e, time.Now())
	},
}

// orUnknown is the verdict that selectors see before one was written.
func orUnknown(status metav1.ConditionStatus) metav1.ConditionStatus {
	if status == "" {
		return metav1.ConditionUnknown
	}
	return status
}
