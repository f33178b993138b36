package requestpath

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/admission"
	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/requestpath/customresource"
)

// input returns what expressions see of a request that a hook matches: the
// objects in the version that the hook is sent.
func (t *tracer) input(s *subject, m matched, with *param) *input {
	in := &input{ctx: t.ctx, trace: t.trace, blind: t.blind(s)}
	attributes := s.withUser()
	in.attr = &admission.VersionedAttributes{Attributes: attributes, VersionedKind: m.kind}
	if object := s.converted(s.object, m.kind).in(t.trace, "object"); object != nil {
		in.attr.VersionedObject = lazy(object)
	}
	if old := s.converted(s.old, m.kind).in(t.trace, "oldObject"); old != nil {
		in.attr.VersionedOldObject = lazy(old)
	}
	in.request = celplugin.CreateAdmissionRequest(attributes, metav1.GroupVersionResource(m.resource), metav1.GroupVersionKind(m.kind))
	in.bindings.Authorizer = t.checks
	if with != nil {
		in.bindings.VersionedParams = with
	}
	switch {
	case s.isNamespace():
	case s.objectNamespace.because != "":
		// There is one, of which nothing is known: expressions are blind to it.
		in.namespace = &corev1.Namespace{}
	default:
		in.namespace = celplugin.CreateNamespaceObject(s.objectNamespace.namespace)
	}
	return in
}

// lazy returns an object as the library holds the variables of expressions.
// The mode is the one that conditions are evaluated in; in the other one, that
// of mutations, the library would go over the fields by itself.
func lazy(d *document) admission.LazyObject {
	object := admission.NewLazyObject(d)
	//nolint:staticcheck // The field is what the library itself sets for conditions.
	object.UseSchemalessTypeRef = true
	return object
}

// withUser returns the attributes with a user in any case: the library needs
// one. Expressions that read it are blind to it.
func (s *subject) withUser() admission.Attributes {
	if s.user != nil {
		return s.attributes
	}
	return admission.NewAttributesRecord(s.attributes.GetObject(), s.attributes.GetOldObject(), s.kind, s.namespace, s.attributes.GetName(),
		s.resource, s.subresource, s.operation, s.options, s.spec.DryRun, nobody)
}

// blind are the paths that expressions cannot read.
func (t *tracer) blind(s *subject) []blindness {
	var blind []blindness
	if s.user == nil {
		blind = append(blind, blindness{path: "request.userInfo", why: errUserUnknown.Error()})
	}
	if s.generated && s.phase == validatingPhase {
		blind = append(blind, blindness{path: "request.name", why: "the API server makes it up", present: true})
	}
	if s.namespace == "" || s.isNamespace() {
		return blind
	}
	if s.objectNamespace.because != "" {
		return append(blind, blindness{path: "namespaceObject", why: s.objectNamespace.because})
	}
	if namespace := s.objectNamespace.namespace; namespace != nil {
		blind = append(blind, blindness{path: "namespaceObject.metadata.resourceVersion", why: "it is not kept"})
		if namespace.UID == "" {
			blind = append(blind, blindness{path: "namespaceObject.metadata.uid", why: "the dump does not say it"})
		}
		if namespace.CreationTimestamp.IsZero() {
			blind = append(blind, blindness{path: "namespaceObject.metadata.creationTimestamp", why: "the dump does not say it"})
		}
	}
	return blind
}

// converted returns an object in the version that a hook is sent.
func (s *subject) converted(d *document, kind schema.GroupVersionKind) *document {
	if d == nil || d.kind == kind || kind.Empty() {
		return d
	}
	if d.known() && s.isCustom(d.kind) {
		if fields, known := customresource.Convert(s.definition, kind.Version, d.contents().fields); known {
			converted := d.holding(func() contents { return contents{fields, d.contents().doubt} })
			converted.kind = kind
			return converted
		}
		because := "the hook is sent the object in the version " + kind.Version + ", to which a webhook converts"
		converted := d.as(kind, because)
		return converted.holding(func() contents {
			known := converted.contents()
			return contents{known.fields, known.doubt.or(convertible(because))}
		})
	}
	return d.as(kind, "the hook is sent the object in the version "+kind.Version+", to which only the API server converts")
}

// convertible is what of the metadata a conversion webhook may change.
func convertible(because string) *doubt {
	d := &doubt{}
	d.unsure(because, "metadata", "labels")
	d.unsure(because, "metadata", "annotations")
	return d
}

func withKindOf(content map[string]any, kind schema.GroupVersionKind) map[string]any {
	copied := make(map[string]any, len(content))
	for key, value := range content {
		copied[key] = value
	}
	copied["apiVersion"], copied["kind"] = kind.GroupVersion().String(), kind.Kind
	return copied
}

// concerning are the gaps that can have to do with an answer.
var concerning = func() sets.Set[string] {
	all := sets.New("version", "discovery", cluster.StaticManifests, "namespaces", "customresourcedefinitions.apiextensions.k8s.io", "apiservices.apiregistration.k8s.io",
		"clusterroles.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io",
		"roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io",
		"services", "endpointslices.discovery.k8s.io", "pods")
	for _, one := range registrations {
		all.Insert(one.String())
	}
	return all
}()
