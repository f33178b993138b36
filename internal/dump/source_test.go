package dump

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
)

var podsResource = schema.GroupResource{Resource: "pods"}

func podNamed(name string) string {
	return "{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: " + name + "}}\n---\n"
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) *Source {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Open(ctx, path, Options{Settle: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if s.done != nil {
			<-s.done
		}
	})
	return s
}

func podNames(s *cluster.Snapshot) string {
	var names []string
	for pod := range s.Pods().All() {
		names = append(names, pod.GetName())
	}
	return strings.Join(names, " ")
}

// eventually waits for a snapshot, looking only when the source says that there
// is something new.
func eventually(t *testing.T, s *Source, what string, ok func(*cluster.Snapshot) bool) {
	t.Helper()
	changed, stop := s.Subscribe()
	defer stop()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case <-changed:
			if ok(s.Snapshot()) {
				return
			}
		case <-timeout:
			t.Fatalf("%s: still %q with the gaps %v", what, podNames(s.Snapshot()), gapsOf(s.Snapshot(), "dump"))
		}
	}
}

func eventuallyPods(t *testing.T, s *Source, want string) {
	t.Helper()
	eventually(t, s, "want "+want, func(s *cluster.Snapshot) bool { return podNames(s) == want })
}

func TestAFolderIsReadAgainWhenItChanges(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dump")
	write(t, filepath.Join(dir, "a.yaml"), podNamed("a"))
	write(t, filepath.Join(dir, "services.yaml"), "{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: web}}")
	s := open(t, dir)
	first := s.Snapshot()
	eventuallyPods(t, s, "a")

	write(t, filepath.Join(dir, "b.yaml"), podNamed("b"))
	eventuallyPods(t, s, "a b")
	write(t, filepath.Join(dir, "new", "folder", "c.yaml"), podNamed("c"))
	eventuallyPods(t, s, "a b c")
	write(t, filepath.Join(dir, "new", "folder", "c.yaml"), podNamed("d"))
	eventuallyPods(t, s, "a b d")
	if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(t.TempDir(), "elsewhere")); err != nil {
		t.Fatal(err)
	}
	eventuallyPods(t, s, "a b")

	if podNames(first) != "a" {
		t.Error("an earlier snapshot has changed")
	}
	before, _ := first.Services().Get("shop", "web")
	after, _ := s.Snapshot().Services().Get("shop", "web")
	if before != after {
		t.Error("an equal object is held twice")
	}
}

func TestAnEqualDumpIsNoChange(t *testing.T) {
	s, err := FromFS(Example())
	if err != nil {
		t.Fatal(err)
	}
	before := s.Snapshot()
	again, err := Read(Example())
	if err != nil {
		t.Fatal(err)
	}
	changed, stop := s.Subscribe()
	defer stop()
	<-changed
	s.mu.Lock()
	s.contents = again
	isChanged := s.fill()
	s.mu.Unlock()
	select {
	case <-changed:
		t.Error("the subscriber was told of no change")
	default:
	}
	if isChanged || s.Snapshot() != before {
		t.Error("reading the same again is taken for a change")
	}
}

func TestAFileIsReadAgainWhenAnEditorReplacesIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dump.txt")
	write(t, path, podNamed("a"))
	s := open(t, path)
	write(t, path+"~", podNamed("b"))
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
	eventuallyPods(t, s, "b")
	write(t, path, podNamed("c"))
	eventuallyPods(t, s, "c")
}

func TestWhatWasReadStandsWhereItCannotBeReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dump.yaml")
	write(t, path, podNamed("a"))
	s := open(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	want := []cluster.Gap{{Resource: "dump", Reason: cluster.GapNotSynced,
		Message: "could not read dump \"" + path + "\" again: no such file or directory; what was read before stands"}}
	eventually(t, s, "want a gap", func(s *cluster.Snapshot) bool {
		return cmp.Equal(want, gapsOf(s, "dump")) && podNames(s) == "a"
	})
	s.Observe(nil)
	if diff := cmp.Diff(want, gapsOf(s.Snapshot(), "dump")); diff != "" {
		t.Error(diff)
	}
	write(t, path, podNamed("b"))
	eventually(t, s, "want b", func(s *cluster.Snapshot) bool { return gapsOf(s, "dump") == nil && podNames(s) == "b" })
}

// A mounted ConfigMap changes by one link, under which all files are.
func TestAMountedConfigMapIsFollowed(t *testing.T) {
	dir := t.TempDir()
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "..1", "pods.yaml"), podNamed("a"))
	link("..1", "..data")
	link(filepath.Join("..data", "pods.yaml"), "pods.yaml")
	s, one := open(t, dir), open(t, filepath.Join(dir, "pods.yaml"))
	eventuallyPods(t, s, "a")
	write(t, filepath.Join(dir, "..2", "pods.yaml"), podNamed("b"))
	link("..2", "..data_tmp")
	if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	eventuallyPods(t, s, "b")
	eventuallyPods(t, one, "b")
}

func TestNamedResourcesAreObserved(t *testing.T) {
	s, err := FromFS(Example())
	if err != nil {
		t.Fatal(err)
	}
	ingresses := schema.GroupResource{Group: "networking.k8s.io", Resource: "ingresses"}
	secrets := schema.GroupResource{Resource: "secrets"}
	before := s.Snapshot()
	s.Observe([]schema.GroupResource{secrets, podsResource, ingresses})
	now := s.Snapshot()
	if now.Named(ingresses).Len() == 0 || before.Named(ingresses).Len() != 0 {
		t.Errorf("got %d ingresses, and %d before", now.Named(ingresses).Len(), before.Named(ingresses).Len())
	}
	want := []cluster.Gap{{Resource: "secrets", Reason: cluster.GapNotInDump, Message: messageNone}}
	if diff := cmp.Diff(want, gapsOf(now, "secrets")); diff != "" {
		t.Error(diff)
	}
	s.Observe(nil)
	if now := s.Snapshot(); now.Named(ingresses).Len() != 0 || gapsOf(now, "secrets") != nil || now.Pods().Len() != before.Pods().Len() {
		t.Error("what is no longer named is still observed")
	}
	if !s.Settled() {
		t.Error("a dump is settled")
	}
}

func TestASubscriberThatDoesNotLookBlocksNobody(t *testing.T) {
	s, err := FromFS(Example())
	if err != nil {
		t.Fatal(err)
	}
	changed, stop := s.Subscribe()
	widgets := []schema.GroupResource{{Group: "example.com", Resource: "widgets"}}
	s.Observe(widgets)
	s.Observe(nil)
	<-changed
	stop()
	s.Observe(widgets)
	select {
	case <-changed:
		t.Error("a subscription that has ended was told")
	default:
	}
}

func archived(t *testing.T, zipped bool) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, file := range []struct{ name, text string }{
		{"./dump/z.yaml", podNamed("last")},
		{"./dump/a.json", `{"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": "first"}}`},
		{"./dump/.hidden/b.yaml", podNamed("hidden")},
		{"./dump/readme.md", "# none"},
		{"./dump/bad.yaml", "kind: ["},
	} {
		if err := w.WriteHeader(&tar.Header{Name: file.name, Size: int64(len(file.text)), Mode: 0o644, Typeflag: tar.TypeReg, Format: tar.FormatPAX}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(file.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !zipped {
		return b.Bytes()
	}
	var z bytes.Buffer
	g := gzip.NewWriter(&z)
	_, _ = g.Write(b.Bytes())
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	return z.Bytes()
}

func TestAnArchiveIsReadLikeAFolder(t *testing.T) {
	dir := t.TempDir()
	for name, zipped := range map[string]bool{"dump.tar": false, "dump.tgz": true, "dump.tar.gz": true} {
		data := archived(t, zipped)
		path := filepath.Join(dir, name)
		write(t, path, string(data))
		piped, err := Open(t.Context(), Stdin, Options{Stdin: bytes.NewReader(data)})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*Source{open(t, path), piped} {
			if got := podNames(s.Snapshot()); got != "first last" {
				t.Errorf("%s: got %q", name, got)
			}
			want := []cluster.Gap{{Resource: "dump", Reason: cluster.GapMalformed, Message: "dump/bad.yaml:1: did not find expected node content"}}
			if diff := cmp.Diff(want, gapsOf(s.Snapshot(), "dump")); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

func TestADumpThatCannotBeReadIsAnErrorAtStart(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	cut := filepath.Join(dir, "cut.tar")
	write(t, cut, string(archived(t, false)[:1500]))
	write(t, filepath.Join(dir, "cut.tgz"), "\x1f\x8b\x00")
	for path, want := range map[string]string{
		missing:                       `could not read dump "` + missing + `": no such file or directory`,
		cut:                           `could not read dump "` + cut + `": the archive is damaged: unexpected EOF`,
		filepath.Join(dir, "cut.tgz"): `could not read dump "` + filepath.Join(dir, "cut.tgz") + `": unexpected EOF`,
	} {
		_, err := Open(t.Context(), path, Options{})
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := FromFS(os.DirFS(missing)); err == nil {
		t.Error("a tree that is not there was read")
	}
}

func TestStandardInputIsReadOnce(t *testing.T) {
	s, err := Open(t.Context(), Stdin, Options{Stdin: strings.NewReader(podNamed("a") + "kind: [")})
	if err != nil {
		t.Fatal(err)
	}
	want := []cluster.Gap{{Resource: "dump", Reason: cluster.GapMalformed, Message: "standard input:3: did not find expected node content"}}
	if diff := cmp.Diff(want, gapsOf(s.Snapshot(), "dump")); diff != "" {
		t.Error(diff)
	}
	if podNames(s.Snapshot()) != "a" || s.done != nil {
		t.Error("it is not read, or watched")
	}
}
