package requestpath

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/client-go/applyconfigurations"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/extant-project/extant/internal/requestpath/customresource"
)

// scheme knows the types of Kubernetes' own kinds.
var scheme = sync.OnceValue(func() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, apiregistrationv1.AddToScheme} {
		if err := add(s); err != nil {
			panic(err)
		}
	}
	return s
})

var strict = sync.OnceValue(func() runtime.Decoder {
	return serializer.NewCodecFactory(scheme(), serializer.EnableStrict).UniversalDeserializer()
})

// isCustom tells whether objects of a kind are those of the custom resource that
// is requested. A scale of one is not.
func (r *request) isCustom(kind schema.GroupVersionKind) bool {
	return r.definition != nil && kind.Group == r.definition.Spec.Group && kind.Kind == r.definition.Spec.Names.Kind
}

// decodeCustom decodes a custom resource by the schema of its definition.
func (r *request) decodeCustom(kind schema.GroupVersionKind, c contents) (contents, error) {
	fields, err := r.schemas.Decode(r.definition, kind.Version, c.fields)
	if errors.Is(err, customresource.ErrNoSchema) {
		return contents{c.fields, &doubt{others: true, because: "the schema of " + r.definition.Name + ", which has the defaults, was not seen"}}, nil
	}
	return contents{fields, c.doubt}, err
}

// prepared returns an object as a phase of admission sees it.
func (r *request) prepared(p phase, d, old *document) *document {
	if !d.known() || d.plain {
		return d
	}
	prepared := d.holding(func() contents { return r.prepare(p, d.kind, d.contents(), old) })
	prepared.labelsAsSent = d.labelsAsSent && r.keepsLabels(p, d)
	return prepared
}

// keepsLabels tells whether it is sure that an object that was sent has the
// same labels in a phase of admission.
func (r *request) keepsLabels(p phase, d *document) bool {
	if r.isNamespace() || r.subresource == "scale" || r.isCustom(d.kind) {
		return false
	}
	sure, unless := r.within(d.kind).KeepsLabels(p.builtin())
	if !sure || len(unless) == 0 {
		return sure
	}
	pod, ok := d.sent.(*corev1.Pod)
	return ok && slices.Equal(unless, []string{"spec.nodeName"}) && pod.Spec.NodeName == ""
}

func (r *request) prepare(p phase, kind schema.GroupVersionKind, c contents, old *document) contents {
	if p == mutatingPhase {
		c.fields = r.addressed(c.fields)
	}
	if r.isCustom(kind) {
		return r.prepareCustom(p, kind, c, old)
	}
	c = r.settle(p, kind, c, old)
	if r.generated && p == validatingPhase {
		c.doubt = c.doubt.or(madeUpName())
	}
	return c
}

// madeUpName is the doubt of an object whose name the API server makes up.
func madeUpName() *doubt {
	d := &doubt{}
	d.unsure("the API server makes it up", "metadata", "name")
	return d
}

// addressed returns the object with the namespace and the name of the request,
// and a Namespace with the label that each has.
func (r *request) addressed(content map[string]any) map[string]any {
	content = maps.Clone(content)
	metadata, _ := content["metadata"].(map[string]any)
	if metadata = maps.Clone(metadata); metadata == nil {
		metadata = map[string]any{}
	}
	content["metadata"] = metadata
	if r.namespaced && r.namespace != "" {
		metadata["namespace"] = r.namespace
	}
	if r.name != "" && metadata["name"] == nil && r.subresource == "" {
		metadata["name"] = r.name
	}
	if r.isNamespace() && r.subresource == "" && r.name != "" {
		labels, _ := metadata["labels"].(map[string]any)
		if labels = maps.Clone(labels); labels == nil {
			labels = map[string]any{}
		}
		labels[corev1.LabelMetadataName] = r.name
		metadata["labels"] = labels
	}
	return content
}

// prepareCustom makes of a custom resource what the registry makes of it.
func (r *request) prepareCustom(p phase, kind schema.GroupVersionKind, c contents, old *document) contents {
	c.doubt = c.doubt.or(r.doubts(p))
	if p != validatingPhase || r.operation != admission.Create && r.operation != admission.Update {
		return c
	}
	var unsure []string
	c.fields, unsure = customresource.Store(r.definition, kind.Version, r.subresource, r.operation, c.fields, old.contents().fields)
	kept := &doubt{}
	for _, path := range unsure {
		kept.unsure("it is kept as it is stored, which the review does not say", strings.Split(path, ".")...)
	}
	c.doubt = c.doubt.or(kept)
	return c
}

// patched is what the API server makes of an object that a policy patched.
func (r *request) patched(before *document, fields map[string]any) (*document, error) {
	after := contents{fields, before.contents().doubt}
	if r.isCustom(before.kind) {
		var err error
		if after, err = r.decodeCustom(before.kind, after); err != nil {
			return nil, err
		}
	} else if scheme().Recognizes(before.kind) {
		data, err := json.Marshal(fields)
		if err != nil {
			return nil, err
		}
		kind := before.kind
		typed, _, err := strict().Decode(data, &kind, nil)
		if err != nil {
			return nil, fmt.Errorf("the patched object is not valid: %w", err)
		}
		if after.fields, err = runtime.DefaultUnstructuredConverter.ToUnstructured(typed); err != nil {
			return nil, err
		}
		// What the patch took away that has a default has it again.
		after = r.settle(mutatingPhase, before.kind, after, nil)
	}
	return before.holding(func() contents { return after }), nil
}

var builtinTypes = sync.OnceValue(func() managedfields.TypeConverter { return applyconfigurations.NewTypeConverter(scheme()) })

// noTypes knows no kind at all, and says so.
var noTypes = sync.OnceValue(func() managedfields.TypeConverter {
	none, err := managedfields.NewTypeConverter(map[string]*spec.Schema{}, false)
	if err != nil {
		panic(err)
	}
	return none
})

// structure knows how the fields of a kind are merged.
type structure struct {
	managedfields.TypeConverter
	// guessed: it is no more than what objects show. Maps are merged, and what is
	// done to lists is not known.
	guessed bool
	// missing: the API server does not find it either, and refuses.
	missing bool
}

// structure returns what knows the structure of an object's kind.
func (r *request) structure(d *document) (structure, error) {
	if r.isCustom(d.kind) {
		known, err := r.schemas.TypeConverter(r.definition, d.kind.Version)
		if errors.Is(err, customresource.ErrNoSchema) {
			return structure{TypeConverter: managedfields.NewDeducedTypeConverter(), guessed: true}, nil
		}
		return structure{TypeConverter: known}, err
	}
	// The API server looks for a kind in the OpenAPI document of the kind's own
	// group and version, and that has the kinds of the resources which are served
	// there. The kinds of most subresources come from elsewhere: a Scale is one of
	// autoscaling/v1, which serves none. Options of CONNECT are in no document.
	if r.subresource != "" && d.kind.Group != r.resource.Group || r.operation == admission.Connect {
		return structure{TypeConverter: noTypes(), missing: true}, nil
	}
	// Kinds that are only sent, such as Binding, have no apply configuration.
	if _, err := builtinTypes().ObjectToTyped(&unstructured.Unstructured{Object: d.contents().fields}, typed.AllowDuplicates); err != nil {
		return structure{TypeConverter: managedfields.NewDeducedTypeConverter(), guessed: true}, nil
	}
	return structure{TypeConverter: builtinTypes()}, nil
}
