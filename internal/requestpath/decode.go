package requestpath

import (
	"bytes"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
)

// readObject decodes an object and checks that it is of the kind that the
// resource takes. What its type does not have is dropped, what has the wrong
// type is a mistake.
func (r *request) readObject(name string, raw runtime.RawExtension, because string) (*document, error) {
	path := requestPath.Child(name)
	d := &document{kind: r.kind, because: because}
	switch {
	case len(raw.Raw) == 0:
		return d, nil
	case !r.isCustom(r.kind) && scheme().Recognizes(r.kind):
		return r.decodeTyped(d, path, raw.Raw)
	}
	fields, err := r.parse(path, raw.Raw)
	if err != nil {
		return nil, err
	}
	known := contents{fields: fields}
	if r.isCustom(r.kind) {
		if known, err = r.decodeCustom(r.kind, known); err != nil {
			return nil, invalid(field.Invalid(path, "", err.Error()))
		}
	} else {
		// The server behind an APIService knows what it takes.
		known.doubt = &doubt{others: true, because: "what the API server makes of a " + r.kind.Kind + " is not known"}
	}
	d = d.holding(func() contents { return known })
	d.sent = &unstructured.Unstructured{Object: known.fields}
	return d, nil
}

// decodeTyped decodes an object of one of Kubernetes' own kinds.
func (r *request) decodeTyped(d *document, path *field.Path, data []byte) (*document, error) {
	typed, err := scheme().New(r.kind)
	if err != nil {
		return nil, err
	}
	err = utiljson.Unmarshal(data, typed)
	sent := typed.GetObjectKind().GroupVersionKind()
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) || sent != r.kind && !sent.Empty() {
		if _, better := r.parse(path, data); better != nil {
			return nil, better
		}
		if err != nil {
			return nil, invalid(field.Invalid(path, "", err.Error()))
		}
	}
	typed.GetObjectKind().SetGroupVersionKind(r.kind)
	d = d.holding(func() contents {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
		if err != nil {
			return contents{map[string]any{"apiVersion": r.kind.GroupVersion().String(), "kind": r.kind.Kind}, &doubt{others: true, because: err.Error()}}
		}
		return contents{fields: fields}
	})
	d.sent, d.labelsAsSent = typed.(metav1.Object)
	return d, nil
}

// parse reads the fields of an object, and checks those that every object has.
func (r *request) parse(path *field.Path, data []byte) (map[string]any, error) {
	var fields map[string]any
	if err := utiljson.Unmarshal(data, &fields); err != nil {
		return nil, invalid(field.Invalid(path, "", "must be a JSON object: "+err.Error()))
	}
	if fields == nil {
		return nil, invalid(field.Invalid(path, "", "must be a JSON object"))
	}
	sent := unstructured.Unstructured{Object: fields}
	if kind := sent.GetKind(); kind != "" && r.kind.Kind != "" && kind != r.kind.Kind {
		return nil, invalid(field.Invalid(path.Child("kind"), kind, fmt.Sprintf("%s takes a %s", r.named(), r.kind.Kind)))
	}
	if version := sent.GetAPIVersion(); version != "" && version != r.kind.GroupVersion().String() && r.kind.Kind != "" {
		return nil, invalid(field.Invalid(path.Child("apiVersion"), version, fmt.Sprintf("the request is in the version %s", r.kind.GroupVersion())))
	}
	if r.kind.Kind != "" {
		fields["apiVersion"], fields["kind"] = r.kind.GroupVersion().String(), r.kind.Kind
	}
	if _, ok := fields["metadata"].(map[string]any); !ok && fields["metadata"] != nil && r.operation != admission.Connect {
		return nil, invalid(field.Invalid(path.Child("metadata"), "", "must be an object"))
	}
	return fields, nil
}
