package main

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// rounds is how many objects are made for each field of a kind, and
// randomRounds how many without a field in view.
const (
	rounds       = 5
	randomRounds = 600
)

// trial is one kind that is tried.
type trial struct {
	scheme    *runtime.Scheme
	gvk       schema.GroupVersionKind
	constants *constants
	kindType  reflect.Type
	root      *node
	// tries are the objects made, refused those of them that cannot be
	// converted, which an API server refuses as well.
	tries, refused int
	// annotated: each annotation was tried.
	annotated bool
}

func newTrial(scheme *runtime.Scheme, gvk schema.GroupVersionKind, c *constants) *trial {
	return &trial{scheme: scheme, gvk: gvk, constants: c, kindType: scheme.AllKnownTypes()[gvk], root: &node{}}
}

func (t *trial) run() error {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(t.gvk.String()))
	random := rand.New(rand.NewPCG(hash.Sum64(), 1))
	f := &filler{random: random, constants: t.constants, within: map[reflect.Type]int{}}
	if err := t.try(reflect.New(t.kindType)); err != nil { // the empty object
		return err
	}
	for _, focus := range pathsOf(t.kindType) {
		for i := range rounds {
			f.focus, f.density = focus, []float64{0.15, 0.4}[i%2]
			if err := t.try(f.object(t.kindType)); err != nil {
				return err
			}
		}
	}
	f.focus = ""
	if !t.annotated {
		t.annotated = true
		if err := t.tryAnnotations(f); err != nil {
			return err
		}
	}
	for i := range randomRounds {
		f.density = []float64{0.1, 0.3, 0.6, 0.95}[i%4]
		if err := t.try(f.object(t.kindType)); err != nil {
			return err
		}
	}
	return nil
}

// try does with an object what an API server does, and notes what became of it.
func (t *trial) try(value reflect.Value) error {
	object := value.Interface().(runtime.Object)
	object.GetObjectKind().SetGroupVersionKind(t.gvk)
	before, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	t.tries++
	after, err := t.decoded(object.DeepCopyObject())
	if err != nil {
		t.refused++
		return nil
	}
	t.root.compare(t.kindType, t.constants, before, after)
	return nil
}

// decoded is the object after defaulting and conversion to the internal
// version and back.
func (t *trial) decoded(object runtime.Object) (content map[string]any, err error) {
	defer func() {
		// Some defaulting functions presume what strict decoding assures.
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	t.scheme.Default(object)
	internal, err := t.scheme.ConvertToVersion(object, schema.GroupVersion{Group: t.gvk.Group, Version: runtime.APIVersionInternal})
	if err != nil {
		return nil, err
	}
	external, err := t.scheme.ConvertToVersion(internal, t.gvk.GroupVersion())
	if err != nil {
		return nil, err
	}
	external.GetObjectKind().SetGroupVersionKind(t.gvk)
	return runtime.DefaultUnstructuredConverter.ToUnstructured(external)
}

// tryAnnotations tries each annotation that is known to Kubernetes.
func (t *trial) tryAnnotations(f *filler) error {
	for _, key := range t.constants.keys {
		for _, text := range []string{"1", `[{"type":"Pods"}]`} {
			f.density = 0.2
			object := f.object(t.kindType)
			if accessor, err := meta.Accessor(object.Interface()); err == nil {
				accessor.SetAnnotations(map[string]string{key: text})
			}
			if err := t.try(object); err != nil {
				return err
			}
		}
	}
	return nil
}
