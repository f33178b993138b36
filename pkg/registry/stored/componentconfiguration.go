package stored

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/validation"
	"github.com/extant-project/extant/pkg/printers"
	"github.com/extant-project/extant/pkg/registry/raw"
)

var componentConfigurations = kind[*extant.ComponentConfiguration]{
	resource:   "componentconfigurations",
	singular:   "componentconfiguration",
	shortNames: []string{"ccfg"},
	newObject:  func() *extant.ComponentConfiguration { return &extant.ComponentConfiguration{} },
	newList:    func() runtime.Object { return &extant.ComponentConfigurationList{} },
	columns:    printers.ComponentConfigurations,
	selectable: func(c *extant.ComponentConfiguration) fields.Set {
		return fields.Set{"spec.component": c.Spec.Component}
	},
	// What cannot be brought into JSON stays as it is, and validation refuses it.
	normalise: func(c *extant.ComponentConfiguration) { _ = raw.ToJSON(&c.Spec.Configuration) },
	sameSpec: func(updated, old *extant.ComponentConfiguration) bool {
		return equality.Semantic.DeepEqual(updated.Spec, old.Spec)
	},
	validate:       validation.ValidateComponentConfiguration,
	validateUpdate: validation.ValidateComponentConfigurationUpdate,
	status: &statusOf[*extant.ComponentConfiguration]{
		copySpec:       func(to, from *extant.ComponentConfiguration) { to.Spec = from.Spec },
		copyStatus:     func(to, from *extant.ComponentConfiguration) { to.Status = from.Status },
		validateUpdate: validation.ValidateComponentConfigurationStatusUpdate,
	},
}
