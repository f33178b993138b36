package outage_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/internal/scenario"
)

// watched is a live cluster with a webhook in the namespace guard, and another
// one in the namespace shop, that recover. KIND is that of the first workload.
const watched = `
{apiVersion: v1, kind: Node, metadata: {name: node-1}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: guard, labels: {kubernetes.io/metadata.name: guard}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {kubernetes.io/metadata.name: shop}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: kube-system, labels: {kubernetes.io/metadata.name: kube-system}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: kube-node-lease, labels: {kubernetes.io/metadata.name: kube-node-lease}}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: all}, rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: all}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}, subjects: [{kind: Group, name: 'system:authenticated'}]}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: guard}}
---
apiVersion: WORKLOADS
kind: KIND
metadata: {name: guard, namespace: guard}
spec:
  replicas: 1
  selector: {matchLabels: {app: guard}}
  template:
    metadata: {labels: {app: guard}}
    spec:
      containers: [{name: guard, image: guard}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
status: {active: 1, desiredNumberScheduled: 1}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: guard-1, namespace: guard, labels: {app: guard, pod-template-hash: "1"}, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: guard, uid: "", controller: true}]}
spec: {replicas: 1, selector: {matchLabels: {app: guard}}, template: {metadata: {labels: {app: guard}}, spec: {containers: [{name: guard, image: guard}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: guard-0, namespace: guard, labels: {app: guard, pod-template-hash: "1"}, ownerReferences: [{apiVersion: OWNERS, kind: OWNER, name: OWNED, uid: "", controller: true}]}
spec: {nodeName: node-1, containers: [{name: guard, image: guard}]}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: guard}, spec: {volumeName: volume-1}}
---
{apiVersion: v1, kind: PersistentVolume, metadata: {name: volume-1}, spec: {hostPath: {path: /data}}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {name: quota, namespace: guard}, spec: {hard: {pods: "10"}}, status: {hard: {pods: "10"}, used: {pods: "5"}}}
---
{apiVersion: v1, kind: Service, metadata: {name: guard, namespace: guard}, spec: {selector: {app: guard}, ports: [{port: 443}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: guard-x, namespace: guard, labels: {kubernetes.io/service-name: guard}}
addressType: IPv4
ports: [{name: "", port: 443}]
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks:
- name: pods.guard.example
  clientConfig: {service: {namespace: guard, name: guard}}
  rules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: [GUARDED]}]
  failurePolicy: Ignore
  sideEffects: None
  admissionReviewVersions: [v1]
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: other, namespace: shop}, spec: {replicas: 1, selector: {matchLabels: {app: other}}, template: {metadata: {labels: {app: other}}, spec: {containers: [{name: other, image: other}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: other, namespace: shop}, spec: {selector: {app: other}, ports: [{port: 443}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: other-x, namespace: shop, labels: {kubernetes.io/service-name: other}}
addressType: IPv4
ports: [{name: "", port: 443}]
endpoints: [{addresses: [10.0.0.2], conditions: {ready: true, serving: true}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: other}
webhooks:
- name: other.example
  clientConfig: {service: {namespace: shop, name: other}}
  rules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: [OTHERS]}]
  failurePolicy: Fail
  sideEffects: None
  admissionReviewVersions: [v1]
  namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [shop]}]}
`

// relabelling is a policy that labels all pods.
const relabelling = `
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: labels}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  reinvocationPolicy: Never
  mutations: [{patchType: ApplyConfiguration, applyConfiguration: {expression: "Object{metadata: Object.metadata{labels: {'guarded': 'really'}}}"}}]
---
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingAdmissionPolicyBinding, metadata: {name: labels}, spec: {policyName: labels}}
`

// closing has the first webhook fail closed.
var closing = []string{"failurePolicy: Ignore", "failurePolicy: Fail"}

// TestALossHangsOn changes one thing at a time of what losses hang on: the
// extension that recovered before does not any more, whether that is found from
// scratch or by what is computed again.
func TestALossHangsOn(t *testing.T) {
	closed := strings.NewReplacer(closing...)
	for name, test := range map[string]struct {
		// guarded is what the webhook of guard is asked for, others what that of
		// shop is.
		guarded, others string
		// kind is that of the workload; a Deployment by default.
		kind [2]string
		// cluster is changed into what recovers, and then by change.
		cluster func(string) string
		change  []string
		want    metav1.ConditionStatus
	}{
		"whether a webhook fails open": {guarded: "pods", change: closing},
		"what webhooks are asked for":  {guarded: "services", cluster: closed.Replace, change: []string{"[services]", "[pods]"}},
		"labels that a policy adds": {guarded: "pods", change: closing, cluster: func(s string) string {
			return strings.Replace(s, "  failurePolicy: Ignore", "  objectSelector: {matchLabels: {guarded: really}}\n  failurePolicy: Ignore", 1) + relabelling
		}},
		"labels that controllers add": {guarded: "pods", change: closing, cluster: func(s string) string {
			return strings.Replace(s, "  failurePolicy: Ignore", "  objectSelector: {matchExpressions: [{key: pod-template-hash, operator: Exists}]}\n  failurePolicy: Ignore", 1)
		}},
		"labels that it sends": {guarded: "pods", change: []string{"template:\n    metadata: {labels: {app: guard}}", "template:\n    metadata: {labels: {app: guard, guarded: really}}"}, cluster: func(s string) string {
			return strings.Replace(closed.Replace(s), "  failurePolicy: Fail", "  objectSelector: {matchLabels: {guarded: really}}\n  failurePolicy: Fail", 1)
		}},
		"the labels of its pods": {guarded: "pods", change: []string{`guard, labels: {app: guard, pod-template-hash: "1"}`, `guard, labels: {app: guard, pod-template-hash: "2"}`}, cluster: func(s string) string {
			return strings.Replace(closed.Replace(s), "  failurePolicy: Fail", "  objectSelector: {matchLabels: {pod-template-hash: \"2\"}}\n  failurePolicy: Fail", 1)
		}},
		"the labels of its namespace": {guarded: "pods", change: []string{"name: guard, labels: {kubernetes.io/metadata.name: guard", "name: guard, labels: {guarded: really, kubernetes.io/metadata.name: guard"}, cluster: func(s string) string {
			return strings.Replace(closed.Replace(s), "  failurePolicy: Fail", "  namespaceSelector: {matchLabels: {guarded: really}}\n  failurePolicy: Fail", 1)
		}},
		"the labels of a hash that its ReplicaSet has": {guarded: "pods", change: []string{`name: guard-1, namespace: guard, labels: {app: guard, pod-template-hash: "1"}`, `name: guard-1, namespace: guard, labels: {app: guard, pod-template-hash: "2"}`}, cluster: func(s string) string {
			s = strings.Replace(s, `name: guard-0, namespace: guard, labels: {app: guard, pod-template-hash: "1"}`, `name: guard-0, namespace: guard, labels: {app: guard}`, 1)
			return strings.Replace(closed.Replace(s), "  failurePolicy: Fail", "  objectSelector: {matchLabels: {pod-template-hash: \"2\"}}\n  failurePolicy: Fail", 1)
		}},
		"whether its pods mount a token": {
			guarded: "serviceaccounts/token", change: mounting,
			cluster: func(s string) string {
				return strings.Replace(closed.Replace(s), "name: default, namespace: guard}}", "name: default, namespace: guard}, automountServiceAccountToken: false}", 1)
			},
		},
		"the room of quotas":       {guarded: "services", change: []string{`status: {hard: {pods: "10"}`, `status: {hard: {pods: "4"}`}},
		"which volume a claim has": {guarded: "volumeattachments", cluster: func(s string) string { return closed.Replace(s) + attached }, change: []string{"volumeName: volume-1", "volumeName: volume-2"}},
		"what a volume is":         {guarded: "volumeattachments", cluster: closed.Replace, change: []string{"hostPath: {path: /data}", "csi: {driver: csi.example, volumeHandle: one}"}},
		"whom its Service selects": {guarded: "services", change: []string{"name: guard, namespace: guard}, spec: {selector: {app: guard}", "name: guard, namespace: guard}, spec: {selector: {app: nobody}"}, want: metav1.ConditionUnknown},
		"whether its endpoints are there": {guarded: "endpointslices", cluster: func(s string) string {
			return strings.Replace(closed.Replace(s), `operations: ["*"], resources: [endpointslices]`, `operations: [CREATE], resources: [endpointslices]`, 1)
		}, change: []string{"{kubernetes.io/service-name: guard}", "{kubernetes.io/service-name: nobody}"}},
		"a webhook whose backend is down": {guarded: "services", others: "services", cluster: func(s string) string {
			return strings.Replace(s, "ready: true, serving: true", "ready: false", 1)
		}, change: []string{"resources: [services]}]\n  failurePolicy: Fail", "resources: [pods]}]\n  failurePolicy: Fail"}},
		"whether the backend of a webhook is up":   {guarded: "services", others: "pods", change: []string{"ready: true, serving: true", "ready: false"}},
		"conditions that cannot be evaluated":      {guarded: "services", others: "pods", change: []string{"failurePolicy: Fail", "failurePolicy: Fail\n  matchConditions: [{name: one, expression: \"object.metadata.labels['nothing'] == 'x'\"}]"}},
		"what components may do":                   {guarded: "services", change: []string{"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}, subjects: [{kind: Group, name: 'system:authenticated'}]", "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}, subjects: []"}, want: metav1.ConditionUnknown},
		"what components may do in its namespace":  {guarded: "services", cluster: bound, change: []string{"namespace: guard}, subjects: [{kind: Group, name: 'system:authenticated'}]", "namespace: guard}, subjects: []"}, want: metav1.ConditionUnknown},
		"what a role in its namespace allows":      {guarded: "services", cluster: bound, change: []string{"namespace: guard}, rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]", "namespace: guard}, rules: []"}, want: metav1.ConditionUnknown},
		"what the control plane asks webhooks for": {guarded: "services", cluster: closed.Replace, change: []string{"[services]", "[leases]"}, want: metav1.ConditionUnknown},
		"a DaemonSet":   {guarded: "serviceaccounts/token", kind: [2]string{"apps/v1", "DaemonSet"}, cluster: unmounted, change: mounting},
		"a StatefulSet": {guarded: "serviceaccounts/token", kind: [2]string{"apps/v1", "StatefulSet"}, cluster: unmounted, change: mounting},
		"a Job":         {guarded: "serviceaccounts/token", kind: [2]string{"batch/v1", "Job"}, cluster: unmounted, change: mounting},
		"a ReplicaSet":  {guarded: "serviceaccounts/token", kind: [2]string{"apps/v1", "ReplicaSet"}, cluster: unmounted, change: mounting},
		"a Deployment":  {guarded: "serviceaccounts/token", cluster: unmounted, change: mounting},
	} {
		t.Run(name, func(t *testing.T) {
			kind := test.kind
			if kind[0] == "" {
				kind = [2]string{"apps/v1", "Deployment"}
			}
			owner := []string{"OWNERS", kind[0], "OWNER", kind[1], "OWNED", "guard"}
			if kind[1] == "Deployment" {
				owner = []string{"OWNERS", "apps/v1", "OWNER", "ReplicaSet", "OWNED", "guard-1"}
			}
			others := test.others
			if others == "" {
				others = "secrets"
			}
			words := append([]string{"WORKLOADS", kind[0], "KIND", kind[1], "GUARDED", test.guarded, "OTHERS", others}, owner...)
			before := strings.NewReplacer(words...).Replace(watched)
			if test.cluster != nil {
				before = test.cluster(before)
			}
			after := strings.NewReplacer(test.change...).Replace(before)
			if after == before {
				t.Fatal("nothing changes")
			}
			builder, engine := cluster.NewBuilder("live"), newEngine()
			if got := lossOfGuard(t, engine, builder, before); got.RecoversUnaided != metav1.ConditionTrue {
				t.Fatalf("before the change: %+v", got)
			}
			want := lossOfGuard(t, newEngine(), builder, after)
			if expected := test.want; expected == "" && want.RecoversUnaided != metav1.ConditionFalse || expected != "" && want.RecoversUnaided != expected {
				t.Errorf("after the change, from scratch: %+v", want)
			}
			if diff := cmp.Diff(want, lossOfGuard(t, engine, builder, after)); diff != "" {
				t.Errorf("-from scratch +brought up to date:\n%s", diff)
			}
		})
	}
}

// attached is a volume that must be attached.
const attached = `
---
{apiVersion: v1, kind: PersistentVolume, metadata: {name: volume-2}, spec: {csi: {driver: csi.example, volumeHandle: two}}}
`

// mounting has the pods of the workload mount a token, which it did not.
var mounting = []string{"automountServiceAccountToken: false", "automountServiceAccountToken: true"}

func unmounted(manifests string) string {
	manifests = strings.Replace(manifests, "    spec:\n      containers", "    spec:\n      automountServiceAccountToken: false\n      containers", 1)
	return strings.NewReplacer(closing...).Replace(manifests)
}

// bound has components do in namespaces only what roles in them allow.
func bound(manifests string) string {
	role := "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: all, namespace: NAMESPACE}, rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]}\n---\n" +
		"{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: all}, metadata: {name: all, namespace: NAMESPACE}, subjects: [{kind: Group, name: 'system:authenticated'}]}\n"
	manifests = strings.Replace(manifests, "metadata: {name: all}, rules: [{apiGroups: ['*'], resources: ['*']", "metadata: {name: all}, rules: [{apiGroups: ['*'], resources: ['nodes', 'nodes/status', 'volumeattachments']", 1)
	for _, namespace := range []string{"guard", "shop", "kube-system", "kube-node-lease"} {
		manifests += "---\n" + strings.ReplaceAll(role, "NAMESPACE", namespace)
	}
	return manifests
}

// lossOfGuard makes the manifests the cluster, and returns the loss of the
// extension guard.
func lossOfGuard(t *testing.T, engine *outage.Engine, builder *cluster.Builder, manifests string) outage.Loss {
	t.Helper()
	read := scenario.WellFormed(t, snapshotOf(t, manifests))
	builder.SetDiscovery(read.Discovery)
	for i := range cluster.Resources {
		resource := cluster.Resources[i].GroupResource()
		var all []cluster.Object
		for object := range read.Objects(resource).All() {
			all = append(all, object)
		}
		builder.Replace(resource, all)
	}
	losses, err := engine.Losses(t.Context(), observedOf(builder.Snapshot()))
	if err != nil {
		t.Fatal(err)
	}
	loss, ok := losses["guard"]
	if !ok {
		t.Fatalf("there is no extension guard: %v", losses)
	}
	return loss
}
