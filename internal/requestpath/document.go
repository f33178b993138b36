package requestpath

import (
	"errors"
	"maps"

	"github.com/google/cel-go/common/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// document is the object or old object of a request in one version, as far as
// it is known. The nil document stands for null: a request has no such object.
type document struct {
	kind schema.GroupVersionKind
	// content is the object; nil where only its kind is known.
	content map[string]any
	doubt   *doubt
	// because says why nothing is known of an object without content.
	because string
	// plain objects have no metadata: the options of CONNECT.
	plain bool

	trace *trace
	path  string
}

var (
	_ runtime.Object              = (*document)(nil)
	_ value.UnstructuredConverter = (*document)(nil)
)

// known tells whether there is anything to look at.
func (d *document) known() bool { return d != nil && d.content != nil }

// ToUnstructured returns what CEL sees: the library asks converters of objects
// for it, and hands on a CEL value as it is.
func (d *document) ToUnstructured() any {
	if d.content == nil {
		return types.NullValue
	}
	return d.trace.value(d.path, d.content, d.doubt)
}

// in returns the document as a variable of expressions that leave notes in a
// trace.
func (d *document) in(t *trace, path string) *document {
	if d == nil {
		return nil
	}
	variable := *d
	variable.trace, variable.path = t, path
	if d.content == nil {
		// There is an object, and nothing of it is known but its kind.
		variable.content = map[string]any{"apiVersion": d.kind.GroupVersion().String(), "kind": d.kind.Kind}
		variable.doubt = &doubt{others: true, because: d.because}
	}
	return &variable
}

// labelled returns the object as selectors see it, or nil where they cannot.
func (d *document) labelled() runtime.Object {
	if !d.known() || d.plain {
		return nil
	}
	all, _, _ := unstructured.NestedStringMap(d.content, "metadata", "labels")
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Labels: all}}
}

// labelsKnown tells whether a selector can be decided, and why not: whether the
// labels that it asks for are known.
func (d *document) labelsKnown(selector labels.Selector) (why string, known bool) {
	switch {
	case d == nil || d.plain:
		return "", true
	case d.content == nil:
		return d.because, false
	}
	metadata := d.doubt.field("metadata")
	if metadata != nil && metadata.changes {
		return metadata.because, false
	}
	all := metadata.field("labels")
	switch {
	case all.none():
		return "", true
	case all.changes || all.others || all.appears && len(all.fields) == 0:
		return all.because, false
	}
	requirements, _ := selector.Requirements()
	for _, requirement := range requirements {
		if one := all.field(requirement.Key()); !one.none() {
			return one.because, false
		}
	}
	return "", true
}

// as returns the document in another version that only metadata is known of.
func (d *document) as(kind schema.GroupVersionKind, because string) *document {
	if d == nil || d.kind == kind {
		return d
	}
	converted := &document{kind: kind, because: because, plain: d.plain}
	if d.content == nil {
		return converted
	}
	s, ok := shapeOf(kind, because)
	if !ok {
		s = shaped{doubt: &doubt{others: true, because: because}}
	}
	// What is known of all objects of the kind is shared by them.
	fields := maps.Clone(s.doubt.fields)
	if fields == nil {
		fields = map[string]*doubt{}
	}
	delete(fields, "apiVersion")
	delete(fields, "kind")
	converted.content = withKindOf(s.content, kind)
	if metadata, ok := d.content["metadata"]; ok {
		fields["metadata"] = d.doubt.field("metadata")
		converted.content["metadata"] = metadata
	}
	converted.doubt = &doubt{others: s.doubt.others, because: because, fields: fields}
	return converted
}

// GetObjectKind returns the kind.
func (d *document) GetObjectKind() schema.ObjectKind {
	return &metav1.TypeMeta{APIVersion: d.kind.GroupVersion().String(), Kind: d.kind.Kind}
}

// DeepCopyObject returns the document itself: it is immutable.
func (d *document) DeepCopyObject() runtime.Object { return d }

// MarshalJSON is there because converters are asked for it; nobody calls it.
func (d *document) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a document has no JSON form")
}

// UnmarshalJSON is there because converters are asked for it; nobody calls it.
func (d *document) UnmarshalJSON([]byte) error { return errors.New("a document has no JSON form") }
