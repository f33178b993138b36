package requestpath

import (
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// TestWhatIsNotKnownMakesUnknownOnlyWhatDependsOnIt evaluates expressions over
// an object of which spec.replicas may be supplied, status may be anything, and
// the rest is known.
func TestWhatIsNotKnownMakesUnknownOnlyWhatDependsOnIt(t *testing.T) {
	content := map[string]any{
		"metadata": map[string]any{"name": "web", "labels": map[string]any{"app": "web"}},
		"spec": map[string]any{"paused": true, "list": []any{map[string]any{"name": "a"}}, "names": []any{"a"},
			"known": map[string]any{"name": "a", "list": []any{int64(1)}}, "other": map[string]any{"name": "a", "list": []any{int64(1)}}},
		"status": map[string]any{"ready": int64(1)},
	}
	d := &doubt{}
	d.at("spec", "replicas").appears = true
	d.unsure("it is reset", "status")
	d.unsure("somebody sorts it", "spec", "known", "list")
	d.at("spec", "names").items = &doubt{changes: true}
	d.at("spec", "list").items = &doubt{fields: map[string]*doubt{"image": {appears: true}}}
	env, err := cel.NewEnv(cel.Variable("object", cel.DynType), cel.OptionalTypes())
	if err != nil {
		t.Fatal(err)
	}
	for expression, want := range map[string]string{
		`object.metadata.labels.app == 'web'`:                            "true",
		`has(object.spec.replicas)`:                                      "unknown",
		`object.spec.replicas > 2`:                                       "unknown",
		`object.?spec.?replicas.orValue(1) == 1`:                         "unknown",
		`object.spec.paused || object.spec.replicas > 2`:                 "true",
		`object.spec.replicas > 2 || object.spec.paused`:                 "true",
		`!object.spec.paused && object.spec.replicas > 2`:                "false",
		`object.spec.paused && object.spec.replicas > 2`:                 "unknown",
		`object.spec.paused ? true : object.spec.replicas > 2`:           "true",
		`has(object.spec.absent)`:                                        "false",
		`object.spec.absent == 1`:                                        "error",
		`object == null`:                                                 "false",
		`object.status.ready == 1`:                                       "unknown",
		`has(object.status.ready)`:                                       "unknown",
		`'replicas' in object.spec`:                                      "unknown",
		`'paused' in object.spec`:                                        "true",
		`size(object.spec) == 2`:                                         "tainted",
		`size(object.spec.list) == 1 && object != null`:                  "true",
		`size(object.metadata) == 2`:                                     "true",
		`object.spec == object.metadata`:                                 "tainted",
		`object.spec.exists(k, k == 'replicas')`:                         "tainted",
		`object.spec.known == object.spec.other`:                         "tainted",
		`{'name': 'a', 'list': [1]} == object.spec.known`:                "tainted",
		`object.spec.known == {'name': 'a', 'list': [1]}`:                "tainted",
		`object.spec.names == ['a']`:                                     "tainted",
		`object.spec.names == ['a', 'b']`:                                "false",
		`['a'] == object.spec.names`:                                     "tainted",
		`'b' in object.spec.names`:                                       "unknown",
		`object.spec.known in [{'name': 'a'}]`:                           "tainted",
		`object.spec.list.all(x, x.name == 'a')`:                         "true",
		`object.spec.list.exists(x, has(x.image))`:                       "unknown",
		`size(object.spec.list) == 1`:                                    "true",
		`object.metadata.labels == {'app': 'web'}`:                       "true",
		`string(object.spec.replicas) == '2'`:                            "unknown",
		`[object.spec.replicas, 1].size() == 2`:                          "unknown",
		`object.spec.paused || dyn(object.spec.replicas).startsWith('')`: "true",
	} {
		tree, issues := env.Compile(expression)
		if issues.Err() != nil {
			t.Fatalf("%s: %v", expression, issues.Err())
		}
		program, err := env.Program(tree, cel.EvalOptions(cel.OptTrackCost))
		if err != nil {
			t.Fatal(err)
		}
		tr := &trace{}
		tr.watch(readsOf(expression))
		value, _, err := program.Eval(map[string]any{"object": tr.value("object", content, d)})
		got := ""
		switch {
		case tr.tainted:
			got = "tainted"
		case err != nil:
			got = "error"
		case types.IsUnknown(value):
			got = "unknown"
		default:
			got = strings.ToLower(map[bool]string{true: "True", false: "False"}[value == types.True])
		}
		if got != want {
			t.Errorf("%s is %s, want %s (%v)", expression, got, want, err)
		}
	}
}

func TestWhatAnExpressionReads(t *testing.T) {
	for _, test := range []struct {
		expression, path string
		want             bool
	}{
		{`request.userInfo.username == 'x'`, "request.userInfo", true},
		{`request.?userInfo.?username.orValue('') == 'x'`, "request.userInfo", true},
		{`request['userInfo'].username == 'x'`, "request.userInfo", true},
		{`has(request.userInfo.extra)`, "request.userInfo", true},
		{`request.name == 'x'`, "request.userInfo", false},
		{`[request].size() == 1`, "request.userInfo", true},
		{`namespaceObject == null`, "namespaceObject", false},
		{`namespaceObject == null || namespaceObject.metadata.name == 'x'`, "namespaceObject.metadata.uid", false},
		{`namespaceObject.metadata == dyn(null)`, "namespaceObject.metadata.uid", true},
		{`object.metadata.name == 'userInfo'`, "request.userInfo", false},
	} {
		if got := readsOf(test.expression).of(blindness{path: test.path}); got != test.want {
			t.Errorf("%s reads %s: %t, want %t", test.expression, test.path, got, test.want)
		}
	}
	if !readsOf(`size(object.spec) > 1`).sizes || !readsOf(`object.spec.size() > 1`).sizes || readsOf(`object.spec.x > 1`).sizes {
		t.Error("whether an expression asks for sizes is not told")
	}
	if !readsOf(`oldObject.spec == object.spec`).sizes || !readsOf(`object == oldObject`).wholeSizes || readsOf(`object.spec.type == 'x'`).sizes {
		t.Error("whether an expression compares objects is not told")
	}
}

func TestAFlowEndsWhereItMust(t *testing.T) {
	for _, test := range []struct {
		name  string
		steps []effects
		want  string
	}{
		{"nothing refuses", []effects{passing, passing}, "Allowed"},
		{"a denial", []effects{passing, denying, passing}, "Denied"},
		{"a block", []effects{blocking}, "Blocked"},
		{"a denial before a block", []effects{denying, blocking}, "Denied"},
		{"a possible denial, then a sure one", []effects{passing.or(denying), denying}, "Denied"},
		{"a possible denial, then a sure block", []effects{passing.or(denying), blocking}, "Unknown"},
		{"a possible block", []effects{passing.or(blocking)}, "Unknown"},
	} {
		f := newFlow()
		for _, e := range test.steps {
			f.pass(extant.Hop{Match: extant.Matched, Outcome: extant.OutcomeCalled}, e)
		}
		if got := string(f.verdict()); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
