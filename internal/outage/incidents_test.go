package outage_test

import (
	"encoding/json"
	"strings"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/test/truth"
)

// TestEveryDeadlockIsFound holds the engine to what it is for: of every
// recorded outage that a cluster did not survive because things waited for each
// other, it says before it happens who waits for whom, and offers a change with
// which, once its patch is applied to the recorded object, everything in the
// deadlock comes back.
func TestEveryDeadlockIsFound(t *testing.T) {
	scenarios, err := truth.Outages()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, scenario := range scenarios {
		spec := scenario.Spec.DeepCopy()
		spec.Assume.StartupSeconds = &scenario.StartupSeconds
		snapshot, err := scenario.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		params, err := scenario.Params(snapshot)
		if err != nil {
			t.Fatal(err)
		}
		observed := requestpath.Observed{Snapshot: snapshot, Inventory: inventory.Take(snapshot, nil, nil), Params: params}
		status := analyzed(t, observed, spec)
		if why := withoutDeadlock[scenario.Name]; why != "" || status.Recovery.RecoversUnaided != metav1.ConditionFalse {
			if len(status.Recovery.Deadlocks) > 0 {
				t.Errorf("%s: %d deadlocks, and there are none: %s", scenario.Name, len(status.Recovery.Deadlocks), why)
			}
			continue
		}
		found++
		t.Run(scenario.Name, func(t *testing.T) {
			if len(status.Recovery.Deadlocks) == 0 {
				t.Fatalf("no deadlock is named; stuck: %v", status.Recovery.Stuck)
			}
			if withoutFix[scenario.Name] != "" {
				return
			}
			for _, deadlock := range status.Recovery.Deadlocks {
				checkDeadlock(t, observed, spec, &deadlock)
			}
			if len(status.Recovery.Remedies) == 0 {
				t.Error("nothing is offered to do once it has happened")
			}
		})
	}
	if found < 20 {
		t.Errorf("only %d outages are deadlocks", found)
	}
}

// withoutDeadlock are the recorded outages that do not end and in which nothing
// waits for itself.
var withoutDeadlock = map[string]string{
	"outage/47-policy-without-params-denies":          "a policy denies, whatever is up",
	"outage/51-service-missing":                       "the Service was never there",
	"outage/77-mutating-policy-without-params-denies": "a policy denies, whatever is up",
	"incidents/datadog-1452-orphan":                   "the workload is deleted",
	"incidents/k8s-125737-vap-param":                  "the param is deleted",
	"incidents/keda-4772-wrong-service-name":          "the Service is deleted",
	"incidents/openebs-3338-orphan":                   "the Service is deleted",
}

// withoutFix are the deadlocks that no change of one hook prevents.
var withoutFix = map[string]string{
	"outage/43-conversion-controller-needs-its-own-resource": "a controller needs the conversion that it serves: it must ask for the stored version",
	"outage/81-conversion-list-after-write":                  "a controller needs the conversion that it serves: it must ask for the stored version",
}

func analyzed(t *testing.T, observed requestpath.Observed, spec *extant.OutageReviewSpec) *extant.OutageReviewStatus {
	t.Helper()
	engine := outage.NewEngine(requestpath.NewEngine(), rbac.NewAuthorizers(rbac.Options{}))
	status, err := engine.Analyze(t.Context(), observed, spec)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func checkDeadlock(t *testing.T, observed requestpath.Observed, spec *extant.OutageReviewSpec, deadlock *extant.Deadlock) {
	t.Helper()
	if len(deadlock.Members) == 0 || len(deadlock.Explanation) < len(deadlock.Members) {
		t.Errorf("the deadlock of %v is explained by %q", deadlock.Members, deadlock.Explanation)
	}
	if len(deadlock.Fixes) == 0 {
		t.Errorf("nothing is offered against the deadlock of %v", deadlock.Members)
	}
	for _, fix := range deadlock.Fixes {
		if !fix.Resolves {
			t.Errorf("%s is offered and does not resolve the deadlock", fix.Description)
		}
		patched := observed
		patched.Snapshot = observed.Snapshot.Edited(applied(t, observed.Snapshot, &fix))
		if fix.Target.Group == "apps" {
			continue // its pods would have to be made as well
		}
		patched.Inventory = inventory.Take(patched.Snapshot, nil, nil)
		left := strings.Join(analyzed(t, patched, spec).Recovery.Unreachable, " ")
		for _, member := range deadlock.Members {
			if strings.Contains(left, member) {
				t.Errorf("%s is not back after: %s", member, fix.Description)
			}
		}
	}
}

// applied is the target of a fix as the API server makes it of the patch.
func applied(t *testing.T, snapshot *cluster.Snapshot, fix *extant.Fix) cluster.Edit {
	t.Helper()
	resource := schema.GroupResource{Group: fix.Target.Group, Resource: fix.Target.Resource}
	before, ok := snapshot.Objects(resource).Get(fix.Target.Namespace, fix.Target.Name)
	if !ok {
		t.Fatalf("there is no %s %s", resource, fix.Target.Name)
	}
	encoded, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := jsonpatch.DecodePatch([]byte(fix.Patch))
	if err != nil {
		t.Fatalf("%s: %v", fix.Patch, err)
	}
	if encoded, err = patch.Apply(encoded); err != nil {
		t.Fatalf("%s: %v", fix.Patch, err)
	}
	row, _ := cluster.Lookup(resource)
	after := row.New()
	if err := json.Unmarshal(encoded, after); err != nil {
		t.Fatal(err)
	}
	kept, err := row.Keep(after)
	if err != nil {
		t.Fatal(err)
	}
	return cluster.Edit{Resource: resource, Namespace: fix.Target.Namespace, Name: fix.Target.Name, Object: kept}
}
