package policyenv

import (
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// messageOf evaluates an expression of type string that reads no field.
func messageOf(t *testing.T, expression string) (string, error) {
	t.Helper()
	rule, errs := Compile(&extant.PolicyRule{AppliesTo: extant.PolicySubjectHook, Assert: "true", MessageExpression: expression}, field.NewPath("rule"))
	if len(errs) > 0 {
		return "", errs.ToAggregate()
	}
	value, _, err := rule.Message.Eval(cel.NoVars())
	if err != nil {
		return "", err
	}
	return string(value.(types.String)), nil
}

func TestStringsAreMadeAsInKubernetes(t *testing.T) {
	for expression, want := range map[string]string{
		`"abcab".replace("ab", "x")`:              "xcx",
		`"abcab".replace("ab", "x", 1)`:           "xcab",
		`"abcab".replace("ab", "x", 0)`:           "abcab",
		`"abcab".replace("ab", "x", -1)`:          "xcx",
		`"ab".replace("", "-")`:                   "-a-b-",
		`"ab".replace("", "-", 2)`:                "-a-b",
		`["a", "b", "c"].join()`:                  "abc",
		`["a", "b", "c"].join(", ")`:              "a, b, c",
		`["%s" , "x"].join("%").replace("%", "")`: "sx",
		`"%s of %d".format(["a", 3])`:             "a of 3",
	} {
		if got, err := messageOf(t, expression); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", expression, got, err, want)
		}
	}
	if _, err := messageOf(t, `[string(1), dyn(2)].join()`); err == nil {
		t.Error("a number is joined")
	}
}

// TestNoCallMakesAStringThatFillsTheMemory: in one call, of what costs little.
func TestNoCallMakesAStringThatFillsTheMemory(t *testing.T) {
	long := `"` + strings.Repeat("x", 1000) + `"`
	for expression, want := range map[string]string{
		long + `.replace("x", ` + long + `)`:                                              "the string would be longer than 262144 bytes",
		long + `.replace("", ` + long + `)`:                                               "the string would be longer than 262144 bytes",
		`[` + strings.Repeat(`"a",`, 999) + `"a"].join(` + long + `)`:                     "the string would be longer than 262144 bytes",
		`"` + strings.Repeat("%s", 33) + `".format([` + strings.Repeat(`"a",`, 33) + `])`: "format is called on a literal string with at most 32 clauses",
		`("%s" + "%s").format(["a", "b"])`:                                                "format is called on a literal string with at most 32 clauses",
	} {
		if _, err := messageOf(t, expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s…: got %v", expression, err)
		}
	}
}
