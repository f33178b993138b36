package finding

import (
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// backend is a backend as probes leave it.
func backend(notAfter time.Time, trusted metav1.ConditionStatus) extant.Backend {
	expires := metav1.NewTime(notAfter)
	return extant.Backend{
		ObjectMeta: metav1.ObjectMeta{Name: "guard.guards.443"},
		Spec:       extant.BackendSpec{Callers: []extant.Caller{{Point: "aggregated-api", Resource: "apiservices", Object: "v1.example", FailurePolicy: "Fail"}}},
		Status: extant.BackendStatus{
			Available: metav1.ConditionTrue, Reason: extant.BackendProbeSucceeded, Certificate: &extant.Certificate{NotAfter: &expires},
			Callers: []extant.CallerStatus{{Resource: "apiservices", Object: "v1.example", TrustedByCABundle: trusted}},
		},
	}
}

// rulesFound evaluates baseline at a time.
func rulesFound(t *testing.T, e *Engine, found *inventory.Inventory, at time.Time) string {
	t.Helper()
	result, err := e.Evaluate(t.Context(), Input{
		Observed: requestpath.Observed{Snapshot: cluster.NewBuilder("live").Snapshot(), Inventory: found, Time: metav1.NewTime(at)}, Policies: catalogue.Policies()[:1],
	})
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for i := range result.Findings {
		rules = append(rules, result.Findings[i].Spec.Rule+": "+result.Findings[i].Spec.Message)
	}
	return strings.Join(rules, "\n")
}

// TestACertificateExpiresThoughNothingElseChanges is about the same engine with
// the same input, later.
func TestACertificateExpiresThoughNothingElseChanges(t *testing.T) {
	e := NewEngine(requestpath.NewEngine())
	found := &inventory.Inventory{Backends: []extant.Backend{backend(noon.Time, metav1.ConditionTrue)}}
	for _, test := range []struct {
		before time.Duration
		want   string
	}{
		{8 * 24 * time.Hour, ""},
		{6 * 24 * time.Hour, "certificate-expiring: its serving certificate expires at 2026-11-01T12:00:00Z"},
		{-time.Second, "certificate-expiring: its serving certificate expired at 2026-11-01T12:00:00Z"},
		{8 * 24 * time.Hour, ""},
	} {
		if got := rulesFound(t, e, found, noon.Add(-test.before)); got != test.want {
			t.Errorf("%s before: got %q, want %q", test.before, got, test.want)
		}
	}
}

func TestWhatProbesFindOfABackendIsSeenByRules(t *testing.T) {
	e := NewEngine(requestpath.NewEngine())
	good := backend(noon.AddDate(1, 0, 0), metav1.ConditionTrue)
	distrusted := backend(noon.AddDate(1, 0, 0), metav1.ConditionFalse)
	down := good
	down.Status.Available, down.Status.Reason = metav1.ConditionFalse, extant.BackendConnectFailed
	for _, test := range []struct {
		backend extant.Backend
		want    []string
	}{
		{good, nil},
		{distrusted, []string{"certificate-not-trusted: its certificate is not valid for apiservices/v1.example, whose calls fail"}},
		{down, []string{"api-unavailable: ", "blocking-backend-down: requests are refused that fail-closed hooks intercept: ConnectFailed"}},
		{good, nil},
	} {
		got := rulesFound(t, e, &inventory.Inventory{Backends: []extant.Backend{test.backend}}, noon.Time)
		if len(test.want) == 0 && got != "" {
			t.Errorf("got %q", got)
		}
		for _, want := range test.want {
			if !strings.Contains(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	}
}

// TestARuleThatCostsTooMuchIsCutOffForAll is about one that stays below the
// limit for each hook.
func TestARuleThatCostsTooMuchIsCutOffForAll(t *testing.T) {
	var found inventory.Inventory
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "guard"}}
	configuration.Webhooks = make([]admissionregistrationv1.ValidatingWebhook, 2000)
	for i := range configuration.Webhooks {
		found.Hooks = append(found.Hooks, inventory.Hook{
			Point: "validating-admission-webhook", Resource: "validatingwebhookconfigurations", Object: "guard", Name: strings.Repeat("h", i+1), Index: i, ValidatingConfiguration: configuration,
		})
	}
	const ten = `[0,1,2,3,4,5,6,7,8,9]`
	policy := &extant.ExtensionPolicy{ObjectMeta: metav1.ObjectMeta{Name: "mine"}, Spec: extant.ExtensionPolicySpec{Rules: []extant.PolicyRule{{
		Name: "dear", AppliesTo: extant.PolicySubjectHook, Severity: extant.FindingInfo,
		Assert: ten + `.all(a, ` + ten + `.all(b, ` + ten + `.all(c, a + b + c < 100)))`,
	}}}}
	result, err := NewEngine(requestpath.NewEngine()).Evaluate(t.Context(), Input{
		Observed: requestpath.Observed{Snapshot: cluster.NewBuilder("live").Snapshot(), Inventory: &found, Time: noon}, Policies: []*extant.ExtensionPolicy{policy},
	})
	if err != nil {
		t.Fatal(err)
	}
	failed := result.Policies["mine"].Failed
	if len(failed) != 1 || !strings.Contains(failed[0].Message, "costs too much") || failed[0].More == 0 || failed[0].More >= 1999 {
		t.Errorf("got %+v", failed)
	}
	if len(result.Kept) == 0 {
		t.Error("what was not evaluated is taken for mended")
	}
}

func TestTheNameOfAFindingIsThatOfItsSubject(t *testing.T) {
	hook := extant.FindingSubject{Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations", Name: "guard", Hook: "a.example"}
	other := hook
	other.Hook = "b.example"
	if got := nameOf("baseline", "slow", hook); got != "baseline.slow.f065b9be48" || got == nameOf("baseline", "slow", other) {
		t.Errorf("got %s: a name is for as long as the finding holds, over versions of Extant", got)
	}
	if name := nameOf(strings.Repeat("a", 253), strings.Repeat("r", 63), hook); len(name) > 253 || name == nameOf(strings.Repeat("a", 252), strings.Repeat("r", 63), hook) {
		t.Errorf("got %s", name)
	}
}

// TestAParamKindIsServedOnceItIsInstalled is about a hook that stays the same
// while the cluster around it changes.
func TestAParamKindIsServedOnceItIsInstalled(t *testing.T) {
	policy := &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: "limits"}}
	policy.Spec.ParamKind = &admissionregistrationv1.ParamKind{APIVersion: "example.com/v1", Kind: "Limit"}
	binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: "limits"}}
	found := &inventory.Inventory{Hooks: []inventory.Hook{{
		Point: "validating-admission-policy", Resource: "validatingadmissionpolicies", Object: "limits", Name: "limits", ValidatingPolicy: policy, ValidatingBinding: binding,
	}}}
	limits := cluster.APIResource{Group: "example.com", Version: "v1", Resource: "limits", Kind: schema.GroupVersionKind{Kind: "Limit"}}
	builder := cluster.NewBuilder("live")
	e := NewEngine(requestpath.NewEngine())
	for _, test := range []struct {
		served []cluster.APIResource
		want   int
	}{{nil, 1}, {[]cluster.APIResource{limits}, 0}, {nil, 1}} {
		builder.SetDiscovery(cluster.NewDiscovery(test.served))
		result, err := e.Evaluate(t.Context(), Input{
			Observed: requestpath.Observed{Snapshot: builder.Snapshot(), Inventory: found, Time: noon}, Policies: catalogue.Policies()[:1],
		})
		if err != nil || len(result.Findings) != test.want {
			t.Errorf("with %v served: %v, %v", test.served, result.Findings, err)
		}
	}
}
