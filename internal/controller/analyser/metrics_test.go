package analyser

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/extant-project/extant/pkg/apis/extant"
)

func TestFindingsAreCountedByExtension(t *testing.T) {
	found := []extant.FindingSpec{
		{Policy: "baseline", Rule: "a", Severity: "Error", Extension: "guard"},
		{Policy: "baseline", Rule: "a", Severity: "Error", Extension: "guard"},
		{Policy: "baseline", Rule: "a", Severity: "Error", Extension: "guard", Accepted: true},
		{Policy: "baseline", Rule: "a", Severity: "Error"},
	}
	want := map[series]int{
		{"baseline", "a", "Error", "false", "guard"}: 2,
		{"baseline", "a", "Error", "true", "guard"}:  1,
		{"baseline", "a", "Error", "false", ""}:      1,
	}
	if diff := cmp.Diff(want, count(found), cmp.AllowUnexported(series{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestSeriesOfFindingsAreBoundedAndTheirSumIsExact: what is beyond the bound is
// counted without its extension, and not left out.
func TestSeriesOfFindingsAreBoundedAndTheirSumIsExact(t *testing.T) {
	const rules, extensions = 4, 500
	var found []extant.FindingSpec
	for e := range extensions {
		for r := range rules {
			found = append(found, extant.FindingSpec{Policy: "p", Rule: fmt.Sprint(r), Severity: "Info", Extension: fmt.Sprintf("e%03d", e)})
		}
	}
	got := count(found)
	if len(got) > maxSeries+rules {
		t.Errorf("there are %d series", len(got))
	}
	sum := 0
	for _, n := range got {
		sum += n
	}
	if sum != len(found) {
		t.Errorf("they add up to %d, and there are %d", sum, len(found))
	}
	if n := got[series{"p", "0", "Info", "false", "e000"}]; n != 1 {
		t.Errorf("the first extension has %d of a rule", n)
	}
	if n := got[series{"p", "0", "Info", "false", otherExtensions}]; n != extensions-maxSeries/rules {
		t.Errorf("%d are counted together", n)
	}
}
