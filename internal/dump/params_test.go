package dump

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

const withParams = `
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: limit, namespace: policy, managedFields: [{manager: x}]}
  data: {most: "3"}
- apiVersion: rules.example.com/v1
  kind: Limit
  metadata: {name: cluster}
  spec: {most: 3}
- apiVersion: other.example.com/v1
  kind: Other
  metadata: {name: a}
  spec: {large: true}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: limits.rules.example.com}
spec:
  group: rules.example.com
  scope: Cluster
  names: {plural: limits, kind: Limit}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: a}
spec: {paramKind: {apiVersion: v1, kind: ConfigMap}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: b}
spec: {paramKind: {apiVersion: rules.example.com/v1, kind: Limit}}
`

func TestOnlyTheParamsOfPoliciesAreKeptWhole(t *testing.T) {
	contents, err := ReadStream("dump.yaml", strings.NewReader(withParams))
	if err != nil {
		t.Fatal(err)
	}
	snapshot := contents.Snapshot()
	for _, test := range []struct {
		resource        schema.GroupResource
		namespace, name string
		want            any
	}{
		{schema.GroupResource{Resource: "configmaps"}, "policy", "limit", map[string]any{"most": "3"}},
		{schema.GroupResource{Group: "rules.example.com", Resource: "limits"}, "", "cluster", map[string]any{"most": int64(3)}},
		{schema.GroupResource{Group: "other.example.com", Resource: "others"}, "", "a", nil},
	} {
		param, found := snapshot.Params(test.resource).Get(test.namespace, test.name)
		if found != (test.want != nil) {
			t.Errorf("%s: kept: %t", test.resource, found)
			continue
		}
		if !found {
			continue
		}
		content := param.Object["data"]
		if content == nil {
			content = param.Object["spec"]
		}
		got := content.(map[string]any)["most"]
		if want := test.want.(map[string]any)["most"]; got != want {
			t.Errorf("%s: %v (%T), want %v", test.resource, got, got, want)
		}
		if param.GetManagedFields() != nil {
			t.Errorf("%s: has managed fields", test.resource)
		}
	}
}
