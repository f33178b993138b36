package rbac

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/scenario"
)

// TestFixtures asks what each fixture in testdata asks. A fixture is a txtar
// archive: the rule in prose, the cluster in *.yaml (that of a dump, unless
// there is a file called live), and in want a question to a line, as
//
//	user[group,...] verb resource.group/subresource namespace/name field=value
//
// (for no namespace /name, for no name namespace/, for neither nothing; a path
// in place of a resource), with the answer behind an arrow.
func TestFixtures(t *testing.T) {
	scenario.Each(t, 10, func(t *testing.T, file *scenario.Fixture) {
		snapshot := file.Snapshot(t)
		if _, live := file.Text("live"); live {
			snapshot = scenario.Live(snapshot)
		}
		want, _ := file.Text("want")
		var questions []string
		for line := range strings.Lines(want) {
			question, _, _ := strings.Cut(strings.TrimSpace(line), " → ")
			questions = append(questions, question)
		}
		if len(questions) == 0 {
			t.Fatal("it asks nothing: there is no want")
		}
		got := ask(t, snapshot, questions)
		file.Expect(t, "want", strings.Join(got, ""))
		for seed := range uint64(5) {
			if diff := cmp.Diff(got, ask(t, scenario.Rebuild(snapshot, seed, schema.GroupResource{}), questions)); diff != "" {
				t.Fatalf("in another order:\n%s", diff)
			}
		}
		for _, hidden := range []schema.GroupResource{clusterRoleBindings, roleBindings, clusterRoles, roles, pods} {
			for i, answer := range ask(t, scenario.Rebuild(snapshot, 1, hidden), questions) {
				if answer != got[i] && !strings.Contains(answer, "→ unknown") && !bothAllow(answer, got[i]) {
					t.Errorf("without %s, %s becomes %s", hidden, got[i], answer)
				}
			}
		}
	})
}

// bothAllow tells whether two answers differ in their reasons only.
func bothAllow(x, y string) bool {
	return strings.Contains(x, "→ allowed") && strings.Contains(y, "→ allowed")
}

func ask(t *testing.T, snapshot *cluster.Snapshot, questions []string) []string {
	t.Helper()
	authorizer := New(snapshot, Options{})
	var answers []string
	for _, question := range questions {
		answers = append(answers, question+" → "+answerTo(authorizer, attributes(t, question))+"\n")
	}
	return answers
}

func answerTo(a *Authorizer, attributes authorizer.Attributes) string {
	decision, reason, err := a.Authorize(context.Background(), attributes)
	switch {
	case err != nil:
		return "unknown: " + err.Error()
	case decision == authorizer.DecisionAllow:
		return strings.TrimSuffix("allowed: "+reason, ": ")
	default:
		return strings.TrimSuffix("silent: "+strings.ReplaceAll(reason, "\n", "; "), ": ")
	}
}

var grammar = regexp.MustCompile(`^(\S*)\[(\S*)\] (\S+) (\S+)(?: ([^/ ]*)/([^/ ]*))?(?: (\S+)=(\S+))?$`)

func attributes(t *testing.T, question string) authorizer.AttributesRecord {
	t.Helper()
	words := grammar.FindStringSubmatch(question)
	if words == nil {
		t.Fatalf("%q is no question", question)
	}
	a := authorizer.AttributesRecord{
		User: &user.DefaultInfo{Name: words[1], Groups: strings.Split(words[2], ",")}, Verb: words[3],
		ResourceRequest: !strings.HasPrefix(words[4], "/"), Namespace: words[5], Name: words[6],
	}
	if !a.ResourceRequest {
		a.Path = words[4]
		return a
	}
	resource, subresource, _ := strings.Cut(words[4], "/")
	a.Resource, a.APIGroup, _ = strings.Cut(resource, ".")
	a.Subresource = subresource
	if words[7] != "" {
		a.FieldSelectorRequirements = fields.Requirements{{Field: words[7], Operator: selection.Equals, Value: words[8]}}
	}
	return a
}

// manifest is a ClusterRole or Role with a binding of the same name.
func manifest(namespace, name, subject, rules string) string {
	kind, in := "ClusterRole", ""
	if namespace != "" {
		kind, in = "Role", ", namespace: "+namespace
	}
	return fmt.Sprintf(`---
apiVersion: rbac.authorization.k8s.io/v1
kind: %[1]s
metadata: {name: %[2]s%[3]s}
rules: %[4]s
---
apiVersion: rbac.authorization.k8s.io/v1
kind: %[1]sBinding
metadata: {name: %[2]s%[3]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: %[1]s, name: %[2]s}
subjects: [%[5]s]
`, kind, name, in, rules, subject)
}
