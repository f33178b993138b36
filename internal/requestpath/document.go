package requestpath

import (
	"errors"
	"maps"
	"reflect"
	"sync"

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
	// read returns what is known of the object. It is asked for late, because
	// most hooks read no object; nil where only the kind is known.
	read func() contents
	// because says why nothing is known of an object that cannot be read.
	because string
	// sent is the metadata as they were sent; nil where nothing was.
	sent metav1.Object
	// labelsAsSent: the object has exactly the labels that were sent, so that it
	// need not be read for them.
	labelsAsSent bool
	// plain objects have no metadata: the options of CONNECT.
	plain bool

	trace *trace
	path  string
}

// contents are what is known of an object: its fields, and what of them is in
// doubt.
type contents struct {
	fields map[string]any
	doubt  *doubt
}

var (
	_ runtime.Object              = (*document)(nil)
	_ metav1.ObjectMetaAccessor   = (*document)(nil)
	_ value.UnstructuredConverter = (*document)(nil)
)

// known tells whether there is anything to look at.
func (d *document) known() bool { return d != nil && d.read != nil }

// contents returns what is known; of what is not known, nothing.
func (d *document) contents() contents {
	if !d.known() {
		return contents{}
	}
	return d.read()
}

// holding returns a document that is the same but for what is in it, which is
// found out when it is first looked at.
func (d *document) holding(find func() contents) *document {
	same := *d
	same.read, same.labelsAsSent = sync.OnceValue(find), false
	return &same
}

// unknown returns a document of which nothing is known any more.
func (d *document) unknown(because string) *document {
	return &document{kind: d.kind, because: because, plain: d.plain}
}

// equal tells whether both say the same.
func (d *document) equal(other *document) bool {
	if d == other || d == nil || other == nil {
		return d == other
	}
	return d.kind == other.kind && d.because == other.because && d.plain == other.plain && d.known() == other.known() &&
		reflect.DeepEqual(d.contents(), other.contents())
}

// ToUnstructured returns what CEL sees: the library asks converters of objects
// for it, and hands on a CEL value as it is.
func (d *document) ToUnstructured() any {
	if !d.known() {
		return types.NullValue
	}
	known := d.contents()
	return d.trace.value(d.path, known.fields, known.doubt)
}

// in returns the document as a variable of expressions that leave notes in a
// trace.
func (d *document) in(t *trace, path string) *document {
	if d == nil {
		return nil
	}
	variable := *d
	variable.trace, variable.path = t, path
	if !d.known() {
		// There is an object, and nothing of it is known but its kind.
		known := contents{map[string]any{"apiVersion": d.kind.GroupVersion().String(), "kind": d.kind.Kind}, &doubt{others: true, because: d.because}}
		variable.read = func() contents { return known }
	}
	return &variable
}

// labelled returns the object as selectors see it, or nil where they cannot.
func (d *document) labelled() runtime.Object {
	if !d.known() || d.plain {
		return nil
	}
	return d
}

// GetObjectMeta returns the labels, which is all that selectors look at.
func (d *document) GetObjectMeta() metav1.Object {
	if d.labelsAsSent {
		return d.sent
	}
	all, _, _ := unstructured.NestedStringMap(d.contents().fields, "metadata", "labels")
	return &metav1.ObjectMeta{Labels: all}
}

// labelsKnown tells whether a selector can be decided, and why not: whether the
// labels that it asks for are known.
func (d *document) labelsKnown(selector labels.Selector) (why string, known bool) {
	switch {
	case d == nil || d.plain || d.labelsAsSent:
		return "", true
	case !d.known():
		return d.because, false
	}
	metadata := d.contents().doubt.field("metadata")
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
	if !d.known() {
		return converted
	}
	return converted.holding(func() contents { return d.contents().as(kind, because) })
}

// as returns what of an object is still known in another version.
func (c contents) as(kind schema.GroupVersionKind, because string) contents {
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
	converted := contents{withKindOf(s.content, kind), &doubt{others: s.doubt.others, because: because, fields: fields}}
	if metadata, ok := c.fields["metadata"]; ok {
		fields["metadata"] = c.doubt.field("metadata")
		converted.fields["metadata"] = metadata
	}
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
