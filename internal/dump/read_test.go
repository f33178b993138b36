package dump

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
)

var update = flag.Bool("update", false, "rewrite the expectations of testdata")

// TestRead reads the files of each archive in testdata as a dump, and compares
// what was understood with the file "want" of it. A file "named" lists resources
// that users named for observation.
func TestRead(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("there is no archive: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			tree := fstest.MapFS{}
			var want *txtar.File
			var named []schema.GroupResource
			for i, file := range archive.Files {
				switch file.Name {
				case "want":
					want = &archive.Files[i]
				case "named":
					for _, name := range strings.Fields(string(file.Data)) {
						named = append(named, schema.ParseGroupResource(name))
					}
				default:
					tree[file.Name] = &fstest.MapFile{Data: file.Data}
				}
			}
			contents, err := Read(tree)
			if err != nil {
				t.Fatal(err)
			}
			got := describe(contents.Snapshot(named...), named)
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// describe writes down what a snapshot has. The resources that it lacks are
// the long part of most, and left out.
func describe(s *cluster.Snapshot, named []schema.GroupResource) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version %s\n", s.GitVersion)
	list := func(resource schema.GroupResource) {
		for object := range s.Objects(resource).All() {
			fmt.Fprintf(&b, "%s %s\n", resource, strings.TrimPrefix(object.GetNamespace()+"/"+object.GetName(), "/"))
		}
	}
	for i := range cluster.Resources {
		list(cluster.Resources[i].GroupResource())
	}
	for _, resource := range named {
		list(resource)
	}
	for _, gap := range s.Gaps() {
		if gap.Reason != cluster.GapNotInDump && gap.Resource != "discovery" {
			fmt.Fprintf(&b, "gap %s %s: %s\n", gap.Resource, gap.Reason, gap.Message)
		}
	}
	return b.String()
}

func gapsOf(s *cluster.Snapshot, resource string) []cluster.Gap {
	var gaps []cluster.Gap
	for _, gap := range s.Gaps() {
		if gap.Resource == resource {
			gaps = append(gaps, gap)
		}
	}
	return gaps
}

func read(t *testing.T, text string) *cluster.Snapshot {
	t.Helper()
	contents, err := ReadStream("stream", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return contents.Snapshot()
}

const (
	aPod   = "{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: web-0}}\n"
	aSlice = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {namespace: shop, name: web}}\n"
)

func TestWorkloadsRunWhereADumpHasNeitherPodsNorEndpointSlices(t *testing.T) {
	notInDump := func(resource, message string) []cluster.Gap {
		return []cluster.Gap{{Resource: resource, Reason: cluster.GapNotInDump, Message: message}}
	}
	for _, test := range []struct {
		name, dump                   string
		wantPods, wantEndpointSlices []cluster.Gap
	}{
		{"neither", "", notInDump("pods", messageUnrunning), notInDump("endpointslices.discovery.k8s.io", messageUnrunning)},
		{"pods", aPod, nil, notInDump("endpointslices.discovery.k8s.io", messageNone)},
		{"endpoint slices", aSlice, notInDump("pods", messageNone), nil},
		{"both", aPod + "---\n" + aSlice, nil, nil},
		{"pods that cannot be read", "{apiVersion: v1, kind: Pod, metadata: {namespace: shop}}",
			[]cluster.Gap{{Resource: "pods", Reason: cluster.GapMalformed, Message: "stream:1: it has no name"}},
			notInDump("endpointslices.discovery.k8s.io", messageNone)},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := read(t, test.dump)
			if diff := cmp.Diff(test.wantPods, gapsOf(s, "pods")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.wantEndpointSlices, gapsOf(s, "endpointslices.discovery.k8s.io")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnEmptyDumpHasAGapForEachResource(t *testing.T) {
	s := read(t, "# nothing\n---\n\n---\nnull\n")
	for i := range cluster.Resources {
		name := cluster.Resources[i].GroupResource().String()
		if gaps := gapsOf(s, name); len(gaps) != 1 || gaps[0].Reason != cluster.GapNotInDump {
			t.Errorf("%s has the gaps %v", name, gaps)
		}
	}
}

func TestGapsOfOneResourceAreBounded(t *testing.T) {
	s := read(t, strings.Repeat("{apiVersion: v1, kind: Pod, metadata: {labels: 3}}\n---\n", 50))
	gaps := gapsOf(s, "pods")
	if len(gaps) != maxTroubles+1 {
		t.Errorf("got %d gaps", len(gaps))
	}
	for _, gap := range gaps {
		if strings.HasPrefix(gap.Message, "40 more") {
			return
		}
	}
	t.Errorf("nothing says how many more there are: %v", gaps)
}

func TestWhatIsNotTextIsPassedOver(t *testing.T) {
	tree := fstest.MapFS{
		"a.yaml":           {Data: []byte(aPod)},
		"binary.yaml":      {Data: []byte("PK\x03\x04\x00\x00")},
		"latin1.yml":       {Data: []byte("name: caf\xe9\n")},
		"picture.png":      {Data: []byte("\x89PNG")},
		".git/config.yaml": {Data: []byte("kind: [")},
		"..data/a.yaml":    {Data: []byte("kind: [")},
		"long.yaml":        {Data: []byte("# " + strings.Repeat("é", binaryPrefix))},
		"directory.yaml":   {Mode: fs.ModeDir},
		"pipe.yaml":        {Mode: fs.ModeNamedPipe},
	}
	contents, err := Read(tree)
	if err != nil {
		t.Fatal(err)
	}
	want := []cluster.Gap{
		{Resource: "dump", Reason: cluster.GapMalformed, Message: "binary.yaml: it is not text"},
		{Resource: "dump", Reason: cluster.GapMalformed, Message: "latin1.yml: it is not text"},
	}
	s := contents.Snapshot()
	if diff := cmp.Diff(want, gapsOf(s, "dump")); diff != "" {
		t.Error(diff)
	}
	if s.Pods().Len() != 1 {
		t.Errorf("got %d pods", s.Pods().Len())
	}
}

func TestAFileThatIsTooLargeIsPassedOver(t *testing.T) {
	tree := fstest.MapFS{"a.yaml": {Data: []byte(strings.Repeat("# x\n", 1<<19) + aPod)}, "b.yaml": {Data: []byte(aPod)}}
	r := newReading()
	r.limit = 1 << 20
	r.open(tree, "a.yaml")
	r.open(tree, "b.yaml")
	if err := r.stream("c.yaml", strings.NewReader(string(tree["a.yaml"].Data)), 0); err != nil {
		t.Fatal(err)
	}
	r.open(tree, "missing.yaml")
	want := []cluster.Gap{
		{Resource: "dump", Reason: cluster.GapMalformed, Message: "a.yaml: it is larger than 1 MiB"},
		{Resource: "dump", Reason: cluster.GapMalformed, Message: "c.yaml: it is larger than 1 MiB"},
		{Resource: "dump", Reason: cluster.GapMalformed, Message: "missing.yaml: it could not be read: file does not exist"},
	}
	s := r.contents().Snapshot()
	if diff := cmp.Diff(want, gapsOf(s, "dump")); diff != "" {
		t.Error(diff)
	}
	if s.Pods().Len() != 1 {
		t.Errorf("got %d pods", s.Pods().Len())
	}
}

func TestNothingOfASecretIsKept(t *testing.T) {
	contents, err := ReadStream("stream", strings.NewReader(`
{apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: password, annotations: {plain: text}}, data: {password: c2VjcmV0}}
---
{apiVersion: v1, kind: SecretList, items: [{metadata: {namespace: shop, name: other}, data: {password: c2VjcmV0}}]}
---
{apiVersion: v1, kind: Event, metadata: {namespace: shop, name: event}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: config}, data: {key: value}}
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(contents.others) != 1 || contents.others[schema.GroupKind{Kind: "ConfigMap"}] == nil {
		t.Errorf("got %v", contents.others)
	}
}
