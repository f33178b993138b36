package printers

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Backends are the columns of Backend.
var Backends = Columns[*extant.Backend]{
	Definitions: []metav1.TableColumnDefinition{
		nameColumn(),
		{Name: "Callers", Type: "integer", Description: "The number of hooks that call the backend."},
		{Name: "Available", Type: "string", Description: "Whether the backend can be called: True, False or Unknown."},
		{Name: "Ready", Type: "string", Description: "The endpoints that are ready, of all endpoints."},
		{Name: "Latency", Type: "string", Description: "How long the newest probe took."},
		{Name: "Cert Expires", Type: "string", Description: "How long the serving certificate is still valid."},
		{Name: "Reason", Type: "string", Description: "Why the backend is available or not."},
		ageColumn(),
	},
	Row: func(b *extant.Backend, now time.Time) []any {
		return []any{
			b.Name,
			int64(len(b.Spec.Callers)),
			orUnknown(b.Status.Available),
			readyEndpoints(b.Status.Endpoints),
			latency(b.Status.Latency),
			expires(b.Status.Certificate, now),
			orNone(string(b.Status.Reason)),
			since(b.CreationTimestamp, now),
		}
	},
}

func readyEndpoints(endpoints *extant.EndpointCounts) string {
	if endpoints == nil {
		return unknown
	}
	return fmt.Sprintf("%d/%d", endpoints.Ready, endpoints.Total)
}

func latency(l *extant.Latency) string {
	if l == nil {
		return unknown
	}
	return l.Last.Round(time.Millisecond).String()
}

func expires(certificate *extant.Certificate, now time.Time) string {
	switch {
	case certificate == nil || certificate.NotAfter == nil:
		return unknown
	case certificate.NotAfter.Time.Before(now):
		return "expired"
	default:
		return duration.HumanDuration(certificate.NotAfter.Sub(now))
	}
}
