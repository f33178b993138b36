package observe

import (
	"testing"
	"time"

	"github.com/extant-project/extant/internal/observe/fakeapi"
)

func TestAClusterIsHeardOfWithEachEvent(t *testing.T) {
	server := fakeapi.Start()
	defer server.Stop()
	source := observe(t, server)
	settled(t, source)
	before := source.Heard()
	if before.IsZero() {
		t.Fatal("it was read and is not heard of")
	}
	server.Put(pods, pod("a"))
	names(t, source, pods, "a")
	for deadline := time.Now().Add(time.Minute); !source.Heard().After(before); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("an event is nothing that is heard")
		}
	}
}
