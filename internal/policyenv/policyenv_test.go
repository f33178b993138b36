package policyenv

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/common/types/ref"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

func rule(subject extant.PolicySubject, assert string) *extant.PolicyRule {
	return &extant.PolicyRule{Name: "rule", AppliesTo: subject, Assert: assert, Severity: extant.FindingError}
}

func TestRulesSeeTheObjectThatTheyApplyTo(t *testing.T) {
	for subject, expressions := range map[extant.PolicySubject][]string{
		extant.PolicySubjectHook: {
			`hook.point == "validating-admission-webhook" && hook.failurePolicy != "Fail" && hook.timeoutSeconds <= 10`,
			`hook.rules.all(r, !("*" in r.apiGroups) && r.scope != "*")`,
			`!hook.intercepts("CREATE", "", "pods", "kube-system")`, `!hook.interceptsEvery("UPDATE", "", "nodes/status", "")`, `!hook.interceptsOwnBackend()`,
		},
		extant.PolicySubjectBackend: {
			`backend.status.available == "True" && backend.spec.callers.exists(c, c.failurePolicy == "Fail")`,
			`backend.certificateExpiresIn() > duration("720h")`, `backend.hasDisruptionBudget()`, `!has(backend.status.endpoints) || backend.status.endpoints.nodes > 1`,
			`backend.metadata.name.endsWith(".443")`, `timestamp(backend.status.certificate.notAfter) > timestamp("2026-01-01T00:00:00Z")`,
		},
		extant.PolicySubjectExtension: {
			`extension.status.recoversUnaided != "False"`, `extension.spec.owner != ""`, `extension.metadata.labels["extant.dev/origin"] == "declared"`,
			`extension.status.conditions.all(c, c.status == "True")`,
		},
		extant.PolicySubjectNodePluginReport:       {`report.spec.plugins.exists(p, p.type == "CNI")`},
		extant.PolicySubjectComponentConfiguration: {`component.spec.flags["anonymous-auth"] == "false"`, `component.spec.featureGates["Foo"]`},
	} {
		for _, expression := range expressions {
			if _, errs := Compile(rule(subject, expression), field.NewPath("spec")); len(errs) > 0 {
				t.Error(errs)
			}
		}
	}
}

func TestWhatDoesNotCompileIsSaidWithItsPlace(t *testing.T) {
	path := field.NewPath("spec", "rules").Index(2)
	for _, test := range []struct {
		rule *extant.PolicyRule
		want []string
	}{
		{rule(extant.PolicySubjectHook, "hook.failurPolicy == 'Fail'"), []string{"spec.rules[2].assert", "compilation failed", "<input>:1:5: undefined field 'failurPolicy'"}},
		{rule(extant.PolicySubjectHook, "backend.spec.url == ''"), []string{"undeclared reference to 'backend'"}},
		{rule(extant.PolicySubjectHook, "hook.name =="), []string{"Syntax error"}},
		{rule(extant.PolicySubjectHook, "hook.name"), []string{"must evaluate to bool, not to string"}},
		{rule(extant.PolicySubjectHook, "hook.intercepts('CREATE')"), []string{"no matching overload for 'intercepts'"}},
		{rule(extant.PolicySubjectExtension, "extension.status.blocks > 3"), []string{"no matching overload for '_>_'"}},
	} {
		_, errs := Compile(test.rule, path)
		if len(errs) != 1 {
			t.Fatalf("%s: got %v", test.rule.Assert, errs)
		}
		for _, want := range test.want {
			if !strings.Contains(errs[0].Error(), want) {
				t.Errorf("%s: got %v, want %s", test.rule.Assert, errs[0], want)
			}
		}
	}
}

func TestEachVariableAndFieldOfAHookIsDocumented(t *testing.T) {
	for subject := range subjects {
		v, ok := Of(subject)
		if !ok || v.Schema.Description == "" {
			t.Errorf("%s is not documented", subject)
		}
	}
	for name, property := range hookSchema().Properties {
		if property.Description == "" {
			t.Errorf("hook.%s is not documented", name)
		}
	}
}

// answers is a hook and a backend of which nothing is known.
type answers struct{}

var errUnknown = errors.New("namespaces cannot be seen")

func (answers) Intercepts(_, _, resource, _ string) (bool, error) {
	if resource == "pods" {
		return true, nil
	}
	return false, errUnknown
}
func (answers) InterceptsEvery(_, _, _, _ string) (bool, error) { return false, nil }
func (answers) InterceptsOwnBackend() (bool, error)             { return false, errUnknown }
func (answers) CertificateExpiresIn() (time.Duration, error)    { return time.Hour, nil }
func (answers) HasDisruptionBudget() (bool, error)              { return false, nil }

func evaluate(t *testing.T, subject extant.PolicySubject, value ref.Val, expression string) (any, error) {
	t.Helper()
	compiled, errs := Compile(rule(subject, expression), nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	result, _, err := compiled.Assert.Eval(map[string]any{compiled.Variable.Name: value})
	if err != nil {
		return nil, err
	}
	return result.Value(), nil
}

func TestWhatAFunctionDoesNotKnowIsAnError(t *testing.T) {
	hook := Hook(map[string]any{"name": "guard"}, answers{})
	if got, err := evaluate(t, extant.PolicySubjectHook, hook, `hook.name == "guard" && hook.intercepts("CREATE", "", "pods", "shop")`); got != true || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	for _, expression := range []string{`hook.intercepts("CREATE", "", "services", "shop")`, `hook.interceptsOwnBackend()`} {
		if _, err := evaluate(t, extant.PolicySubjectHook, hook, expression); !errors.Is(err, errUnknown) && (err == nil || !strings.Contains(err.Error(), errUnknown.Error())) {
			t.Errorf("got %v", err)
		}
	}
	backend := Backend(map[string]any{}, answers{})
	if got, err := evaluate(t, extant.PolicySubjectBackend, backend, `backend.certificateExpiresIn() < duration("2h") && !backend.hasDisruptionBudget()`); got != true || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAnExpensiveExpressionIsCutOff(t *testing.T) {
	hook := Hook(map[string]any{"name": "guard"}, answers{})
	const many = `[0,1,2,3,4,5,6,7,8,9]`
	expression := many + `.all(a, ` + many + `.all(b, ` + many + `.all(c, ` + many + `.all(d, ` + many + `.all(e, a + b + c + d + e < 100)))))`
	if _, err := evaluate(t, extant.PolicySubjectHook, hook, expression); err == nil || !strings.Contains(err.Error(), "cost limit exceeded") {
		t.Errorf("got %v", err)
	}
}
