package standalone

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
	client "github.com/extant-project/extant/pkg/generated/clientset/versioned/typed/extant/v1alpha1"
)

const (
	// kills is how often the server is killed, and acknowledgedBetween how many
	// writes it acknowledges before each.
	kills               = 5
	acknowledgedBetween = 120
	// writers write at the same time, each to objects of its own.
	writers        = 6
	objectsOfEach  = 10
	refusedOwner   = "nobody is called this"
	loadLabel      = "load"
	longestOwner   = 256
	staleRevision  = "1"
	shareOfRefused = 4 // one in so many
)

// held is what an object holds: each write makes its owner another.
type held struct {
	uid   types.UID
	owner string
}

// writer writes to objects of its own, and knows what they hold.
type writer struct {
	name   string
	random *rand.Rand
	api    client.ExtensionInterface
	holds  map[string]held
	// doubted is the object of the write that was not answered, and would what it
	// holds if that was carried out; without a UID any, without an owner none.
	doubted string
	would   held
	writes  int
	// newest is the newest resource version that was acknowledged.
	newest uint64
}

// write makes one write, and tells whether it was answered. It fails for an
// answer that cannot be.
func (w *writer) write(ctx context.Context) (answered bool, err error) {
	w.writes++
	name, owner := fmt.Sprintf("%s-%d", w.name, w.random.IntN(objectsOfEach)), fmt.Sprintf("%s, write %d", w.name, w.writes)
	before, exists := w.holds[name]
	var found *v1alpha1.Extension
	switch {
	case exists && w.random.IntN(shareOfRefused) == 0:
		return w.writeRefused(ctx, name)
	case exists && w.random.IntN(3) == 0:
		err = w.api.Delete(ctx, name, metav1.DeleteOptions{})
		w.would = held{}
	case exists:
		found, err = w.api.Patch(ctx, name, types.MergePatchType, fmt.Appendf(nil, `{"spec":{"owner":%q}}`, owner), metav1.PatchOptions{})
		w.would = held{before.uid, owner}
	default:
		found, err = w.api.Create(ctx, extensionOf(name, owner), metav1.CreateOptions{})
		w.would = held{"", owner}
	}
	if err != nil {
		w.doubted = name
		return false, definite(err)
	}
	delete(w.holds, name)
	if found == nil {
		return true, nil
	}
	if exists && found.UID != before.uid {
		return true, fmt.Errorf("%s became another object", name)
	}
	w.holds[name] = held{found.UID, owner}
	version, err := strconv.ParseUint(found.ResourceVersion, 10, 64)
	w.newest = max(w.newest, version)
	return true, err
}

// writeRefused makes a write to an object that cannot be accepted.
func (w *writer) writeRefused(ctx context.Context, name string) (answered bool, err error) {
	var refused func(error) bool
	var patch string
	switch w.random.IntN(3) {
	case 0:
		refused = apierrors.IsAlreadyExists
		_, err = w.api.Create(ctx, extensionOf(name, refusedOwner), metav1.CreateOptions{})
	case 1:
		refused, patch = apierrors.IsConflict, fmt.Sprintf(`{"metadata":{"resourceVersion":%q},"spec":{"owner":%q}}`, staleRevision, refusedOwner)
	default:
		refused, patch = apierrors.IsInvalid, fmt.Sprintf(`{"spec":{"owner":%q}}`, strings.Repeat("x", longestOwner+1))
	}
	if patch != "" {
		_, err = w.api.Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	}
	switch {
	case err == nil:
		return true, fmt.Errorf("%s: a write was accepted that cannot be", name)
	case refused(err):
		return true, nil
	default:
		return false, definite(err)
	}
}

// definite returns the error of a write if it is an answer to it. No answer is
// none of the server that was killed.
func definite(err error) error {
	if apierrors.ReasonForError(err) != metav1.StatusReasonUnknown {
		return err
	}
	return nil
}

func extensionOf(name, owner string) *v1alpha1.Extension {
	return &v1alpha1.Extension{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{loadLabel: "true"}},
		Spec:       v1alpha1.ExtensionSpec{Owner: owner},
	}
}

// compare compares what is there with what was acknowledged, and goes on from
// what is there.
func (w *writer) compare(t *testing.T, found map[string]held) {
	t.Helper()
	for i := range objectsOfEach {
		name := fmt.Sprintf("%s-%d", w.name, i)
		want, is := w.holds[name], found[name]
		if is != want {
			would := w.would
			if would.uid == "" && would.owner != "" {
				would.uid = is.uid
			}
			if name != w.doubted || is != would {
				t.Errorf("%s holds %+v, and %+v was acknowledged (not answered: %q, %+v)", name, is, want, w.doubted, w.would)
			}
		}
		delete(w.holds, name)
		if is.owner != "" {
			w.holds[name] = is
		}
		delete(found, name)
	}
	w.doubted, w.would = "", held{}
}

// TestAServerThatIsKilledAgainAndAgainLosesNoAcknowledgedWrite kills the server
// in the middle of creations, changes and deletions, and reads after each start
// what is there: what was acknowledged, nothing that was refused, and of what
// was not answered either.
func TestAServerThatIsKilledAgainAndAgainLosesNoAcknowledgedWrite(t *testing.T) {
	dir := t.TempDir()
	var load []*writer
	for i := range writers {
		load = append(load, &writer{name: fmt.Sprintf("writer-%d", i), random: rand.New(rand.NewPCG(1, uint64(i))), holds: map[string]held{}})
	}
	total, unanswered := 0, 0
	for range kills {
		s := start(t, dir)
		compareAll(t, s, load)
		acknowledged := writeUntilKilled(t, s, load)
		total += acknowledged
		for _, w := range load {
			if w.doubted != "" {
				unanswered++
			}
		}
	}
	s := start(t, dir)
	compareAll(t, s, load)
	s.stop(t)
	if unanswered == 0 {
		t.Error("no write was under way when the server was killed")
	}
	t.Logf("%d writes were answered, %d not", total, unanswered)
}

// writeUntilKilled has all writers write, kills the server when it has answered
// many, and returns how many.
func writeUntilKilled(t *testing.T, s *server, load []*writer) (answered int) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answers := make(chan struct{})
	var writing sync.WaitGroup
	for _, w := range load {
		w.api = versioned.NewForConfigOrDie(config).ExtantV1alpha1().Extensions()
		writing.Go(func() {
			for {
				answered, err := w.write(ctx)
				if err != nil {
					t.Errorf("%s: %v", w.name, err)
				}
				if !answered {
					return
				}
				answers <- struct{}{}
			}
		})
	}
	ended := make(chan struct{})
	go func() { writing.Wait(); close(ended) }()
	for {
		select {
		case <-answers:
			if answered++; answered == acknowledgedBetween {
				if err := s.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		case <-ended:
			if answered < acknowledgedBetween {
				t.Fatalf("only %d writes were answered", answered)
			}
			select {
			case err := <-s.ended:
				if err == nil {
					t.Error("a killed server ended as if nothing were wrong")
				}
			case <-time.After(patience):
				t.Fatal("a killed server does not end")
			}
			return answered
		}
	}
}

// compareAll compares what the server has with what it acknowledged.
func compareAll(t *testing.T, s *server, load []*writer) {
	t.Helper()
	list, err := s.client.ExtantV1alpha1().Extensions().List(t.Context(), metav1.ListOptions{LabelSelector: loadLabel})
	if err != nil {
		t.Fatal(err)
	}
	version, err := strconv.ParseUint(list.ResourceVersion, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]held{}
	for i := range list.Items {
		found[list.Items[i].Name] = held{list.Items[i].UID, list.Items[i].Spec.Owner}
	}
	for _, w := range load {
		w.compare(t, found)
		if version < w.newest {
			t.Errorf("the server is at %d, and acknowledged %d", version, w.newest)
		}
	}
	for name := range found {
		t.Errorf("%s is there, and nobody made it", name)
	}
}
