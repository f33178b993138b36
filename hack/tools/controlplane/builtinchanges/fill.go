package main

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// deepest is where filling ends; some types contain themselves.
const deepest = 14

// filler makes objects. Each field is present with the probability density,
// those on the way to focus always.
type filler struct {
	random    *rand.Rand
	constants *constants
	focus     string
	density   float64
	// within counts the structs around the one that is filled, by type: some
	// types contain themselves in many fields.
	within map[reflect.Type]int
}

func (f *filler) object(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	f.fields(v.Elem(), "", 0)
	return v
}

// forced tells whether the path is on the way to focus, or is it.
func (f *filler) forced(path string) bool {
	rest, ok := strings.CutPrefix(f.focus, path)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[' || rest[0] == '{')
}

func (f *filler) present(path string) bool {
	return f.forced(path) || f.random.Float64() < f.density
}

// fields fills a struct. Of one whose fields are all pointers, as a rule at
// most one may be set.
func (f *filler) fields(v reflect.Value, path string, depth int) {
	if f.within[v.Type()] > 1 {
		return
	}
	f.within[v.Type()]++
	defer func() { f.within[v.Type()]-- }()
	all := jsonFields(v.Type())
	only := ""
	chance := f.random.IntN(10)
	if isUnion(all) && chance == 9 && !(f.focus != "" && f.forced(path) && f.focus != path) {
		return
	}
	if isUnion(all) && chance > 0 {
		only = all[f.random.IntN(len(all))].name
		for _, field := range all {
			if f.focus != "" && f.forced(join(path, field.name)) {
				only = field.name
			}
		}
	}
	for _, field := range all {
		at := join(path, field.name)
		if only != "" && field.name != only || !settable(at, field) {
			continue
		}
		if only != "" || f.present(at) {
			f.fill(v.FieldByIndex(field.index), at, depth+1, only != "")
		}
	}
}

// fill gives a value to v.
func (f *filler) fill(v reflect.Value, path string, depth int, must bool) {
	if depth > deepest || f.special(v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		if must || f.forced(path) || f.random.IntN(8) > 0 { // else a pointer to nothing
			f.fill(v.Elem(), path, depth, must)
		}
	case reflect.Struct:
		f.fields(v, path, depth)
	case reflect.Slice:
		count := f.random.IntN(3)
		if f.forced(path) {
			count = max(count, 1)
		}
		v.Set(reflect.MakeSlice(v.Type(), count, count))
		for i := range count {
			f.fill(v.Index(i), path+"[]", depth+1, must)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range f.random.IntN(3) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			key.SetString(f.key(path))
			f.fill(value, path+"{}", depth+1, false)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString(f.text(v.Type()))
	case reflect.Bool:
		v.SetBool(f.random.IntN(3) > 0)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.random.IntN(4)) * int64(1+f.random.IntN(30)))
	case reflect.Uint8:
		v.SetUint('x')
	case reflect.Float64:
		v.SetFloat(1.5)
	}
}

// special fills types with a JSON form of their own.
func (f *filler) special(v reflect.Value) bool {
	switch value := v.Addr().Interface().(type) {
	case *metav1.Time:
		value.Time = time.Unix(1_000_000_000, 0).UTC()
	case *metav1.MicroTime:
		value.Time = time.Unix(1_000_000_000, 1000).UTC()
	case *metav1.Duration:
		value.Duration = time.Duration(f.random.IntN(3)) * time.Minute
	case *resource.Quantity:
		*value = resource.MustParse(pick(f.random, "0", "1", "100m", "1500u", "2Gi"))
	case *intstr.IntOrString:
		*value = intstr.Parse(pick(f.random, "0", "1", "7", "25%", "0%", "100%", "http", ""))
	case *runtime.RawExtension:
		value.Raw = []byte(`{"apiVersion":"v1","kind":"ConfigMap"}`)
	case *metav1.FieldsV1, *runtime.Object:
	default:
		return v.Kind() == reflect.Interface
	}
	return true
}

// key names an entry of a map. Of labels and annotations some are known to
// Kubernetes.
func (f *filler) key(path string) string {
	if strings.HasSuffix(path, "metadata.labels") || strings.HasSuffix(path, "metadata.annotations") {
		if f.random.IntN(2) == 0 {
			return pick(f.random, f.constants.keys...)
		}
	}
	return pick(f.random, "cpu", "memory", "example.com/a", "b", "hugepages-2Mi")
}

func (f *filler) text(t reflect.Type) string {
	values := f.constants.ofType[typeName(t)]
	if len(values) > 0 && f.random.IntN(6) > 0 {
		return pick(f.random, values...)
	}
	return pick(f.random, "", "a", "b.c", "nginx:latest", "nginx:1", "1", "[]", "{}", "None", "User", "10.0.0.1", "24h0m0s", "*", "v1", "apps/v1")
}

func pick(random *rand.Rand, from ...string) string {
	return from[random.IntN(len(from))]
}
