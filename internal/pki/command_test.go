package pki

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheCommandSaysWhatItDid(t *testing.T) {
	var out bytes.Buffer
	err := printOutcomes(&out, []Outcome{
		{Secret: EtcdAuthoritySecret, Action: Kept, NotAfter: time.Date(2036, 10, 29, 12, 0, 0, 0, time.UTC)},
		{Secret: EtcdServerSecret, Action: Renewed, NotAfter: time.Date(2027, 11, 1, 12, 0, 0, 0, time.UTC)},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `SECRET              ACTION   EXPIRES
extant-etcd-ca      kept     2036-10-29T12:00:00Z
extant-etcd-server  renewed  2027-11-01T12:00:00Z
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

func TestTheCommandAsksForItsNamespaceOutsideAPod(t *testing.T) {
	command := NewCommand()
	command.SetArgs([]string{})
	command.SetErr(&bytes.Buffer{})
	if err := command.ExecuteContext(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "--namespace is required outside a pod") {
		t.Errorf("got error %v", err)
	}
}
