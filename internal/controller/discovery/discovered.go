package discovery

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// applyOptions make a write take over what others wrote into discovery's own
// fields.
var applyOptions = metav1.ApplyOptions{FieldManager: FieldManager, Force: true}

// discovered tells whether an object was made by discovery.
func discovered(object metav1.Object) bool {
	return object.GetLabels()[extant.LabelOrigin] == extant.OriginDiscovered
}
