package requestpath

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"

	"github.com/extant-project/extant/internal/requestpath/builtin"
)

var optionKinds = map[admission.Operation]string{
	admission.Create: "CreateOptions", admission.Update: "UpdateOptions", admission.Delete: "DeleteOptions",
}

// optionsOf returns the options of an operation that sets none.
func optionsOf(operation admission.Operation, dry bool) runtime.Object {
	var dryRun []string
	if dry {
		dryRun = []string{metav1.DryRunAll}
	}
	switch operation {
	case admission.Create:
		return &metav1.CreateOptions{DryRun: dryRun}
	case admission.Update:
		return &metav1.UpdateOptions{DryRun: dryRun}
	case admission.Delete:
		return &metav1.DeleteOptions{DryRun: dryRun}
	default:
		return nil
	}
}

// phase is a part of admission. What the object is differs: between the two
// the API server makes up names and prepares the object for storage.
type phase int

const (
	mutatingPhase phase = iota
	validatingPhase
)

func (p phase) builtin() builtin.Phase {
	if p == validatingPhase {
		return builtin.Validating
	}
	return builtin.Mutating
}

// generatedName stands for a name that the API server makes up. No name that
// somebody wrote down equals it.
const generatedName = "\x00generated"

// attributes returns the request as the library's matching code sees it. The
// objects are those that selectors look at.
func (r *request) attributes(p phase, object, old *document) admission.Attributes {
	name := r.name
	if r.generated && p == validatingPhase {
		name = generatedName
	}
	return admission.NewAttributesRecord(object.labelled(), old.labelled(), r.kind, r.namespace, name, r.resource, r.subresource,
		r.operation, r.options, r.spec.DryRun, r.user)
}
