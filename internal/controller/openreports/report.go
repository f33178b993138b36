package openreports

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

const (
	// managedBy is the label that says whose the report is.
	managedBy, manager = "app.kubernetes.io/managed-by", "extant"
	// omitted is the annotation with the number of findings that have no result.
	omitted = "extant.dev/omitted-results"
	// maxBytes bounds the results of a report: an object of a cluster has room
	// for a megabyte and a half, with everything else that is in it.
	maxBytes = 1 << 20
)

// report is a ClusterReport, as far as Extant writes one.
type report struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        metadata `json:"metadata"`
	Source          string   `json:"source"`
	Summary         summary  `json:"summary"`
	Results         []result `json:"results"`
}

type metadata struct {
	Name        string            `json:"name"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// summary counts all findings, those too that have no result.
type summary struct {
	Pass  int `json:"pass"`
	Fail  int `json:"fail"`
	Warn  int `json:"warn"`
	Error int `json:"error"`
	Skip  int `json:"skip"`
}

// result is one finding.
type result struct {
	Source     string            `json:"source"`
	Policy     string            `json:"policy"`
	Rule       string            `json:"rule"`
	Severity   string            `json:"severity"`
	Timestamp  timestamp         `json:"timestamp"`
	Result     string            `json:"result"`
	Scored     bool              `json:"scored,omitempty"`
	Resources  []subject         `json:"resources,omitempty"`
	Message    string            `json:"message,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
}

type timestamp struct {
	Seconds int64 `json:"seconds"`
	Nanos   int32 `json:"nanos"`
}

type subject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// severities are those of OpenReports, the worst first.
var severities = map[v1alpha1.FindingSeverity]string{v1alpha1.FindingError: "high", v1alpha1.FindingWarning: "medium", v1alpha1.FindingInfo: "info"}

var ranks = []v1alpha1.FindingSeverity{v1alpha1.FindingError, v1alpha1.FindingWarning, v1alpha1.FindingInfo}

// reportOf is the report of findings: what stands is a fail, what its owner
// accepts a warn that is not scored. Where they are too many for one object, the
// worst that are not accepted come first, and the rest is counted.
func reportOf(found []*v1alpha1.Finding, discovery *cluster.Discovery) *report {
	found = slices.Clone(found)
	slices.SortFunc(found, func(x, y *v1alpha1.Finding) int {
		return cmp.Or(
			cmp.Compare(accepted(x), accepted(y)),
			cmp.Compare(slices.Index(ranks, x.Spec.Severity), slices.Index(ranks, y.Spec.Severity)),
			cmp.Compare(x.Name, y.Name))
	})
	r := &report{
		TypeMeta: metav1.TypeMeta{APIVersion: resource.GroupVersion().String(), Kind: "ClusterReport"},
		Metadata: metadata{Name: Name, Labels: map[string]string{managedBy: manager}},
		Source:   manager, Results: []result{},
	}
	size, left := 0, 0
	for _, finding := range found {
		one := resultOf(finding, discovery)
		if one.Scored {
			r.Summary.Fail++
		} else {
			r.Summary.Warn++
		}
		encoded, err := json.Marshal(one)
		if size += len(encoded); err != nil || size > maxBytes {
			left++
			continue
		}
		r.Results = append(r.Results, one)
	}
	if left > 0 {
		r.Metadata.Annotations = map[string]string{omitted: strconv.Itoa(left)}
	}
	return r
}

func accepted(finding *v1alpha1.Finding) int {
	if finding.Spec.Accepted {
		return 1
	}
	return 0
}

func resultOf(finding *v1alpha1.Finding, discovery *cluster.Discovery) result {
	spec := &finding.Spec
	one := result{
		Source: manager, Policy: spec.Policy, Rule: spec.Rule, Severity: severities[spec.Severity],
		Timestamp: timestamp{Seconds: spec.FirstSeen.Unix()}, Result: "fail", Scored: true,
		Message: spec.Message, Properties: map[string]string{"finding": finding.Name},
	}
	if spec.Accepted {
		one.Result, one.Scored = "warn", false
	}
	about := subject{Namespace: spec.Subject.Namespace, Name: spec.Subject.Name}
	switch versions := discovery.Versions(schema.GroupResource{Group: spec.Subject.Group, Resource: spec.Subject.Resource}); {
	case spec.Subject.Kind != "":
		about.APIVersion, about.Kind = v1alpha1.SchemeGroupVersion.String(), spec.Subject.Kind
	case len(versions) > 0:
		about.APIVersion, about.Kind = versions[0].Kind.GroupVersion().String(), versions[0].Kind.Kind
	}
	if about.Kind != "" { // of a resource that is not served any more, no kind is known
		one.Resources = []subject{about}
	}
	for name, value := range map[string]string{"extension": spec.Extension, "hook": spec.Subject.Hook, "remediation": spec.Remediation} {
		if value != "" {
			one.Properties[name] = value
		}
	}
	return one
}
