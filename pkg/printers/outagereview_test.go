package printers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	guard   = extant.HookReference{Configuration: "guard", Hook: "pods.guard", Backend: "guard.guards.443"}
	again   = extant.HookReference{Configuration: "guard", Hook: "tokens.guard", Backend: "guard.guards.443"}
	crd     = extant.HookReference{Configuration: "widgets.example.com", Hook: "conversion"}
	web     = extant.ObjectReference{Group: "apps", Resource: "deployments", Namespace: "shop", Name: "web"}
	guards  = extant.ObjectReference{Group: "apps", Resource: "deployments", Namespace: "guards", Name: "guard"}
	lostPod = extant.Operation{Operation: "CREATE", Version: "v1", Resource: "pods", Namespace: "guards"}
	lostJob = extant.Operation{Operation: "UPDATE", Group: "batch", Version: "v1", Resource: "jobs", Subresource: "status"}
)

// outage is an answer with something of everything.
func outage() *extant.OutageReview {
	return &extant.OutageReview{
		ObjectMeta: metav1.ObjectMeta{Name: "mine"},
		Status: extant.OutageReviewStatus{
			Blocked: []extant.InterceptedOperation{
				{Operation: "CREATE", Version: "v1", Resource: "pods", Namespaces: &extant.NamespaceSet{Count: 2, Names: []string{"guards", "shop"}}, By: []extant.HookReference{guard, again}},
				{Operation: "GET", Group: "example.com", Resource: "widgets", Namespaces: &extant.NamespaceSet{All: true, Count: 7}, By: []extant.HookReference{crd}},
				{Operation: "LIST", Group: "example.com", Resource: "widgets", Namespaces: &extant.NamespaceSet{All: true, Count: 7}, By: []extant.HookReference{crd}},
				{Operation: "UPDATE", Group: "*", Resource: "*", Subresource: "*", Conditional: true, By: []extant.HookReference{guard}},
			},
			Degraded: []extant.DegradedOperation{
				{InterceptedOperation: extant.InterceptedOperation{Operation: "DELETE", Resource: "nodes", By: []extant.HookReference{guard}}, Effect: extant.EffectDelayed, Delay: &metav1.Duration{Duration: 30 * time.Second}},
				{InterceptedOperation: extant.InterceptedOperation{Operation: "DELETE", Resource: "nodes", By: []extant.HookReference{again}}, Effect: extant.EffectSkipped},
			},
			Collateral: []extant.Collateral{
				{Effect: extant.CollateralQuotaStopped, Because: "discovery\nfails", Latent: true, By: []extant.HookReference{crd}},
				{Effect: extant.CollateralNodesNotReady, Scope: "node-1", By: []extant.HookReference{guard}},
			},
			Vital: []extant.VitalOperation{
				{Name: "create-pods-kube-system", Verdict: extant.VitalBlocked, By: []extant.HookReference{guard}, Message: "it is down"},
				{Name: "create-events", Verdict: extant.VitalAllowed},
				{Name: "update-crds", Verdict: extant.VitalUnknown},
			},
			Recovery: extant.Recovery{
				RecoversUnaided: metav1.ConditionFalse,
				Reason:          "guard waits for itself",
				Waves: []extant.RecoveryWave{
					{Wave: 1, Workloads: []extant.ObjectReference{web}, Backends: []string{"web.shop.80"}},
					{Wave: 2, Backends: []string{"api.shop.443"}},
				},
				Stuck: []extant.StuckObject{{
					ObjectReference: guards, Needs: []extant.Operation{lostPod, lostJob}, BlockedBy: []extant.HookReference{guard, again}, Message: "nobody\nanswers",
				}},
				Unreachable: []string{"guard.guards.443", "old.shop.443"},
				Deadlocks:   []extant.Deadlock{{Members: []string{"guard.guards.443"}}},
			},
		},
	}
}

// rowsOf is a table as text, the headings first.
func rowsOf[T runtime.Object](t *testing.T, columns Columns[T], object T) [][]any {
	t.Helper()
	table, err := columns.ConvertToTable(t.Context(), object, nil)
	if err != nil {
		t.Fatal(err)
	}
	var headings []any
	for _, column := range table.ColumnDefinitions {
		if column.Description == "" {
			t.Errorf("%s has no description", column.Name)
		}
		headings = append(headings, column.Name)
	}
	rows := [][]any{headings}
	for _, row := range table.Rows {
		rows = append(rows, row.Cells)
	}
	return rows
}

func TestWhatIsLostIsListedInTheOrderInWhichItComesBack(t *testing.T) {
	want := [][]any{
		{"Wave", "Namespace", "Name", "State", "Needs", "Blocked By", "Recovers", "Hooks", "Deadlock", "Message"},
		{"1", "shop", "deployments.apps/web", "Recovers", none, none, "False", none, none, none},
		{"1", none, "backend/web.shop.80", "Recovers", none, none, "", none, none, none},
		{"2", none, "backend/api.shop.443", "Recovers", none, none, "", none, none, none},
		{none, "guards", "deployments.apps/guard", "Stuck", "CREATE pods in guards +1", "guard", "", "pods.guard (guard.guards.443), tokens.guard (guard.guards.443)", none, "nobody answers"},
		{none, none, "backend/guard.guards.443", "Unreachable", none, none, "", none, "1", none},
		{none, none, "backend/old.shop.443", "Unreachable", none, none, "", none, none, none},
	}
	if diff := cmp.Diff(want, rowsOf(t, OutageReviews, outage())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestATableOfAnOutageDoesNotRepeatTheAnswer(t *testing.T) {
	review := outage()
	table, err := OutageReviews.ConvertToTable(t.Context(), review, nil)
	if err != nil {
		t.Fatal(err)
	}
	if table.Rows[0].Object.Object != runtime.Object(review) {
		t.Error("the first row has another object")
	}
	second := table.Rows[1].Object.Object.(*extant.OutageReview)
	want := &extant.OutageReview{ObjectMeta: review.ObjectMeta, Status: extant.OutageReviewStatus{Recovery: extant.Recovery{RecoversUnaided: metav1.ConditionFalse, Reason: "guard waits for itself"}}}
	if diff := cmp.Diff(want, second); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAnOutageOfNothingStillHasAVerdict(t *testing.T) {
	review := &extant.OutageReview{Status: extant.OutageReviewStatus{Recovery: extant.Recovery{RecoversUnaided: metav1.ConditionTrue}}}
	got := rowsOf(t, OutageReviews, review)
	if len(got) != 2 || got[1][recoversColumn] != "True" {
		t.Errorf("got %v", got)
	}
	if got := rowsOf(t, Losses, review); len(got) != 1 {
		t.Errorf("losses of nothing: %v", got)
	}
}

func TestWhatIsNotKnownToBeBlockedIsUnknown(t *testing.T) {
	review := outage()
	review.Status.Recovery = extant.Recovery{RecoversUnaided: metav1.ConditionUnknown, Stuck: []extant.StuckObject{
		{ObjectReference: web, Message: "leases cannot be seen"}, {ObjectReference: guards, BlockedBy: []extant.HookReference{guard}},
	}}
	got := rowsOf(t, Losses, review)
	if got[1][3] != "Unknown" || got[2][3] != "Stuck" {
		t.Errorf("got %v", got)
	}
}

func TestOperationsAreNamedAsHooksAreRegistered(t *testing.T) {
	want := [][]any{
		{"Operations", "Resource", "Namespaces", "Objects", "Effect", "By", "Versions", "Hooks", "Names"},
		{"CREATE", "pods", "2", "all", "Refused", "guard", "v1", "pods.guard (guard.guards.443), tokens.guard (guard.guards.443)", "guards, shop"},
		{"GET,LIST", "widgets.example.com", "all", "all", "Refused", "widgets.example.com", "all", "conversion", none},
		{"UPDATE", "*.*/*", none, "some", "Refused", "guard", "all", "pods.guard (guard.guards.443)", none},
		{"DELETE", "nodes", none, "all", "Delayed 30s", "guard", "all", "pods.guard (guard.guards.443)", none},
		{"DELETE", "nodes", none, "all", "Skipped", "guard", "all", "tokens.guard (guard.guards.443)", none},
	}
	if diff := cmp.Diff(want, rowsOf(t, Intercepted, outage())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestVitalOperationsAreListedThatAreNotAllowed(t *testing.T) {
	want := [][]any{
		{"Operation", "Verdict", "By", "Hooks", "Message"},
		{"create-pods-kube-system", "Blocked", "guard", "pods.guard (guard.guards.443)", "it is down"},
		{"update-crds", "Unknown", none, none, none},
	}
	if diff := cmp.Diff(want, rowsOf(t, Impaired, outage())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestConsequencesSayWhenTheyShow(t *testing.T) {
	want := [][]any{
		{"Effect", "Scope", "When", "By", "Because"},
		{"QuotaStopped", "cluster", "at a restart", "widgets.example.com", "discovery fails"},
		{"NodesNotReady", "node-1", "at once", "guard", none},
	}
	if diff := cmp.Diff(want, rowsOf(t, Consequences, outage())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
