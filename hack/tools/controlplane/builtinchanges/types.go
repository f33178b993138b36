package main

import (
	"reflect"
	"strings"
	"sync"
)

// field is a field of a struct as JSON has it.
type field struct {
	name  string
	index []int
	typ   reflect.Type
}

var fieldsOf sync.Map // of []field by reflect.Type

// jsonFields returns the fields of a struct, those of inlined ones among them.
func jsonFields(t reflect.Type) []field {
	if known, ok := fieldsOf.Load(t); ok {
		return known.([]field)
	}
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case name == "" && (f.Anonymous || strings.Contains(options, "inline")):
			inner := f.Type
			if inner.Kind() != reflect.Struct {
				continue
			}
			for _, sub := range jsonFields(inner) {
				all = append(all, field{sub.name, append([]int{i}, sub.index...), sub.typ})
			}
		case name != "":
			all = append(all, field{name, []int{i}, f.Type})
		}
	}
	fieldsOf.Store(t, all)
	return all
}

func isUnion(fields []field) bool {
	for _, f := range fields {
		if f.typ.Kind() != reflect.Pointer {
			return false
		}
	}
	return len(fields) > 1
}

var metadataFields = []string{"name", "generateName", "namespace", "labels", "annotations", "generation", "finalizers", "resourceVersion"}

// settable excludes what says what the object is, and of metadata, which
// nothing defaults or converts, most.
func settable(path string, f field) bool {
	if path == "kind" || path == "apiVersion" {
		return false
	}
	if _, inMetadata, ok := cutLast(path, "metadata."); ok {
		for _, name := range metadataFields {
			if inMetadata == name {
				return true
			}
		}
		return strings.Contains(inMetadata, ".")
	}
	return true
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// pathsOf returns the path of each field in a type, not those in a type within
// itself.
func pathsOf(t reflect.Type) []string {
	var paths []string
	var visit func(t reflect.Type, path string, within []reflect.Type)
	visit = func(t reflect.Type, path string, within []reflect.Type) {
		for _, outer := range within {
			if outer == t {
				return
			}
		}
		switch t.Kind() {
		case reflect.Pointer:
			visit(t.Elem(), path, within)
		case reflect.Slice:
			visit(t.Elem(), path+"[]", within)
		case reflect.Map:
			visit(t.Elem(), path+"{}", within)
		case reflect.Struct:
			for _, f := range jsonFields(t) {
				at := join(path, f.name)
				if settable(at, f) {
					paths = append(paths, at)
					visit(f.typ, at, append(within[:len(within):len(within)], t))
				}
			}
		}
	}
	visit(t, "", nil)
	return paths
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// typeName names a type as constants does.
func typeName(t reflect.Type) string {
	pkg := t.PkgPath()
	for _, module := range []string{"k8s.io/api/", "k8s.io/kubernetes/"} {
		pkg = strings.TrimPrefix(pkg, module)
	}
	return pkg + "." + t.Name()
}
