package review

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	cbordirect "k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	serializerjson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// observed is a cluster with a policy that takes its limit from a ConfigMap.
const observed = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replicas}
spec:
  failurePolicy: Fail
  paramKind: {apiVersion: v1, kind: ConfigMap}
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]
  validations:
  - expression: object.spec.replicas <= int(params.data.most)
    messageExpression: '"at most " + params.data.most + " replicas"'
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: replicas}
spec:
  policyName: replicas
  validationActions: [Deny]
  paramRef: {name: most, namespace: policy, parameterNotFoundAction: Deny}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: most, namespace: policy}
data: {most: "3"}
`

func configOf(t *testing.T, rights rights) Config {
	t.Helper()
	source, err := dump.Open(t.Context(), dump.Stdin, dump.Options{Stdin: strings.NewReader(observed)})
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Source: source,
		Inventory: func(snapshot *cluster.Snapshot) (*inventory.Inventory, error) {
			return inventory.Take(snapshot, catalogue.Points(), nil), nil
		},
		Now:             func() time.Time { return time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC) },
		Authorizer:      rights,
		CallersAreKnown: true,
	}
}

func restOf(config Config) *REST[*extant.RequestReview] {
	return Storage(config)["requestreviews"].(*REST[*extant.RequestReview])
}

const deployment = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":5}}`

func createDeployment() *extant.RequestReview {
	return &extant.RequestReview{Spec: extant.RequestReviewSpec{
		Request: extant.ReviewedRequest{Operation: extant.OperationCreate, Group: "apps", Version: "v1", Resource: "deployments", Namespace: "shop",
			Object: runtime.RawExtension{Raw: []byte(deployment)}},
		Assume: extant.RequestAssumptions{Backends: extant.BackendsObserved},
	}}
}

func create(t *testing.T, ctx context.Context, config Config, review *extant.RequestReview) *extant.RequestReview {
	t.Helper()
	refuse := func(context.Context, runtime.Object) error { t.Error("admission was asked"); return nil }
	answered, err := restOf(config).Create(ctx, review, refuse, &metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return answered.(*extant.RequestReview)
}

func TestAPolicysWordsOnItsParamsAreForThoseWhoMayReadThem(t *testing.T) {
	for _, test := range []struct {
		name   string
		rights rights
		shown  bool
	}{
		{"may", rights{"get configmaps policy/most"}, true},
		{"may not", rights{"get configmaps policy/other", "list configmaps policy/most"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			answered := create(t, as(carol), configOf(t, test.rights), createDeployment())
			text := answered.Status.Message
			for _, hop := range answered.Status.Hops {
				text += hop.Message
			}
			if answered.Status.Verdict != extant.VerdictDenied {
				t.Errorf("the verdict is %s", answered.Status.Verdict)
			}
			if shown := strings.Contains(text, "at most 3"); shown != test.shown {
				t.Errorf("shown: %t, in %q", shown, text)
			}
			if !test.shown && !strings.Contains(text, "withheld") {
				t.Errorf("it is not said that something is withheld: %q", text)
			}
		})
	}
}

func TestNothingOfWhatWasSentIsKeptButTheQuestion(t *testing.T) {
	review := createDeployment()
	review.Name = "mine"
	review.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	review.Status = extant.RequestReviewStatus{Verdict: extant.VerdictAllowed, Hops: make([]extant.Hop, 99)}
	answered := create(t, as(carol), configOf(t, nil), review)
	if diff := cmp.Diff(metav1.ObjectMeta{Name: "mine"}, answered.ObjectMeta); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if answered.Status.Verdict != extant.VerdictDenied || len(answered.Status.Hops) > 9 {
		t.Errorf("the status that was sent is still there: %v", answered.Status)
	}
	if answered.Spec.User != nil {
		t.Errorf("the spec says a user that was not sent: %v", answered.Spec.User)
	}
	if answered.Spec.Request.Name != "web" {
		t.Errorf("the name is %q, not the object's", answered.Spec.Request.Name)
	}
	if answered.Status.Observed.Source != "dump" || answered.Status.Observed.Time.Year() != 2026 {
		t.Errorf("observed: %v", answered.Status.Observed)
	}
}

func TestATableHasARowForEachHop(t *testing.T) {
	config := configOf(t, nil)
	answered := create(t, as(carol), config, createDeployment())
	table, err := restOf(config).ConvertToTable(t.Context(), answered, &metav1.TableOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Rows) != len(answered.Status.Hops) || len(table.Rows) == 0 {
		t.Fatalf("%d rows for %d hops", len(table.Rows), len(answered.Status.Hops))
	}
	for i, row := range table.Rows {
		if len(row.Cells) != len(table.ColumnDefinitions) {
			t.Errorf("row %d has %d cells in %d columns", i, len(row.Cells), len(table.ColumnDefinitions))
		}
		if row.Cells[0] != string(answered.Status.Hops[i].Stage) {
			t.Errorf("row %d starts with %v", i, row.Cells[0])
		}
	}
}

func TestReviewsAreBounded(t *testing.T) {
	r := restOf(configOf(t, nil))
	for range maxRunning {
		r.running <- struct{}{}
	}
	_, err := r.Create(as(carol), createDeployment(), nil, nil)
	if !apierrors.IsTooManyRequests(err) {
		t.Fatalf("got %v", err)
	}
	if seconds, ok := apierrors.SuggestsClientDelay(err); !ok || seconds != busySeconds {
		t.Errorf("a client is told to wait %d seconds", seconds)
	}
	<-r.running
	if _, err := r.Create(as(carol), createDeployment(), nil, nil); err != nil {
		t.Errorf("with a free place: %v", err)
	}
}

func TestMistakesNameTheirFields(t *testing.T) {
	r := restOf(configOf(t, nil))
	for _, test := range []struct {
		name   string
		change func(*extant.RequestReviewSpec)
		want   string
	}{
		{"an operation that there is not", func(s *extant.RequestReviewSpec) { s.Request.Operation = "PATCH" }, "spec.request.operation"},
		{"a resource that the cluster does not serve", func(s *extant.RequestReviewSpec) { s.Request.Resource = "gadgets" }, "spec.request.resource"},
		{"protobuf in an object", func(s *extant.RequestReviewSpec) { s.Request.Object.Raw = []byte("k8s\x00abc") }, "spec.request.object"},
		{"a user without a name", func(s *extant.RequestReviewSpec) { s.User = &authenticationv1.UserInfo{} }, "spec.user.username"},
	} {
		t.Run(test.name, func(t *testing.T) {
			review := createDeployment()
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

// TestObjectsAreJSONWhateverTheWire sends the same review in each form that
// the server takes.
func TestObjectsAreJSONWhateverTheWire(t *testing.T) {
	inCBOR, err := cbordirect.Marshal(map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web"}})
	if err != nil {
		t.Fatal(err)
	}
	asCBOR := runtime.RawExtension{}
	if err := asCBOR.UnmarshalCBOR(inCBOR); err != nil {
		t.Fatal(err)
	}
	const want = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"}}`
	asJSON := runtime.RawExtension{Raw: []byte(" " + want + "\n")}

	scheme := install.Scheme
	for _, wire := range []struct {
		name   string
		codec  runtime.Serializer
		object runtime.RawExtension
	}{
		{"JSON", serializerjson.NewSerializerWithOptions(serializerjson.DefaultMetaFactory, scheme, scheme, serializerjson.SerializerOptions{}), asJSON},
		{"YAML", serializerjson.NewSerializerWithOptions(serializerjson.DefaultMetaFactory, scheme, scheme, serializerjson.SerializerOptions{Yaml: true}), asJSON},
		{"CBOR", cbor.NewSerializer(scheme, scheme), asJSON},
		{"protobuf with JSON", protobuf.NewSerializer(scheme, scheme), asJSON},
		{"protobuf with CBOR", protobuf.NewSerializer(scheme, scheme), asCBOR},
	} {
		t.Run(wire.name, func(t *testing.T) {
			sent := &v1alpha1.RequestReview{
				TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "RequestReview"},
				Spec:     v1alpha1.RequestReviewSpec{Request: v1alpha1.ReviewedRequest{Object: wire.object, OldObject: wire.object, Options: wire.object}},
			}
			data, err := runtime.Encode(wire.codec, sent)
			if err != nil {
				t.Fatal(err)
			}
			read, _, err := wire.codec.Decode(data, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			var hub extant.RequestReview
			if err := scheme.Convert(read, &hub, nil); err != nil {
				t.Fatal(err)
			}
			request := &hub.Spec.Request
			if errs := normalise(request, nil); len(errs) > 0 {
				t.Fatal(errs)
			}
			for part, raw := range map[string]runtime.RawExtension{"object": request.Object, "oldObject": request.OldObject, "options": request.Options} {
				if string(raw.Raw) != want {
					t.Errorf("%s: %q", part, raw.Raw)
				}
			}
		})
	}
}
