package outage

import (
	"encoding/json"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// operation is one request of a component of the cluster.
type operation struct {
	verb                                  extant.RequestOperation
	group, version, resource, subresource string
	namespace, name                       string
	by                                    *authenticationv1.UserInfo
	// object and old are what is sent and stored; nil where the operation has
	// none, or it is not known. Build makes them when they are needed.
	object, old map[string]any
	build       func(*operation)
	// of is the workload for whose pods it is.
	of *workload
	// alike: but for names and labels it is like others on the resource.
	alike bool
	// declared: the operation comes from Extension.spec.needs or spec.assume.
	declared bool
}

func (o *operation) request() extant.ReviewedRequest {
	o.make()
	return extant.ReviewedRequest{
		Operation: o.verb, Group: o.group, Version: o.version, Resource: o.resource, Subresource: o.subresource,
		Namespace: o.namespace, Name: o.name, Object: raw(o.object), OldObject: raw(o.old),
	}
}

// make makes the objects.
func (o *operation) make() {
	if o.build != nil {
		o.build(o)
		o.build = nil
	}
}

func raw(object map[string]any) runtime.RawExtension {
	if object == nil {
		return runtime.RawExtension{}
	}
	encoded, err := json.Marshal(object)
	if err != nil { // it was made of JSON values
		return runtime.RawExtension{}
	}
	return runtime.RawExtension{Raw: encoded}
}

// needed is the operation in the words of the API.
func (o *operation) needed() extant.Operation {
	return extant.Operation{
		Operation: string(o.verb), Group: o.group, Version: o.version, Resource: o.resource, Subresource: o.subresource, Namespace: o.namespace,
	}
}

// String names the operation for people.
func (o *operation) String() string {
	var b strings.Builder
	b.WriteString(string(o.verb))
	b.WriteByte(' ')
	b.WriteString(o.resource)
	if o.subresource != "" {
		b.WriteString("/" + o.subresource)
	}
	if o.group != "" {
		b.WriteString("." + o.group)
	}
	if o.namespace != "" {
		b.WriteString(" in " + o.namespace)
	}
	return b.String()
}
