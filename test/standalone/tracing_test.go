package standalone

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
)

// receiver takes the spans that a server sends.
type receiver struct {
	collectorv1.UnimplementedTraceServiceServer

	mu    sync.Mutex
	spans []*tracev1.Span
}

func (r *receiver) Export(_ context.Context, sent *collectorv1.ExportTraceServiceRequest) (*collectorv1.ExportTraceServiceResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resource := range sent.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			r.spans = append(r.spans, scope.Spans...)
		}
	}
	return &collectorv1.ExportTraceServiceResponse{}, nil
}

// under returns the span of that name that has a verdict, and the names of the
// spans within it in the order in which they began.
func (r *receiver) under(name string) (*tracev1.Span, []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, span := range r.spans {
		if span.Name != name || attribute(span, "extant.verdict") == "" {
			continue
		}
		children := slices.DeleteFunc(slices.Clone(r.spans), func(s *tracev1.Span) bool { return string(s.ParentSpanId) != string(span.SpanId) })
		slices.SortFunc(children, func(x, y *tracev1.Span) int { return int(x.StartTimeUnixNano) - int(y.StartTimeUnixNano) })
		var names []string
		for _, child := range children {
			names = append(names, child.Name)
		}
		return span, names
	}
	return nil, nil
}

func attribute(span *tracev1.Span, key string) string {
	for _, a := range span.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// TestATracedReviewHasASpanForEachPart asks reviews of a server whose tracing is
// on by the option that every API server has, and receives what it sends.
func TestATracedReviewHasASpanForEachPart(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	received, collector := &receiver{}, grpc.NewServer()
	collectorv1.RegisterTraceServiceServer(collector, received)
	go func() { _ = collector.Serve(listener) }()
	defer collector.Stop()
	config := filepath.Join(t.TempDir(), "tracing.yaml")
	write(t, config, fmt.Sprintf("apiVersion: apiserver.config.k8s.io/v1\nkind: TracingConfiguration\nendpoint: %s\nsamplingRatePerMillion: 1000000\n", listener.Addr()))

	s := start(t, t.TempDir(), "--tracing-config-file="+config)
	askEverything(t, s)
	for name, want := range map[string][]string{
		"RequestReview": {"Snapshot", "Inventory", "Authorization", "Conversion"},
		"OutageReview":  {"Snapshot", "Inventory", "Loss", "Blocked", "Degraded", "Vital", "Collateral", "Recovery", "Fixes", "Remedies"},
	} {
		var span *tracev1.Span
		var got []string
		for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
			if span, got = received.under(name); span != nil && len(got) >= len(want) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the span %s is %v, with %v in it", name, span, got)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has the parts %v, want %v", name, got, want)
		}
		if len(span.ParentSpanId) == 0 {
			t.Errorf("%s is a trace of its own", name)
		}
	}
	s.stop(t)
}
