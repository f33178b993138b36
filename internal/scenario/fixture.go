// Package scenario is what the tests of engines share: the format of fixtures,
// and clusters that a test changes. A fixture is a txtar archive that begins
// with the rule it shows, in prose; it has the cluster in *.yaml, the question,
// and what comes of it. The package knows no engine.
package scenario

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
)

var update = flag.Bool("update", false, "rewrite the expectations of the fixtures")

// Fixture is one file of testdata.
type Fixture struct {
	file    string
	archive *txtar.Archive
}

// Each runs a test of each fixture in testdata, of which there are no fewer
// than least.
func Each(t *testing.T, least int, run func(*testing.T, *Fixture)) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < least {
		t.Fatalf("only %d fixtures (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { run(t, Read(t, file)) })
	}
}

// Read reads a fixture.
func Read(t *testing.T, file string) *Fixture {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(strings.Fields(string(archive.Comment))) < 8 {
		t.Error("it does not say what rule it shows")
	}
	return &Fixture{file: file, archive: archive}
}

// Only fails on files that are no part of a fixture: those that are no YAML and
// not among others.
func (f *Fixture) Only(t *testing.T, others ...string) {
	t.Helper()
	for _, file := range f.archive.Files {
		if !strings.HasSuffix(file.Name, ".yaml") && !slices.Contains(others, file.Name) {
			t.Fatalf("%s is no part of a fixture", file.Name)
		}
	}
}

// Text returns the text of a file, and whether the fixture has it.
func (f *Fixture) Text(name string) (string, bool) {
	at := f.find(name)
	if at < 0 {
		return "", false
	}
	return string(f.archive.Files[at].Data), true
}

// Documents returns the YAML documents of a file; none if it has no such file.
func (f *Fixture) Documents(t *testing.T, name string) [][]byte {
	t.Helper()
	at := f.find(name)
	if at < 0 {
		return nil
	}
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(f.archive.Files[at].Data)))
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

func (f *Fixture) find(name string) int {
	return slices.IndexFunc(f.archive.Files, func(file txtar.File) bool { return file.Name == name })
}

// Snapshot is that of Contents.
func (f *Fixture) Snapshot(t *testing.T, but ...string) *cluster.Snapshot {
	t.Helper()
	return f.Contents(t, but...).Snapshot()
}

// Contents reads the cluster from all *.yaml but those that are named, as from
// a dump.
func (f *Fixture) Contents(t *testing.T, but ...string) *dump.Contents {
	t.Helper()
	var seen txtar.Archive
	for _, file := range f.archive.Files {
		if strings.HasSuffix(file.Name, ".yaml") && !slices.Contains(but, file.Name) {
			seen.Files = append(seen.Files, file)
		}
	}
	tree, err := txtar.FS(&seen)
	if err != nil {
		t.Fatal(err)
	}
	contents, err := dump.Read(tree)
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

// WellFormed fails on objects that could not be read.
func WellFormed(t *testing.T, snapshot *cluster.Snapshot) *cluster.Snapshot {
	t.Helper()
	for _, gap := range snapshot.Gaps() {
		if gap.Reason == cluster.GapMalformed {
			t.Errorf("%s: %s", gap.Resource, gap.Message)
		}
	}
	return snapshot
}

// Expect compares with a file of the fixture, or writes it.
func (f *Fixture) Expect(t *testing.T, name, got string) {
	t.Helper()
	at := f.find(name)
	if *update {
		if at < 0 {
			at = len(f.archive.Files)
			f.archive.Files = append(f.archive.Files, txtar.File{Name: name})
		}
		f.archive.Files[at].Data = []byte(got)
		if err := os.WriteFile(f.file, txtar.Format(f.archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if at < 0 {
		t.Fatalf("it has no %s; run with -update, and read what is written", name)
	}
	if diff := cmp.Diff(string(f.archive.Files[at].Data), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// Review reads a document of a kind of extant.dev as the server does: strictly,
// and with defaults.
func Review[T runtime.Object](t *testing.T, kind string, document []byte) T {
	t.Helper()
	head := "apiVersion: extant.dev/v1alpha1\nkind: " + kind + "\n"
	decoder := serializer.NewCodecFactory(install.Scheme, serializer.EnableStrict).UniversalDecoder(extant.SchemeGroupVersion)
	object, err := runtime.Decode(decoder, append([]byte(head), document...))
	if err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	return object.(T)
}
