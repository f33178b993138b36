package standalone

import (
	"fmt"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// objects returns the UID of every object by kind and name.
func objects(t *testing.T, s *server) map[string]types.UID {
	t.Helper()
	client, found := s.client.ExtantV1alpha1(), map[string]types.UID{}
	extensions, err := client.Extensions().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range extensions.Items {
		found["Extension/"+extensions.Items[i].Name] = extensions.Items[i].UID
	}
	backends, err := client.Backends().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range backends.Items {
		found["Backend/"+backends.Items[i].Name] = backends.Items[i].UID
	}
	points, err := client.ExtensionPoints().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range points.Items {
		found["ExtensionPoint/"+points.Items[i].Name] = points.Items[i].UID
	}
	return found
}

// wantAll wants every one of these objects to be there. Others may be too: the
// catalogue goes on being written after a start, with no word of when it is whole.
func wantAll(t *testing.T, s *server, want map[string]types.UID) {
	t.Helper()
	found := objects(t, s)
	for name, uid := range want {
		if found[name] != uid {
			t.Errorf("%s has the UID %q, and had %q", name, found[name], uid)
		}
	}
}

func declare(t *testing.T, s *server, name string) {
	t.Helper()
	extension := &v1alpha1.Extension{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ExtensionSpec{Owner: "platform"}}
	if _, err := s.client.ExtantV1alpha1().Extensions().Create(t.Context(), extension, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// TestASnapshotOfARunningServerIsRestored takes a snapshot, goes on writing,
// and starts a server on what the snapshot had.
func TestASnapshotOfARunningServerIsRestored(t *testing.T) {
	running := start(t, t.TempDir())
	for i := range 20 {
		declare(t, running, fmt.Sprintf("before-%d", i))
	}
	want := objects(t, running)
	if len(want) < 20 {
		t.Fatalf("only %d objects are there", len(want))
	}
	sockets, err := filepath.Glob(filepath.Join(running.sockets, "extant-*", "client"))
	if err != nil || len(sockets) != 1 {
		t.Fatalf("the sockets of etcd are %v: %v", sockets, err)
	}
	file := filepath.Join(t.TempDir(), "extant.db")
	if output, ok := run(t, "etcd", "snapshot", file, "--etcd-servers=unix://"+sockets[0]); !ok {
		t.Fatal(output)
	}
	declare(t, running, "after")
	running.stop(t)

	dir := filepath.Join(t.TempDir(), "restored")
	if output, ok := run(t, "etcd", "restore", file, "--data-dir", dir); !ok {
		t.Fatal(output)
	}
	restored := start(t, dir)
	wantAll(t, restored, want)
	declare(t, restored, "after")
	restored.stop(t)

	wantRefusal(t, "holds data already", "etcd", "restore", file, "--data-dir", dir)
}
