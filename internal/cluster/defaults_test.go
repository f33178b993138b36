package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// What is rendered and what the API server would have made of it; only what is
// compared is written out.
func TestRenderedManifestsAreDefaultedAsTheAPIServerWould(t *testing.T) {
	for _, test := range []struct{ resource, given, want string }{
		{"mutatingwebhookconfigurations.admissionregistration.k8s.io", `
webhooks:
- name: a
  clientConfig: {service: {namespace: n, name: s}}
  rules: [{operations: [CREATE]}]
`, `
webhooks:
- name: a
  admissionReviewVersions: null
  sideEffects: null
  clientConfig: {service: {namespace: n, name: s, port: 443}}
  rules: [{operations: [CREATE], scope: "*"}]
  failurePolicy: Fail
  matchPolicy: Equivalent
  namespaceSelector: {}
  objectSelector: {}
  timeoutSeconds: 10
  reinvocationPolicy: Never
`},
		{"validatingwebhookconfigurations.admissionregistration.k8s.io", `
webhooks:
- {name: a, failurePolicy: Ignore, matchPolicy: Exact, timeoutSeconds: 3, clientConfig: {url: "https://a"}, rules: [{scope: Cluster}]}
`, `
webhooks:
- {name: a, failurePolicy: Ignore, matchPolicy: Exact, timeoutSeconds: 3, clientConfig: {url: "https://a"}, rules: [{scope: Cluster}],
   admissionReviewVersions: null, sideEffects: null, namespaceSelector: {}, objectSelector: {}}
`},
		{"validatingadmissionpolicies.admissionregistration.k8s.io",
			`spec: {matchConstraints: {resourceRules: [{operations: [CREATE]}]}}`,
			`spec: {failurePolicy: Fail, matchConstraints: {matchPolicy: Equivalent, namespaceSelector: {}, objectSelector: {}, resourceRules: [{operations: [CREATE], scope: "*"}]}}`},
		{"validatingadmissionpolicybindings.admissionregistration.k8s.io", `spec: {policyName: p}`, `spec: {policyName: p}`},
		{"mutatingadmissionpolicies.admissionregistration.k8s.io", `spec: {}`, `spec: {failurePolicy: Fail, reinvocationPolicy: null}`},
		{"mutatingadmissionpolicybindings.admissionregistration.k8s.io",
			`spec: {matchResources: {excludeResourceRules: [{}]}}`,
			`spec: {matchResources: {matchPolicy: Equivalent, namespaceSelector: {}, objectSelector: {}, excludeResourceRules: [{scope: "*"}]}}`},
		{"customresourcedefinitions.apiextensions.k8s.io",
			`spec: {versions: [{name: v1, served: true, storage: true, additionalPrinterColumns: [{name: Age, type: date, jsonPath: .metadata.creationTimestamp}]}]}`,
			`spec: {group: null, names: {}, scope: null, conversion: {strategy: None}, versions: [{name: v1, served: true, storage: true}]}`},
		{"customresourcedefinitions.apiextensions.k8s.io",
			`spec: {conversion: {strategy: Webhook, webhook: {clientConfig: {service: {namespace: n, name: s}}, conversionReviewVersions: [v1]}}}`,
			`spec: {group: null, names: {}, scope: null, versions: null, conversion: {strategy: Webhook, webhook: {clientConfig: {service: {namespace: n, name: s, port: 443}}, conversionReviewVersions: [v1]}}}`},
		{"apiservices.apiregistration.k8s.io",
			`spec: {service: {namespace: n, name: s}}`,
			`spec: {service: {namespace: n, name: s, port: 443}, groupPriorityMinimum: 0, versionPriority: 0}`},
		{"services", `spec: {ports: [{port: 443}, {port: 53, protocol: UDP, targetPort: dns}]}`,
			`spec: {ports: [{port: 443, protocol: TCP, targetPort: 443}, {port: 53, protocol: UDP, targetPort: dns}]}`},
		{"namespaces", `metadata: {name: shop}`, `metadata: {name: shop, labels: {kubernetes.io/metadata.name: shop}}`},
		{"statefulsets.apps", `spec: {replicas: 0}`, `spec: {replicas: 0}`},
		{"deployments.apps", `spec: {}`, `spec: {replicas: 1}`},
		{"replicasets.apps", `
metadata: {ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: u, controller: true}]}
spec: {template: {spec: {hostNetwork: true}}}
`, `
metadata: {ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: u, controller: true}]}
spec: {replicas: 1}
`},
	} {
		t.Run(test.resource, func(t *testing.T) {
			r, ok := Lookup(schema.ParseGroupResource(test.resource))
			if !ok {
				t.Fatal("it is not observed")
			}
			decode := func(text string) runtime.Object {
				object := r.New()
				if err := yaml.UnmarshalStrict([]byte(text), object); err != nil {
					t.Fatal(err)
				}
				return object
			}
			got, err := r.Keep(decode(test.given))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(any(decode(test.want)), any(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
