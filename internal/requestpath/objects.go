package requestpath

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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

// decode makes of an object what decoding makes of it: what its type does not
// have is dropped, what has the wrong type is a mistake.
func (r *request) decode(d *document) error {
	if r.isCustom(d.kind) {
		return r.decodeCustom(d)
	}
	if !scheme().Recognizes(d.kind) {
		// The server behind an APIService knows what it takes.
		d.doubt = &doubt{others: true, because: "what the API server makes of a " + d.kind.Kind + " is not known"}
		return nil
	}
	typed, err := scheme().New(d.kind)
	if err != nil {
		return err
	}
	data, err := json.Marshal(d.content)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, typed); err != nil {
		return err
	}
	typed.GetObjectKind().SetGroupVersionKind(d.kind)
	d.content, err = runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	return err
}

// isCustom tells whether objects of a kind are those of the custom resource that
// is requested. A scale of one is not.
func (r *request) isCustom(kind schema.GroupVersionKind) bool {
	return r.definition != nil && kind.Group == r.definition.Spec.Group && kind.Kind == r.definition.Spec.Names.Kind
}

// decodeCustom decodes a custom resource by the schema of its definition.
func (r *request) decodeCustom(d *document) error {
	content, err := r.schemas.Decode(r.definition, d.kind.Version, d.content)
	switch {
	case errors.Is(err, customresource.ErrNoSchema):
		d.doubt = &doubt{others: true, because: "the schema of " + r.definition.Name + ", which has the defaults, was not seen"}
		return nil
	case err != nil:
		return err
	}
	d.content = content
	return nil
}

// prepared returns an object as a phase of admission sees it.
func (r *request) prepared(p phase, d, old *document) *document {
	if !d.known() || d.plain {
		return d
	}
	prepared := *d
	if p == mutatingPhase {
		prepared.content = r.addressed(d.content)
	}
	if r.isCustom(d.kind) {
		r.prepareCustom(p, &prepared, old)
	} else {
		r.settle(p, &prepared, old)
		if r.generated && p == validatingPhase {
			prepared.doubt = prepared.doubt.or(madeUpName())
		}
	}
	return &prepared
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
func (r *request) prepareCustom(p phase, d, old *document) {
	d.doubt = d.doubt.or(r.doubts(p))
	if p != validatingPhase || r.operation != admission.Create && r.operation != admission.Update {
		return
	}
	var before map[string]any
	if old.known() {
		before = old.content
	}
	var unsure []string
	d.content, unsure = customresource.Store(r.definition, d.kind.Version, r.subresource, r.operation, d.content, before)
	kept := &doubt{}
	for _, path := range unsure {
		kept.unsure("it is kept as it is stored, which the review does not say", strings.Split(path, ".")...)
	}
	d.doubt = d.doubt.or(kept)
}

// patched is what the API server makes of an object that a policy patched.
func (r *request) patched(before *document, content map[string]any) (*document, error) {
	after := *before
	after.content = content
	if r.isCustom(before.kind) {
		err := r.decodeCustom(&after)
		return &after, err
	}
	if scheme().Recognizes(before.kind) {
		data, err := json.Marshal(content)
		if err != nil {
			return nil, err
		}
		kind := before.kind
		typed, _, err := strict().Decode(data, &kind, nil)
		if err != nil {
			return nil, fmt.Errorf("the patched object is not valid: %w", err)
		}
		if after.content, err = runtime.DefaultUnstructuredConverter.ToUnstructured(typed); err != nil {
			return nil, err
		}
		// What the patch took away that has a default has it again.
		r.settle(mutatingPhase, &after, nil)
	}
	return &after, nil
}

var builtinTypes = sync.OnceValue(func() managedfields.TypeConverter { return applyconfigurations.NewTypeConverter(scheme()) })

// structure knows how the fields of a kind are merged.
type structure struct {
	managedfields.TypeConverter
	guessed bool
}

// deduced tells whether the structure is no more than what objects show: maps
// are merged, and what is done to lists is not known.
func (s *structure) deduced() bool { return s != nil && s.guessed }

// structure returns what knows the structure of an object's kind.
func (r *request) structure(d *document) (*structure, error) {
	if r.isCustom(d.kind) {
		known, err := r.schemas.TypeConverter(r.definition, d.kind.Version)
		if errors.Is(err, customresource.ErrNoSchema) {
			return &structure{managedfields.NewDeducedTypeConverter(), true}, nil
		}
		return &structure{known, false}, err
	}
	// Kinds that are only sent, such as Binding, have no apply configuration.
	if _, err := builtinTypes().ObjectToTyped(&unstructured.Unstructured{Object: d.content}, typed.AllowDuplicates); err != nil {
		return &structure{managedfields.NewDeducedTypeConverter(), true}, nil
	}
	return &structure{builtinTypes(), false}, nil
}
