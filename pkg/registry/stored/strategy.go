package stored

import (
	"context"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/names"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
)

func (k kind[T]) match(label labels.Selector, field fields.Selector) storage.SelectionPredicate {
	return storage.SelectionPredicate{Label: label, Field: field, GetAttrs: k.attributes}
}

// specStrategy is how everything but the status is written.
type specStrategy[T object] struct {
	kind kind[T]
}

var _ interface {
	rest.RESTCreateStrategy
	rest.RESTUpdateStrategy
	rest.RESTDeleteStrategy
	rest.ResetFieldsStrategy
} = specStrategy[object]{}

func (s specStrategy[T]) ObjectKinds(o runtime.Object) ([]schema.GroupVersionKind, bool, error) {
	return install.Scheme.ObjectKinds(o)
}

func (s specStrategy[T]) Recognizes(gvk schema.GroupVersionKind) bool {
	return install.Scheme.Recognizes(gvk)
}

func (s specStrategy[T]) GenerateName(base string) string {
	return names.SimpleNameGenerator.GenerateName(base)
}

func (s specStrategy[T]) NamespaceScoped() bool { return false }

// PrepareForCreate drops a status that was sent along: it is a subresource.
func (s specStrategy[T]) PrepareForCreate(_ context.Context, o runtime.Object) {
	created := o.(T)
	if s.kind.status != nil {
		s.kind.status.copyStatus(created, s.kind.newObject())
	}
	created.SetGeneration(1)
	if s.kind.prepare != nil {
		s.kind.prepare(created)
	}
	if s.kind.normalise != nil {
		s.kind.normalise(created)
	}
}

func (s specStrategy[T]) Validate(_ context.Context, o runtime.Object) field.ErrorList {
	return s.kind.validate(o.(T))
}

func (s specStrategy[T]) WarningsOnCreate(_ context.Context, o runtime.Object) []string {
	if s.kind.warnings == nil {
		return nil
	}
	return s.kind.warnings(o.(T))
}

func (s specStrategy[T]) Canonicalize(runtime.Object) {}

func (s specStrategy[T]) AllowCreateOnUpdate(context.Context) bool { return false }

func (s specStrategy[T]) AllowUnconditionalUpdate(context.Context) bool { return true }

// PrepareForUpdate keeps the status and, unless it is set to something else,
// the label that says where the object comes from: whoever replaces an object by
// a manifest of their own does not mean to change that. It counts a generation
// when the spec changes.
func (s specStrategy[T]) PrepareForUpdate(_ context.Context, o, before runtime.Object) {
	updated, old := o.(T), before.(T)
	if s.kind.status != nil {
		s.kind.status.copyStatus(updated, old)
	}
	if s.kind.normalise != nil {
		s.kind.normalise(updated)
	}
	if origin := old.GetLabels()[extant.LabelOrigin]; origin != "" && updated.GetLabels()[extant.LabelOrigin] == "" {
		// The labels are the caller's map: an update is tried again on conflicts.
		kept := maps.Clone(updated.GetLabels())
		if kept == nil {
			kept = map[string]string{}
		}
		kept[extant.LabelOrigin] = origin
		updated.SetLabels(kept)
	}
	updated.SetGeneration(old.GetGeneration())
	if !s.kind.sameSpec(updated, old) {
		updated.SetGeneration(old.GetGeneration() + 1)
	}
}

func (s specStrategy[T]) ValidateUpdate(_ context.Context, o, old runtime.Object) field.ErrorList {
	return s.kind.validateUpdate(o.(T), old.(T))
}

func (s specStrategy[T]) WarningsOnUpdate(ctx context.Context, o, _ runtime.Object) []string {
	return s.WarningsOnCreate(ctx, o)
}

func (s specStrategy[T]) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	if s.kind.status == nil {
		return nil
	}
	return resetFields("status")
}

// statusStrategy is how the status is written.
type statusStrategy[T object] struct {
	specStrategy[T]
}

// PrepareForUpdate keeps everything but the status.
func (s statusStrategy[T]) PrepareForUpdate(_ context.Context, o, before runtime.Object) {
	updated, old := o.(T), before.(T)
	s.kind.status.copySpec(updated, old)
	metav1.ResetObjectMetaForStatus(updated, old)
}

func (s statusStrategy[T]) ValidateUpdate(_ context.Context, o, old runtime.Object) field.ErrorList {
	return s.kind.status.validateUpdate(o.(T), old.(T))
}

func (s statusStrategy[T]) WarningsOnUpdate(context.Context, runtime.Object, runtime.Object) []string {
	return nil
}

func (s statusStrategy[T]) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	return resetFields("spec")
}
