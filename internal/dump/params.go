package dump

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/extant-project/extant/internal/cluster"
)

var (
	validatingPolicies = schema.GroupResource{Group: admissionregistrationv1.GroupName, Resource: "validatingadmissionpolicies"}
	mutatingPolicies   = schema.GroupResource{Group: admissionregistrationv1.GroupName, Resource: "mutatingadmissionpolicies"}
)

// keepParams keeps the whole objects of the kinds from which the policies of
// the dump take their params. Of everything else that is not observed, the text
// is let go with the parts.
func (c *Contents) keepParams(parts []*part) {
	c.params = map[schema.GroupKind]map[key]*unstructured.Unstructured{}
	for _, policy := range c.objects[validatingPolicies] {
		c.keepParamsOf(policy.(*admissionregistrationv1.ValidatingAdmissionPolicy).Spec.ParamKind)
	}
	for _, policy := range c.objects[mutatingPolicies] {
		c.keepParamsOf(policy.(*admissionregistrationv1.MutatingAdmissionPolicy).Spec.ParamKind)
	}
	for _, p := range parts {
		for _, o := range p.others {
			if _, named := c.params[o.kind.GroupKind()]; named {
				c.keepParam(o)
			}
		}
	}
}

func (c *Contents) keepParamsOf(kind *admissionregistrationv1.ParamKind) {
	if kind == nil {
		return
	}
	if gv, err := schema.ParseGroupVersion(kind.APIVersion); err == nil {
		c.params[gv.WithKind(kind.Kind).GroupKind()] = map[key]*unstructured.Unstructured{}
	}
}

func (c *Contents) keepParam(o other) {
	var content map[string]any
	if err := utiljson.Unmarshal(o.text, &content); err != nil {
		return // its metadata was read, so that it is JSON
	}
	param := &unstructured.Unstructured{Object: content}
	// The items of a list need not have a kind, nor rendered objects a namespace.
	param.SetGroupVersionKind(o.kind)
	param.SetManagedFields(nil)
	if served, known := c.discovery.ResourceOf(o.kind.GroupKind()); known {
		switch {
		case !served.Namespaced:
			param.SetNamespace("")
		case param.GetNamespace() == "":
			param.SetNamespace(metav1.NamespaceDefault)
		}
	}
	put(c.params, o.kind.GroupKind(), param)
}

// resourceOf returns the resource of a kind: where discovery does not know it,
// the plural that is usual.
func (c *Contents) resourceOf(kind schema.GroupKind) schema.GroupResource {
	if served, known := c.discovery.ResourceOf(kind); known {
		return schema.GroupResource{Group: served.Group, Resource: served.Resource}
	}
	plural, _ := meta.UnsafeGuessKindToResource(kind.WithVersion(""))
	return plural.GroupResource()
}

func objectsOf[T cluster.Object](all map[key]T) []cluster.Object {
	objects := make([]cluster.Object, 0, len(all))
	for _, object := range all {
		objects = append(objects, object)
	}
	return objects
}
