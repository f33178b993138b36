package requestpath

import "k8s.io/apiserver/pkg/admission"

// doubts are the parts of an object that the API server itself may supply or
// change before a phase of admission.
func (r *request) doubts(p phase) *doubt {
	d := &doubt{}
	d.unsure("the API server keeps it", "metadata", "managedFields")
	if r.operation == admission.Create && p == validatingPhase {
		for _, name := range []string{"uid", "creationTimestamp", "generation"} {
			d.unsure("the API server sets it", "metadata", name)
		}
		if r.generated {
			d.unsure("the API server makes it up", "metadata", "name")
		}
	}
	return d
}
