package stored

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/validation"
	"github.com/extant-project/extant/pkg/printers"
)

var extensionPolicies = kind[*extant.ExtensionPolicy]{
	resource:   "extensionpolicies",
	singular:   "extensionpolicy",
	shortNames: []string{"extpol"},
	newObject:  func() *extant.ExtensionPolicy { return &extant.ExtensionPolicy{} },
	newList:    func() runtime.Object { return &extant.ExtensionPolicyList{} },
	columns:    printers.ExtensionPolicies,
	selectable: func(*extant.ExtensionPolicy) fields.Set { return fields.Set{} },
	sameSpec: func(updated, old *extant.ExtensionPolicy) bool {
		return equality.Semantic.DeepEqual(updated.Spec, old.Spec)
	},
	validate:       validation.ValidateExtensionPolicy,
	validateUpdate: validation.ValidateExtensionPolicyUpdate,
	status: &statusOf[*extant.ExtensionPolicy]{
		copySpec:       func(to, from *extant.ExtensionPolicy) { to.Spec = from.Spec },
		copyStatus:     func(to, from *extant.ExtensionPolicy) { to.Status = from.Status },
		validateUpdate: validation.ValidateExtensionPolicyStatusUpdate,
	},
}
