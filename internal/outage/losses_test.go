package outage_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/internal/scenario"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// guarded is a cluster whose webhook is asked for every pod, its own included.
const guarded = `
apiVersion: v1
kind: Namespace
metadata: {name: guard, labels: {kubernetes.io/metadata.name: guard}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {kubernetes.io/metadata.name: shop}}
---
apiVersion: v1
kind: Namespace
metadata: {name: kube-system, labels: {kubernetes.io/metadata.name: kube-system}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: guard, namespace: guard}
spec:
  replicas: 1
  selector: {matchLabels: {app: guard}}
  template:
    metadata: {labels: {app: guard}}
    spec: {containers: [{name: guard, image: guard}]}
---
apiVersion: v1
kind: Service
metadata: {name: guard, namespace: guard}
spec: {selector: {app: guard}, ports: [{port: 443}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks:
- name: pods.guard.example
  clientConfig: {service: {namespace: guard, name: guard}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  failurePolicy: Fail
  namespaceSelector: {}
  sideEffects: None
  admissionReviewVersions: [v1]
`

// replaced is the cluster with other words in it.
func replaced(words ...string) string { return strings.NewReplacer(words...).Replace(guarded) }

func snapshotOf(t testing.TB, manifests string) *cluster.Snapshot {
	t.Helper()
	contents, err := dump.Read(fstest.MapFS{"cluster.yaml": {Data: []byte(manifests)}})
	if err != nil {
		t.Fatal(err)
	}
	return contents.Snapshot()
}

func newEngine() *outage.Engine {
	return outage.NewEngine(requestpath.NewEngine(), rbac.NewAuthorizers(rbac.Options{}))
}

func observedOf(snapshot *cluster.Snapshot, extensions ...*extant.Extension) requestpath.Observed {
	return requestpath.Observed{Snapshot: snapshot, Inventory: inventory.Take(snapshot, nil, extensions), Params: scenario.Params{}}
}

func TestTheLossOfAnExtension(t *testing.T) {
	for name, test := range map[string]struct {
		manifests string
		extension string
		want      outage.Loss
	}{
		"a webhook that guards its own pods does not come back": {
			manifests: guarded,
			want: outage.Loss{
				Blocks: "create of pods in all 3 namespaces", RecoversUnaided: "False", Reason: "Deadlock",
				Message: "1 workload stuck, 1 backend without a ready endpoint. Backend guard.guard.443 answers only once Deployment guard/guard is ready. " +
					"Deployment guard/guard needs CREATE pods in guard by system:serviceaccount:kube-system:replicaset-controller, which the API server refuses as long as " +
					"the hook pods.guard.example of guard cannot be asked: its backend guard.guard.443 is down.",
			},
		},
		"one that fails open does": {
			manifests: replaced("failurePolicy: Fail", "failurePolicy: Ignore"),
			want:      outage.Loss{RecoversUnaided: "True", Reason: "ComesBack", Message: "everything that is lost is back after 1 wave"},
		},
		"one that leaves out its own namespace does": {
			manifests: replaced("namespaceSelector: {}", "namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [guard]}]}"),
			want: outage.Loss{
				Blocks: "create of pods in 2 of 3 namespaces", RecoversUnaided: "True", Reason: "ComesBack", Message: "everything that is lost is back after 1 wave",
			},
		},
		"what is refused is counted over all rules": {
			manifests: replaced("operations: [CREATE], resources: [pods]", `operations: [DELETE, CREATE], resources: [services, configmaps]`),
			want: outage.Loss{
				Blocks: "create, delete of 2 resources in all 3 namespaces", RecoversUnaided: "True", Reason: "ComesBack", Message: "everything that is lost is back after 1 wave",
			},
		},
		"what is refused for some objects is said to be": {
			manifests: replaced("namespaceSelector: {}", "objectSelector: {matchLabels: {guarded: really}}"),
			want: outage.Loss{
				Blocks: "create of pods in all 3 namespaces, some objects only", RecoversUnaided: "True", Reason: "ComesBack", Message: "everything that is lost is back after 1 wave",
			},
		},
		"what lies outside of the cluster is not known": {
			manifests: replaced("service: {namespace: guard, name: guard}", "url: https://guard.example/"),
			want: outage.Loss{
				Blocks: "create of pods in all 3 namespaces", RecoversUnaided: "Unknown", Reason: "Undetermined",
				Message: "backend guard.example.443: what is behind guard.example.443 is outside of the cluster",
			},
			extension: "guard",
		},
		"a Service that is missing does not appear by itself": {
			manifests: replaced("namespace: guard, name: guard}}", "namespace: shop, name: gone}}"),
			want: outage.Loss{
				Blocks: "create of pods in all 3 namespaces", RecoversUnaided: "False", Reason: "Stuck", Message: "1 backend without a ready endpoint: there is no Service shop/gone",
			},
		},
		"what has no backends has nothing to lose": {
			manifests: "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: guard, labels: {app.kubernetes.io/name: guard}}\nspec: {controller: example.com/guard}\n",
			want:      outage.Loss{RecoversUnaided: "True", Reason: "NothingToLose", Message: "it has no backends that could be lost"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			losses, err := newEngine().Losses(t.Context(), observedOf(snapshotOf(t, test.manifests)))
			if err != nil {
				t.Fatal(err)
			}
			if len(losses) != 1 {
				t.Fatalf("got the losses of %d extensions: %v", len(losses), losses)
			}
			for _, got := range losses {
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
		})
	}
}

func TestAnExtensionWhoseHooksCannotBeSeenMayHaveBackends(t *testing.T) {
	b := cluster.NewBuilder("live")
	b.SetGaps("mutatingwebhookconfigurations.admissionregistration.k8s.io", cluster.Gap{Reason: cluster.GapForbidden})
	declared := &extant.Extension{ObjectMeta: metav1.ObjectMeta{Name: "mine"}, Spec: extant.ExtensionSpec{Owner: "me"}}
	losses, err := newEngine().Losses(t.Context(), observedOf(b.Snapshot(), declared))
	if err != nil {
		t.Fatal(err)
	}
	if got := losses["mine"]; got.RecoversUnaided != metav1.ConditionUnknown || !strings.Contains(got.Message, "Forbidden") {
		t.Errorf("got %v", got)
	}
}
