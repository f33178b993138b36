package requestpath_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/internal/scenario/random"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// snapshotOf is a cluster of objects as it is read from a dump.
func snapshotOf(tb testing.TB, objects ...runtime.Object) *cluster.Snapshot {
	tb.Helper()
	var text bytes.Buffer
	for _, object := range objects {
		if err := json.NewEncoder(&text).Encode(object); err != nil {
			tb.Fatal(err)
		}
	}
	contents, err := dump.ReadStream("cluster.json", &text)
	if err != nil {
		tb.Fatal(err)
	}
	return contents.Snapshot()
}

// observedOf is what a review of that cluster reads.
func observedOf(snapshot *cluster.Snapshot) requestpath.Observed {
	return requestpath.Observed{
		Snapshot: snapshot, Inventory: inventory.Take(snapshot, nil, nil), Params: noParams{},
		Time: metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
	}
}

// FuzzTrace asks for reviews of whatever users may send. None may crash the
// server, and the same question has the same answer, byte for byte.
func FuzzTrace(f *testing.F) {
	g := random.New(1, "fuzz", func(bool, string, string) random.Endpoint { return random.Endpoint{URL: "https://127.0.0.1:1/"} })
	c := g.Cluster(6, 12)
	snapshot := snapshotOf(f, c.All()...)
	observed, authorizer, engine := observedOf(snapshot), rbac.New(snapshot, rbac.Options{}), requestpath.NewEngine()
	stored := func(string) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "web-1", "labels": map[string]any{"app": "web"}}}
	}
	for range 200 {
		if request := g.Request(c, stored); request != nil {
			r := &request.Review
			f.Add(string(r.Operation), r.Group, r.Version, r.Resource, r.Subresource, r.Namespace, r.Name, request.User.Username, r.Object.Raw, r.OldObject.Raw, r.Options.Raw, r.DryRun)
		}
	}
	f.Add("CREATE", "", "v1", "pods", "", c.Namespaces[0].Name, "x", "alice", []byte(`{"metadata": 7, "spec": []}`), []byte(`null`), []byte(`"options"`), true)
	f.Add("UPDATE", "", "v1", "namespaces", "", "", "x", "alice", []byte(`{"metadata": {"labels": {"a": null}, "annotations": []}}`), []byte(`{}`), []byte(`[]`), false)
	f.Fuzz(func(t *testing.T, operation, group, version, resource, subresource, namespace, name, user string, object, oldObject, options []byte, dryRun bool) {
		spec := &extant.RequestReviewSpec{
			Request: extant.ReviewedRequest{
				Operation: extant.RequestOperation(operation), Group: group, Version: version, Resource: resource, Subresource: subresource,
				Namespace: namespace, Name: name, DryRun: dryRun,
				Object: runtime.RawExtension{Raw: object}, OldObject: runtime.RawExtension{Raw: oldObject}, Options: runtime.RawExtension{Raw: options},
			},
			User: &authenticationv1.UserInfo{Username: user, Groups: []string{"dev"}}, IncludeUnmatched: true,
		}
		answer := func() string {
			status, err := engine.Trace(t.Context(), observed, authorizer, spec)
			text, _ := json.Marshal(status)
			return fmt.Sprintf("%s %v", text, err)
		}
		if first, again := answer(), answer(); first != again {
			t.Errorf("the answers differ:\n%s\n%s", first, again)
		}
	})
}
