package rbac

import (
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
)

const admin = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cluster-admin}
`

func read(t testing.TB, manifests ...string) *cluster.Snapshot {
	t.Helper()
	contents, err := dump.ReadStream("cluster", strings.NewReader(strings.Join(manifests, "\n---\n")))
	if err != nil {
		t.Fatal(err)
	}
	return contents.Snapshot()
}

func TestWhatAWebhookMayAllowIsUnknown(t *testing.T) {
	snapshot := read(t, admin, manifest("", "pods", "{kind: User, name: alice}", "[{apiGroups: [''], resources: [pods], verbs: [get]}]"))
	a := New(snapshot, Options{Webhook: "policy.example.com"})
	for question, want := range map[string]string{
		"alice[] get pods shop/web":    `allowed: RBAC: allowed by ClusterRoleBinding "pods" of ClusterRole "pods" to User "alice"`,
		"alice[] delete pods shop/web": `unknown: the authorization webhook "policy.example.com" decides`,
	} {
		if got := answerTo(a, attributes(t, question)); got != want {
			t.Errorf("%s: %s, want %s", question, got, want)
		}
	}
}

func TestNobodysRequestIsUnknown(t *testing.T) {
	if _, _, err := New(read(t, admin), Options{}).Authorize(t.Context(), authorizer.AttributesRecord{Verb: "get"}); err == nil {
		t.Error("it can be told what nobody may do")
	}
}

func TestOpenAuthorizationIsSaid(t *testing.T) {
	gap, open := New(read(t), Options{}).Assumed()
	if !open || gap.Reason != cluster.GapAssumed || gap.Resource != "clusterroles.rbac.authorization.k8s.io" {
		t.Errorf("%v %v", gap, open)
	}
	if _, open := New(read(t, admin), Options{}).Assumed(); open {
		t.Error("a dump with cluster-admin is taken as open")
	}
}

func TestTheIndexIsKeptUntilARoleChanges(t *testing.T) {
	snapshot := read(t, admin, manifest("shop", "pods", "{kind: User, name: alice}", "[{apiGroups: [''], resources: [pods], verbs: [get]}]"))
	b := cluster.NewBuilder("dump")
	for _, resource := range cluster.Resources {
		for object := range snapshot.Objects(resource.GroupResource()).All() {
			b.Put(resource.GroupResource(), object)
		}
	}
	all := NewAuthorizers(Options{})
	first := all.Of(b.Snapshot())
	b.Put(pods, &cluster.Metadata{})
	if second := all.Of(b.Snapshot()); second.grants != first.grants {
		t.Error("it was built anew for a change of something else")
	}
	b.Delete(roles, "shop", "pods")
	last := all.Of(b.Snapshot())
	if got := answerTo(last, attributes(t, "alice[] get pods shop/web")); !strings.HasPrefix(got, "silent") {
		t.Errorf("after the role is gone: %s", got)
	}
	if got := answerTo(first, attributes(t, "alice[] get pods shop/web")); !strings.HasPrefix(got, "allowed") {
		t.Errorf("of the snapshot before: %s", got)
	}
}

func TestUserOf(t *testing.T) {
	who := UserOf(&authenticationv1.UserInfo{
		Username: "alice", UID: "1", Groups: []string{"dev"}, Extra: map[string]authenticationv1.ExtraValue{"k": {"v"}},
	})
	if who.GetName() != "alice" || who.GetUID() != "1" || who.GetGroups()[0] != "dev" || who.GetExtra()["k"][0] != "v" {
		t.Errorf("%+v", who)
	}
}
