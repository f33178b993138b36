package rbac

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
)

var update = flag.Bool("update", false, "rewrite the expectations of the fixtures")

// TestFixtures asks what each fixture in testdata asks. A fixture is a txtar
// archive: the rule in prose, the cluster in *.yaml (that of a dump, unless
// there is a file called live), and in want a question to a line, as
//
//	user[group,...] verb resource.group/subresource namespace/name field=value
//
// (for no namespace /name, for no name namespace/, for neither nothing; a path
// in place of a resource), with the answer behind an arrow.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 10 {
		t.Fatalf("only %d fixtures (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runFixture(t, file) })
	}
}

func runFixture(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(strings.Fields(string(archive.Comment))) < 8 {
		t.Error("it does not say what rule it shows")
	}
	tree, err := txtar.FS(archive)
	if err != nil {
		t.Fatal(err)
	}
	contents, err := dump.Read(tree)
	if err != nil {
		t.Fatal(err)
	}
	snapshot := contents.Snapshot()
	want := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
	if want < 0 {
		t.Fatal("it asks nothing: there is no want")
	}
	if slices.ContainsFunc(archive.Files, func(f txtar.File) bool { return f.Name == "live" }) {
		snapshot = rebuild(snapshot, "live", 0, schema.GroupResource{})
	}
	var questions []string
	for line := range strings.Lines(string(archive.Files[want].Data)) {
		question, _, _ := strings.Cut(strings.TrimSpace(line), " → ")
		questions = append(questions, question)
	}
	got := ask(t, snapshot, questions)
	if *update {
		archive.Files[want].Data = []byte(strings.Join(got, ""))
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(archive.Files[want].Data), strings.Join(got, "")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for seed := range uint64(5) {
		if diff := cmp.Diff(got, ask(t, rebuild(snapshot, snapshot.Origin, seed, schema.GroupResource{}), questions)); diff != "" {
			t.Fatalf("in another order:\n%s", diff)
		}
	}
	for _, hidden := range []schema.GroupResource{clusterRoleBindings, roleBindings, clusterRoles, roles, pods} {
		for i, answer := range ask(t, rebuild(snapshot, snapshot.Origin, 1, hidden), questions) {
			if answer != got[i] && !strings.Contains(answer, "→ unknown") && !bothAllow(answer, got[i]) {
				t.Errorf("without %s, %s becomes %s", hidden, got[i], answer)
			}
		}
	}
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

// rebuild makes a snapshot anew, with the objects put in another order, and
// one resource, if it is named, forbidden.
func rebuild(snapshot *cluster.Snapshot, origin string, seed uint64, forbidden schema.GroupResource) *cluster.Snapshot {
	b := cluster.NewBuilder(origin)
	for i := range cluster.Resources {
		resource := cluster.Resources[i].GroupResource()
		if resource == forbidden {
			b.SetGaps(resource.String(), cluster.Gap{Resource: resource.String(), Reason: cluster.GapForbidden, Message: "may not list"})
			continue
		}
		all := slices.Collect(snapshot.Objects(resource).All())
		rand.New(rand.NewPCG(seed, seed)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, object := range all {
			b.Put(resource, object)
		}
		if gap, ok := snapshot.DecidingGap(resource); ok {
			b.SetGaps(resource.String(), gap)
		}
	}
	b.SetVersion(snapshot.GitVersion)
	b.SetDiscovery(snapshot.Discovery)
	return b.Snapshot()
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
