package requestpath

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	cliprinters "k8s.io/cli-runtime/pkg/printers"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/printers"
)

// fixture is a cluster with questions.
type fixture struct {
	snapshot *cluster.Snapshot
	params   fakeParams
	reviews  []*extant.RequestReview
	// engine is the same for all, as in a server: it must not mix up clusters.
	engine *Engine
}

// response is what comes of a question: one of the two.
type response struct {
	status *extant.RequestReviewStatus
	err    error
}

func newFixture(t *testing.T, archive *txtar.Archive) *fixture {
	t.Helper()
	f := &fixture{engine: NewEngine()}
	var seen txtar.Archive
	for _, file := range archive.Files {
		switch {
		case file.Name == "reviews.yaml":
			for _, document := range documents(t, file.Data) {
				f.reviews = append(f.reviews, readReview(t, document))
			}
		case file.Name == "params.yaml":
			for _, document := range documents(t, file.Data) {
				param := &unstructured.Unstructured{}
				if err := sigsyaml.Unmarshal(document, &param.Object); err != nil {
					t.Fatal(err)
				}
				f.params = append(f.params, param)
			}
		case strings.HasSuffix(file.Name, ".yaml"):
			seen.Files = append(seen.Files, file)
		case file.Name != "want" && file.Name != "kubectl":
			t.Fatalf("%s is no part of a fixture", file.Name)
		}
	}
	if len(f.reviews) == 0 {
		t.Fatal("it asks nothing: there are no reviews")
	}
	tree, err := txtar.FS(&seen)
	if err != nil {
		t.Fatal(err)
	}
	contents, err := dump.Read(tree)
	if err != nil {
		t.Fatal(err)
	}
	f.snapshot = contents.Snapshot()
	for _, gap := range f.snapshot.Gaps() {
		if gap.Reason == cluster.GapMalformed {
			t.Errorf("%s: %s", gap.Resource, gap.Message)
		}
	}
	return f
}

func documents(t *testing.T, data []byte) [][]byte {
	t.Helper()
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	var all [][]byte
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(bytes.TrimSpace(document)) > 0 {
			all = append(all, document)
		}
	}
}

// readReview reads a review as the server does: strictly, and with defaults.
func readReview(t *testing.T, document []byte) *extant.RequestReview {
	t.Helper()
	const head = "apiVersion: extant.dev/v1alpha1\nkind: RequestReview\n"
	decoder := serializer.NewCodecFactory(install.Scheme, serializer.EnableStrict).UniversalDecoder(extant.SchemeGroupVersion)
	object, err := runtime.Decode(decoder, append([]byte(head), document...))
	if err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	review := object.(*extant.RequestReview)
	if review.Spec.User == nil && review.Name != "nobody" {
		review.Spec.User = &authenticationv1.UserInfo{Username: "alice", Groups: []string{"dev", "system:authenticated"}}
	}
	return review
}

// ask asks every question of the fixture about a cluster.
func (f *fixture) ask(t *testing.T, snapshot *cluster.Snapshot) []response {
	t.Helper()
	observed := Observed{
		Snapshot: snapshot, Inventory: inventory.Take(snapshot, catalogue.Points(), nil), Params: f.params, Time: metav1.Time{},
	}
	authorizer := rbac.New(snapshot, rbac.Options{})
	var all []response
	for _, review := range f.reviews {
		status, err := f.engine.Trace(t.Context(), observed, authorizer, &review.Spec)
		if invalid := new(InvalidError); err != nil && !errors.As(err, &invalid) {
			t.Fatalf("%s: %v", review.Name, err)
		}
		all = append(all, response{status, err})
	}
	return all
}

// fakeParams are params, whatever their kind.
type fakeParams []*unstructured.Unstructured

// of guesses the kind of a resource, well enough for tests.
func (p fakeParams) of(resource schema.GroupVersionResource) []*unstructured.Unstructured {
	return slices.DeleteFunc(slices.Clone(p), func(o *unstructured.Unstructured) bool {
		kind := o.GroupVersionKind()
		return strings.ToLower(kind.Kind)+"s" != resource.Resource || kind.GroupVersion() != resource.GroupVersion()
	})
}

func (p fakeParams) Get(_ context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	for _, object := range p.of(resource) {
		if object.GetName() == "forbidden" && name == "forbidden" {
			return nil, errors.New("may not get it")
		}
		if object.GetNamespace() == namespace && object.GetName() == name {
			return object, nil
		}
	}
	return nil, nil
}

func (p fakeParams) List(_ context.Context, resource schema.GroupVersionResource, namespace string, selector labels.Selector) ([]*unstructured.Unstructured, error) {
	return slices.DeleteFunc(p.of(resource), func(o *unstructured.Unstructured) bool {
		return namespace != "" && o.GetNamespace() != namespace || !selector.Matches(labels.Set(o.GetLabels()))
	}), nil
}

// rebuild makes a snapshot anew, with the objects put in another order, and
// one resource, if it is named, forbidden.
func rebuild(snapshot *cluster.Snapshot, seed uint64, forbidden schema.GroupResource) *cluster.Snapshot {
	b := cluster.NewBuilder(snapshot.Origin)
	random := rand.New(rand.NewPCG(seed, seed))
	gaps := map[string][]cluster.Gap{}
	for _, gap := range snapshot.Gaps() {
		gaps[gap.Resource] = append(gaps[gap.Resource], gap)
	}
	for _, i := range random.Perm(len(cluster.Resources)) {
		resource := cluster.Resources[i].GroupResource()
		if resource == forbidden {
			gaps[resource.String()] = []cluster.Gap{{Resource: resource.String(), Reason: cluster.GapForbidden, Message: "may not list"}}
			continue
		}
		all := slices.Collect(snapshot.Objects(resource).All())
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, object := range all {
			b.Put(resource, object)
		}
	}
	for resource, of := range gaps {
		b.SetGaps(resource, of...)
	}
	b.SetVersion(snapshot.GitVersion)
	b.SetDiscovery(snapshot.Discovery)
	return b.Snapshot()
}

// print prints responses for people. What every answer says is left out: that
// authorization allows, and, but for a review called gaps, what was not seen.
func print(reviews []*extant.RequestReview, all []response) string {
	var b strings.Builder
	for i, one := range all {
		fmt.Fprintf(&b, "# %s\n", reviews[i].Name)
		if one.err != nil {
			fmt.Fprintf(&b, "invalid: %s\n", one.err)
			continue
		}
		s := one.status
		fmt.Fprintf(&b, "%s%s\n", s.Verdict, after(": ", s.Message))
		if s.WorstCaseLatency.Duration > 0 {
			fmt.Fprintf(&b, "at most %s\n", s.WorstCaseLatency.Duration)
		}
		for _, hook := range s.BlockedBy {
			fmt.Fprintf(&b, "blocked by %s/%s at %s\n", hook.Configuration, hook.Hook, hook.Backend)
		}
		for _, hook := range s.Presumes {
			fmt.Fprintf(&b, "presumes %s/%s\n", hook.Configuration, hook.Hook)
		}
		for _, gap := range s.Observed.Gaps {
			if reviews[i].Name == "gaps" && gap.Reason != string(cluster.GapNotInDump) {
				fmt.Fprintf(&b, "gap %s %s: %s\n", gap.Resource, gap.Reason, gap.Message)
			}
		}
		for j := range s.Hops {
			printHop(&b, &s.Hops[j])
		}
	}
	return b.String()
}

func printHop(b *strings.Builder, hop *extant.Hop) {
	if hop.Stage == extant.StageAuthorization && hop.Outcome == extant.OutcomeAllows {
		return
	}
	fmt.Fprintf(b, "- %s", nameOf(*hop))
	fmt.Fprintf(b, " %s (%s)%s", hop.Match, hop.Reason, after(" → ", string(hop.Outcome)))
	if hop.SentAs != nil {
		fmt.Fprintf(b, " as %s", schema.GroupVersionResource(*hop.SentAs).GroupVersion().String()+" "+hop.SentAs.Resource)
	}
	if hop.Backend != "" {
		fmt.Fprintf(b, " [%s %s]", hop.Backend, hop.BackendAvailable)
	}
	fmt.Fprintf(b, "%s%s\n", after(": ", strings.Join(strings.Fields(hop.Message), " ")), after("; patch ", hop.Patch))
}

// printTable prints what kubectl shows of an answer.
func printTable(t *testing.T, review *extant.RequestReview, one response) string {
	t.Helper()
	if one.err != nil {
		return ""
	}
	answered := review.DeepCopy()
	answered.Status = *one.status
	table, err := printers.RequestReviews.ConvertToTable(t.Context(), answered, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := cliprinters.NewTablePrinter(cliprinters.PrintOptions{}).PrintObj(table, &b); err != nil {
		t.Fatal(err)
	}
	var trimmed strings.Builder
	for line := range strings.Lines(b.String()) {
		trimmed.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return trimmed.String()
}

func after(separator, text string) string {
	if text == "" {
		return ""
	}
	return separator + text
}
