package review

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/printers"
)

// object is an API object of a review kind.
type object interface {
	runtime.Object
	metav1.Object
}

// kind is what differs between the review kinds.
type kind[T object] struct {
	kind, singular string
	newObject      func() T
	columns        printers.Columns[T]
	// prepare brings what was sent into the one form that the rest of the
	// server knows, and says what has no such form.
	prepare func(T) field.ErrorList
	// validate says what is wrong with a prepared review.
	validate func(T) field.ErrorList
	// answer fills in the status.
	answer func(context.Context, T) error
	// verdict is the answer in a word, of which there are few.
	verdict func(T) string
	// counts are what an answer has how many of, for traces.
	counts func(T) []attribute.KeyValue
}

// REST serves a kind that is answered and not kept: its only verb is create.
type REST[T object] struct {
	printers.Columns[T]
	kind kind[T]
	// running has a value for each review that is being answered. It is shared
	// by all kinds.
	running chan struct{}
}

var _ interface {
	rest.Creater
	rest.Scoper
	rest.SingularNameProvider
	rest.TableConvertor
	rest.Storage
} = (*REST[*extant.RequestReview])(nil)

// New returns an empty review.
func (r *REST[T]) New() runtime.Object { return r.kind.newObject() }

// Destroy does nothing: nothing is kept.
func (r *REST[T]) Destroy() {}

// NamespaceScoped is false for all kinds of the group.
func (r *REST[T]) NamespaceScoped() bool { return false }

// GetSingularName is the word for one review.
func (r *REST[T]) GetSingularName() string { return r.kind.singular }

// busySeconds is how long a client is told to wait when too many reviews are
// being answered.
const busySeconds = 1

// Create answers a review. Admission is not asked, as it is not for Kubernetes'
// own access reviews: nothing is created that a policy could object to, and a
// hook that is down must not keep people from asking what it breaks. A dry run
// is answered like any other, for the same reason.
func (r *REST[T]) Create(ctx context.Context, o runtime.Object, _ rest.ValidateObjectFunc, _ *metav1.CreateOptions) (runtime.Object, error) {
	review, ok := o.(T)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("not a %s: %T", r.kind.kind, o))
	}
	start := time.Now()
	ctx, span := startSpan(ctx, r.kind.kind)
	err := r.review(ctx, review)
	endReview(span, r.kind, review, err)
	countReview(r.kind.kind, r.kind.verdict(review), time.Since(start), err)
	if err != nil {
		return nil, err
	}
	return review, nil
}

// review answers a review, unless too many are being answered.
func (r *REST[T]) review(ctx context.Context, review T) error {
	select {
	case r.running <- struct{}{}:
		defer func() { <-r.running }()
	default:
		return apierrors.NewTooManyRequests("too many reviews are being answered: try again later", busySeconds)
	}
	running := inFlight.WithLabelValues(r.kind.kind)
	running.Inc()
	defer running.Dec()
	// Who owns which field of an object that is not kept says nothing.
	review.SetManagedFields(nil)
	errs := r.kind.prepare(review)
	if len(errs) == 0 {
		errs = r.kind.validate(review)
	}
	if len(errs) > 0 {
		return apierrors.NewInvalid(extant.Kind(r.kind.kind), review.GetName(), errs)
	}
	return r.kind.answer(ctx, review)
}

func newREST[T object](k kind[T], running chan struct{}) *REST[T] {
	expectFailures(k.kind)
	return &REST[T]{Columns: k.columns, kind: k, running: running}
}
