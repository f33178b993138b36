package requestpath

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/scenario"
)

// TestWhatParamsSayIsShownToWhoMayReadThem asks with and without the right to
// read each param: what a policy concludes is told all the same.
func TestWhatParamsSayIsShownToWhoMayReadThem(t *testing.T) {
	for file, secret := range map[string]string{
		"testdata/policy-params-messages.txt": "at most 2",
		"testdata/mutating-policy-params.txt": `"value":"10"`,
	} {
		f := newFixture(t, scenario.Read(t, file))
		observed := Observed{Snapshot: f.snapshot, Inventory: inventory.Take(f.snapshot, catalogue.Points(), nil), Params: f.params}
		shown, err := f.engine.Trace(t.Context(), observed, rbac.New(f.snapshot, rbac.Options{}), &f.reviews[0].Spec)
		if err != nil {
			t.Fatal(err)
		}
		observed.MayReadParam = func(context.Context, schema.GroupVersionResource, string, string) bool { return false }
		withheld, err := f.engine.Trace(t.Context(), observed, rbac.New(f.snapshot, rbac.Options{}), &f.reviews[0].Spec)
		if err != nil {
			t.Fatal(err)
		}
		said := func(hops string) bool { return strings.Contains(hops, secret) }
		if all := print(f.reviews[:1], []response{{status: shown}}); !said(all) {
			t.Errorf("%s: it is not shown to who may:\n%s", file, all)
		}
		all := print(f.reviews[:1], []response{{status: withheld}})
		if said(all) || !strings.Contains(all, "withheld") {
			t.Errorf("%s: it is shown to who may not:\n%s", file, all)
		}
		if shown.Verdict != withheld.Verdict {
			t.Errorf("%s: the verdict goes from %s to %s", file, shown.Verdict, withheld.Verdict)
		}
	}
}
