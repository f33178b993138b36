package review

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// guarded is a cluster whose guard of all pods guards its own.
const guarded = `
apiVersion: v1
kind: Namespace
metadata: {name: guards}
---
apiVersion: v1
kind: Service
metadata: {name: guard, namespace: guards}
spec: {ports: [{port: 443}], selector: {app: guard}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: guard, namespace: guards}
spec:
  selector: {matchLabels: {app: guard}}
  template: {metadata: {labels: {app: guard}}, spec: {containers: [{name: guard, image: guard}]}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks:
- name: pods.guard.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {service: {namespace: guards, name: guard}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
`

func outagesOf(t *testing.T, change func(*Config)) *REST[*extant.OutageReview] {
	t.Helper()
	config := configOf(t, nil)
	source, err := dump.Open(t.Context(), dump.Stdin, dump.Options{Stdin: strings.NewReader(guarded)})
	if err != nil {
		t.Fatal(err)
	}
	config.Source = source
	if change != nil {
		change(&config)
	}
	return Storage(config)["outagereviews"].(*REST[*extant.OutageReview])
}

func loseGuards() *extant.OutageReview {
	return &extant.OutageReview{Spec: extant.OutageReviewSpec{
		Down: extant.Outage{Namespaces: []string{"guards"}, Mode: extant.ModePodsLost}, Detail: extant.DetailSummary,
	}}
}

func TestAnOutageIsAnsweredAndNotKept(t *testing.T) {
	review := loseGuards()
	review.Name = "mine"
	review.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	review.Status = extant.OutageReviewStatus{Recovery: extant.Recovery{RecoversUnaided: metav1.ConditionTrue, Unreachable: make([]string, 99)}}
	r := outagesOf(t, nil)
	answered, err := r.Create(as(carol), review, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := answered.(*extant.OutageReview)
	if diff := cmp.Diff(metav1.ObjectMeta{Name: "mine"}, got.ObjectMeta); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(loseGuards().Spec, got.Spec); diff != "" {
		t.Errorf("the spec is another (-want +got)\n%s", diff)
	}
	recovery := got.Status.Recovery
	if recovery.RecoversUnaided != metav1.ConditionFalse || len(recovery.Unreachable) != 1 || len(recovery.Deadlocks) != 1 {
		t.Errorf("got %+v", recovery)
	}
	if got.Status.Observed.Source != "dump" || got.Status.Observed.Time.Year() != 2026 {
		t.Errorf("observed: %v", got.Status.Observed)
	}
	table, err := r.ConvertToTable(t.Context(), answered, nil)
	if err != nil || len(table.Rows) != 2 {
		t.Errorf("the table has the rows %v: %v", table.Rows, err)
	}
}

// silentCluster is an observed cluster that must not be asked what users may
// do: an outage is thousands of such questions.
type silentCluster struct{ t *testing.T }

func (c silentCluster) Authorize(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	c.t.Errorf("the cluster was asked whether %s may %s %s", a.GetUser().GetName(), a.GetVerb(), a.GetResource())
	return authorizer.DecisionAllow, "", nil
}

func (c silentCluster) Get(context.Context, schema.GroupVersionResource, string, string) (*unstructured.Unstructured, error) {
	return nil, nil
}

func (c silentCluster) List(context.Context, schema.GroupVersionResource, string, labels.Selector) ([]*unstructured.Unstructured, error) {
	return nil, nil
}

func TestWhatComponentsMayDoIsReadFromTheSnapshot(t *testing.T) {
	r := outagesOf(t, func(config *Config) { config.Cluster = silentCluster{t} })
	answered, err := r.Create(as(carol), loseGuards(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := answered.(*extant.OutageReview).Status.Recovery.RecoversUnaided; got != metav1.ConditionFalse {
		t.Errorf("recovers: %s", got)
	}
}

func TestReviewsOfAllKindsAreBoundedTogether(t *testing.T) {
	config := configOf(t, nil)
	storage := Storage(config)
	requests, outages := storage["requestreviews"].(*REST[*extant.RequestReview]), storage["outagereviews"].(*REST[*extant.OutageReview])
	for range maxRunning {
		requests.running <- struct{}{}
	}
	if _, err := outages.Create(as(carol), loseGuards(), nil, nil); !apierrors.IsTooManyRequests(err) {
		t.Errorf("got %v", err)
	}
}

func TestMistakesAboutOutagesNameTheirFields(t *testing.T) {
	r := outagesOf(t, nil)
	for _, test := range []struct {
		name   string
		change func(*extant.OutageReviewSpec)
		want   string
	}{
		{"nothing is lost", func(s *extant.OutageReviewSpec) { s.Down.Namespaces = nil }, "spec.down"},
		{"everything, and it does not answer", func(s *extant.OutageReviewSpec) { s.Down.Everything, s.Down.Mode = true, extant.ModeUnreachable }, "spec.down.everything"},
		{"a mode that there is not", func(s *extant.OutageReviewSpec) { s.Down.Mode = "Gone" }, "spec.down.mode"},
	} {
		t.Run(test.name, func(t *testing.T) {
			review := loseGuards()
			test.change(&review.Spec)
			_, err := r.Create(as(carol), review, nil, nil)
			if !apierrors.IsInvalid(err) {
				t.Fatalf("got %v", err)
			}
			causes := err.(apierrors.APIStatus).Status().Details.Causes
			if len(causes) != 1 || causes[0].Field != test.want {
				t.Errorf("got %v, want one for %s", causes, test.want)
			}
		})
	}
}
