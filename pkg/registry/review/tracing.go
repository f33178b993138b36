package review

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// A traced request (--tracing-config-file) has a span for its review, and in
// that one for each part of the answer: the snapshot, the inventory, the stages
// that a request passes, the parts of an outage. They say how much there was
// and what came of it, never who or what was asked about.

// tracer names who made the spans.
const tracer = "github.com/extant-project/extant/pkg/registry/review"

// startSpan starts a span within that of the context; where there is none, it
// does nothing.
func startSpan(ctx context.Context, name string) (context.Context, trace.Span) {
	return trace.SpanFromContext(ctx).TracerProvider().Tracer(tracer).Start(ctx, name)
}

// parts makes a span of each part of an answer, where anybody looks.
func parts(ctx context.Context) func(string) func() {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return nil
	}
	return func(part string) func() {
		_, span := startSpan(ctx, part)
		return func() { span.End() }
	}
}

// endReview ends the span of a review with what came of it.
func endReview[T object](span trace.Span, k kind[T], review T, err error) {
	defer span.End()
	if err != nil {
		span.SetStatus(codes.Error, string(apierrors.ReasonForError(err)))
		return
	}
	span.SetAttributes(attribute.String("extant.verdict", k.verdict(review)))
	span.SetAttributes(k.counts(review)...)
}
