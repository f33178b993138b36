package requestpath

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A built-in kind that the API server converts to another version is not known,
// but the type of that version is: it has the fields that it has and no others,
// and what is a structure in it is always there.

// shaped is an object of which only the type is known.
type shaped struct {
	content map[string]any
	doubt   *doubt
}

var shapes sync.Map // of schema.GroupVersionKind

// shapeOf returns an object of a built-in kind of which only the type is known.
func shapeOf(kind schema.GroupVersionKind, because string) (shaped, bool) {
	if known, ok := shapes.Load(kind); ok {
		return known.(shaped), true
	}
	typed, err := scheme().New(kind)
	if err != nil {
		return shaped{}, false
	}
	s := shapeOfType(reflect.TypeOf(typed).Elem(), because, nil)
	shapes.Store(kind, s)
	return s, true
}

func shapeOfType(t reflect.Type, because string, within []reflect.Type) shaped {
	s := shaped{map[string]any{}, &doubt{fields: map[string]*doubt{}, because: because}}
	for _, outer := range within {
		if outer == t {
			// A type that holds itself goes on like this.
			s.doubt.others = true
			return s
		}
	}
	within = append(within, t)
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case field.Anonymous && name == "":
			inner := shapeOfType(field.Type, because, within)
			for name, value := range inner.content {
				s.content[name] = value
			}
			for name, d := range inner.doubt.fields {
				s.doubt.fields[name] = d
			}
		case isStructure(field.Type) && !strings.Contains(options, "omitzero"):
			inner := shapeOfType(field.Type, because, within)
			s.content[name], s.doubt.fields[name] = inner.content, inner.doubt
		default:
			s.doubt.fields[name] = &doubt{appears: true, changes: true, because: because}
		}
	}
	return s
}

// isStructure tells whether values of a type are objects with the fields of the
// type.
func isStructure(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}
