package openreports

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

var discovery = cluster.NewDiscovery([]cluster.APIResource{{
	Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingwebhookconfigurations", Kind: schema.GroupVersionKind{Kind: "ValidatingWebhookConfiguration"},
}})

func found(name string, severity v1alpha1.FindingSeverity, change func(*v1alpha1.FindingSpec)) *v1alpha1.Finding {
	finding := &v1alpha1.Finding{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.FindingSpec{
		Policy: "baseline", Rule: "slow-timeout", Severity: severity, Extension: "guard", Message: "it waits", FirstSeen: metav1.NewTime(time.Unix(1_700_000_000, 0)),
		Subject: v1alpha1.FindingSubject{Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations", Name: "guard", Hook: "pods.guard"},
	}}
	if change != nil {
		change(&finding.Spec)
	}
	return finding
}

func TestAFindingIsAResultThatFailsAndAnAcceptedOneAWarning(t *testing.T) {
	got := reportOf([]*v1alpha1.Finding{
		found("c", v1alpha1.FindingError, func(s *v1alpha1.FindingSpec) { s.Accepted = true }),
		found("b", v1alpha1.FindingInfo, func(s *v1alpha1.FindingSpec) { s.Subject = v1alpha1.FindingSubject{Kind: "Backend", Name: "guard.443"} }),
		found("a", v1alpha1.FindingError, nil),
		found("d", v1alpha1.FindingWarning, func(s *v1alpha1.FindingSpec) { s.Subject.Resource = "gone" }),
	}, discovery)
	var lines []string
	for _, r := range got.Results {
		about := "nothing"
		if len(r.Resources) > 0 {
			about = r.Resources[0].APIVersion + " " + r.Resources[0].Kind + " " + r.Resources[0].Name
		}
		lines = append(lines, fmt.Sprintf("%s %s %t %s %d %s", r.Severity, r.Result, r.Scored, r.Properties["finding"], r.Timestamp.Seconds, about))
	}
	want := []string{
		"high fail true a 1700000000 admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration guard",
		"medium fail true d 1700000000 nothing",
		"info fail true b 1700000000 extant.dev/v1alpha1 Backend guard.443",
		"high warn false c 1700000000 admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration guard",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got.Summary != (summary{Fail: 3, Warn: 1}) || got.Metadata.Annotations != nil {
		t.Errorf("%+v, %v", got.Summary, got.Metadata.Annotations)
	}
}

func TestAReportHasRoomForTheWorstAndCountsTheRest(t *testing.T) {
	var all []*v1alpha1.Finding
	for i := range 400 {
		all = append(all, found(fmt.Sprintf("info-%d", i), v1alpha1.FindingInfo, func(s *v1alpha1.FindingSpec) { s.Message = strings.Repeat("m", 4096) }))
	}
	all = append(all, found("error", v1alpha1.FindingError, nil))
	got := reportOf(all, discovery)
	object, err := toObject(got)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := object.MarshalJSON()
	if err != nil || len(encoded) > maxBytes+10<<10 {
		t.Errorf("it has %d bytes: %v", len(encoded), err)
	}
	if got.Results[0].Severity != "high" || got.Summary.Fail != 401 {
		t.Errorf("first is %s, and %d fail", got.Results[0].Severity, got.Summary.Fail)
	}
	if left := got.Metadata.Annotations[omitted]; left != fmt.Sprint(401-len(got.Results)) || left == "0" {
		t.Errorf("%s are said to be omitted of 401, of which %d are there", left, len(got.Results))
	}
}
