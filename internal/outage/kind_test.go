package outage_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// TestDeletingNothingChangesNothing asks about outages, and about the same with
// something deleted that is not there. Where anything is deleted the engine
// looks at every workload by itself, so that this compares what workloads of one
// kind share with what each of them is found to need.
func TestDeletingNothingChangesNothing(t *testing.T) {
	back, stuck := 0, 0
	for seed := range uint64(40) {
		observed := alike(t, seed)
		for _, mode := range []extant.OutageMode{extant.ModePodsLost, extant.ModeNodesDown, extant.ModeRestarted} {
			for _, down := range []extant.Outage{{Mode: mode, Everything: true}, {Mode: mode, Namespaces: []string{"ns-0", "ns-1"}}} {
				ask := func(deleted ...extant.ObjectReference) *extant.OutageReviewStatus {
					down.Deleted = deleted
					status, err := newEngine().Analyze(t.Context(), observed, &extant.OutageReviewSpec{Down: down, Detail: extant.DetailFull})
					if err != nil {
						t.Fatal(err)
					}
					return status
				}
				got := ask()
				want := ask(extant.ObjectReference{Resource: "secrets", Namespace: "ns-0", Name: "not-there"})
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("seed %d, %+v (-each by itself +shared):\n%s", seed, down, diff)
				}
				back += len(recoveredIn(got))
				stuck += len(got.Recovery.Stuck)
			}
		}
	}
	if back < 300 || stuck < 300 {
		t.Errorf("only %d workloads are back and %d stuck in all these outages", back, stuck)
	}
}

// alike is a random cluster of workloads that differ in a few things only.
func alike(t *testing.T, seed uint64) requestpath.Observed {
	random := rand.New(rand.NewPCG(seed, 2))
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	var manifests []string
	add := func(format string, args ...any) { manifests = append(manifests, fmt.Sprintf(format, args...)) }
	add("{apiVersion: v1, kind: Node, metadata: {name: node-1}}")
	add("{apiVersion: v1, kind: Node, metadata: {name: node-2}}")
	add("{apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}")
	add("{apiVersion: v1, kind: Namespace, metadata: {name: kube-node-lease}}")
	// In some clusters components may do all, in some only what roles in a
	// namespace allow.
	add("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: cluster-admin}, rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]}")
	everywhere := random.IntN(3) > 0
	if everywhere {
		add("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: all}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:authenticated'}]}")
	}
	for n := range 4 {
		namespace := fmt.Sprintf("ns-%d", n)
		add("{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {kubernetes.io/metadata.name: %[1]s, env: %s, pod-security.kubernetes.io/enforce: %s}}}",
			namespace, one("prod", "dev"), one("privileged", "baseline"))
		if !everywhere && random.IntN(2) == 0 {
			add("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: all, namespace: %s}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:authenticated'}]}", namespace)
		}
		if random.IntN(3) == 0 {
			add("{apiVersion: v1, kind: ResourceQuota, metadata: {name: pods, namespace: %s}, status: {hard: {pods: '5'}, used: {pods: '%s'}}}", namespace, one("4", "5", "6"))
		}
		add("{apiVersion: v1, kind: ServiceAccount, metadata: {name: silent, namespace: %s}, automountServiceAccountToken: false}", namespace)
		for i := range 12 {
			name := fmt.Sprintf("app-%d", i)
			spec := fmt.Sprintf("hostNetwork: %s, schedulerName: %s, serviceAccountName: %s", one("true", "false", "false", "false"), one("default-scheduler", "default-scheduler", "app-0"), one("default", "silent"))
			if random.IntN(10) == 0 {
				spec += ", tolerations: [{operator: Exists}]"
			}
			if random.IntN(10) == 0 {
				spec += ", nodeSelector: {no: node}"
			}
			if random.IntN(10) == 0 {
				spec += ", runtimeClassName: gvisor"
			}
			kind := one("DaemonSet", "ReplicaSet", "ReplicaSet", "ReplicaSet")
			add("{apiVersion: apps/v1, kind: %s, metadata: {name: %s, namespace: %s}, spec: {selector: {matchLabels: {app: %[2]s}}, template: {metadata: {labels: {app: %[2]s, tier: %s}}, spec: {%s, containers: [{name: main, image: main}]}}}, status: {desiredNumberScheduled: 1}}",
				kind, name, namespace, one("gold", "silver"), spec)
			if random.IntN(4) > 0 {
				add("{apiVersion: v1, kind: Pod, metadata: {name: %s-x, namespace: %s, labels: {app: %[1]s}, ownerReferences: [{apiVersion: apps/v1, kind: %s, name: %[1]s, controller: true}]}, spec: {nodeName: %s}, status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}}",
					name, namespace, kind, one("node-1", "node-2"))
			}
			add("{apiVersion: v1, kind: Service, metadata: {name: %s, namespace: %s}, spec: {selector: {app: %[1]s}, ports: [{port: 443}]}}", name, namespace)
		}
	}
	add("{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: gvisor}, handler: runsc}")
	for h := range 3 {
		selector := fmt.Sprintf("{matchLabels: {env: %s}}", one("prod", "dev"))
		objects := "{}"
		what := allSteps[random.IntN(len(allSteps)-1)]
		if what == creation || what == podStatus {
			objects = one("{}", fmt.Sprintf("{matchLabels: {tier: %s}}", one("gold", "silver")))
		}
		add("{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: guard-%d}, webhooks: [{name: h.example.com, admissionReviewVersions: [v1], sideEffects: None, failurePolicy: Fail, "+
			"clientConfig: {service: {namespace: ns-%d, name: app-%d, port: 443}}, namespaceSelector: %s, objectSelector: %s, rules: [%s]}]}",
			h, random.IntN(4), random.IntN(12), selector, objects, what.rule)
	}
	said := &extant.Extension{
		ObjectMeta: metav1.ObjectMeta{Name: "said", Labels: map[string]string{extant.LabelOrigin: extant.OriginDeclared}},
		Spec: extant.ExtensionSpec{Provides: []string{one("PodNetwork", "Scheduling", "Runtime/runsc")}, Needs: []extant.Need{{
			Workload:   extant.ObjectReference{Group: "apps", Resource: "replicasets", Namespace: "ns-1", Name: "app-1"},
			Operations: []extant.Operation{{Operation: "CREATE", Resource: "pods", Namespace: "ns-2"}},
		}}},
	}
	for _, resource := range []string{"daemonsets", "replicasets"} {
		said.Spec.Components = append(said.Spec.Components, extant.ObjectReference{Group: "apps", Resource: resource, Namespace: "ns-0", Name: "app-0"})
	}
	return observedOf(snapshotOf(t, strings.Join(manifests, "\n---\n")), said)
}
