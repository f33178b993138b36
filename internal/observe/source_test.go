package observe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/observe/fakeapi"
	"github.com/extant-project/extant/internal/scenario/synthetic"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

var (
	pods           = schema.GroupResource{Resource: "pods"}
	services       = schema.GroupResource{Resource: "services"}
	widgets        = schema.GroupResource{Group: "example.com", Resource: "widgets"}
	gatewayClasses = schema.GroupResource{Group: "gateway.networking.k8s.io", Resource: "gatewayclasses"}
	ingressClasses = schema.GroupResource{Group: "networking.k8s.io", Resource: "ingressclasses"}
	definitions    = schema.GroupResource{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}
	webhooks       = schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations"}
)

// noGateways is the gap of a cluster without the Gateway API.
var noGateways = cluster.Gap{Resource: gatewayClasses.String(), Reason: cluster.GapNotServed, Message: "the cluster does not serve it"}

// observe runs a source for a server until the test ends, and checks that Run
// ends with its context.
func observe(t *testing.T, server *fakeapi.Server) *Source {
	t.Helper()
	source, err := New(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	run(t, source)
	return source
}

func run(t *testing.T, source *Source) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { source.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		ended := make(chan struct{})
		go func() { running.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Error("Run does not end with its context")
		}
	})
}

// until waits for a snapshot in which nothing is missing.
func until(t *testing.T, source *Source, missing func(*cluster.Snapshot) string) *cluster.Snapshot {
	t.Helper()
	changed, stop := source.Subscribe()
	defer stop()
	// What is missing may be with the server, which tells nobody.
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(patience)
	for {
		snapshot := source.Snapshot()
		what := missing(snapshot)
		if what == "" {
			return snapshot
		}
		select {
		case <-changed:
		case <-look.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s\ngaps: %v", what, snapshot.Gaps())
		}
	}
}

// settled waits until the source has settled.
func settled(t *testing.T, source *Source) *cluster.Snapshot {
	t.Helper()
	until(t, source, func(*cluster.Snapshot) string {
		if source.Settled() {
			return ""
		}
		return "it does not settle"
	})
	return source.Snapshot() // the one that was looked at may be older
}

// gaps waits until the gaps of a resource are these, given as "Reason: message"
// or the start of it.
func gaps(t *testing.T, source *Source, resource string, want ...string) {
	t.Helper()
	until(t, source, func(snapshot *cluster.Snapshot) string {
		var got []string
		for _, gap := range snapshot.Gaps() {
			if gap.Resource == resource {
				got = append(got, fmt.Sprintf("%s: %s", gap.Reason, gap.Message))
			}
		}
		if slices.EqualFunc(got, want, strings.HasPrefix) {
			return ""
		}
		return fmt.Sprintf("the gaps of %s are %q, want %q", resource, got, want)
	})
}

// names waits until the objects of a resource are these.
func names(t *testing.T, source *Source, resource schema.GroupResource, want ...string) *cluster.Snapshot {
	t.Helper()
	return until(t, source, func(snapshot *cluster.Snapshot) string {
		var got []string
		for object := range snapshot.Objects(resource).All() {
			got = append(got, object.GetName())
		}
		return cmp.Diff(want, got)
	})
}

func pod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{NodeName: "n1"}, Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
}

func TestEverythingIsReadAtFirst(t *testing.T) {
	for _, streams := range []bool{true, false} {
		t.Run(fmt.Sprintf("streams=%t", streams), func(t *testing.T) {
			server := fakeapi.Start()
			defer server.Stop()
			want := map[string]int{}
			for _, resource := range synthetic.Resources() {
				server.Load(resource, synthetic.Small.Objects(resource))
				for range synthetic.Small.Objects(resource) {
					want[resource.String()]++
				}
				if !streams {
					server.RefuseStreams(resource)
				}
			}
			source := observe(t, server)
			snapshot := settled(t, source)
			got := map[string]int{}
			for _, row := range cluster.Resources {
				if n := snapshot.Objects(row.GroupResource()).Len(); n > 0 {
					got[row.GroupResource().String()] = n
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("numbers of objects (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]cluster.Gap{noGateways}, snapshot.Gaps()); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
			if snapshot.GitVersion != fakeapi.Version || snapshot.Origin != "live" {
				t.Errorf("got version %s of origin %s", snapshot.GitVersion, snapshot.Origin)
			}
			for definition := range snapshot.CustomResourceDefinitions().All() {
				version := definition.Spec.Versions[0]
				if held := version.Schema.OpenAPIV3Schema; len(held.Properties) > 0 || len(definition.ManagedFields) > 0 {
					t.Errorf("%s is kept whole", definition.Name)
				}
				if schema, err := cluster.Schema(definition, version.Name); err != nil || len(schema.Properties) == 0 {
					t.Errorf("the schema of %s does not come back: %v, %v", definition.Name, schema, err)
				}
			}
			if served := snapshot.Discovery.Versions(pods); len(served) != 1 || served[0].Kind.Kind != "Pod" || !served[0].Namespaced {
				t.Errorf("discovery of pods: %+v", served)
			}
		})
	}
}

func TestChangesAreSeen(t *testing.T) {
	server := fakeapi.Start()
	defer server.Stop()
	source := observe(t, server)
	before := settled(t, source)

	server.Put(pods, pod("a"))
	server.Put(pods, pod("b"))
	names(t, source, pods, "a", "b")
	running := pod("a")
	running.Status.Phase = corev1.PodRunning
	server.Put(pods, running)
	until(t, source, func(snapshot *cluster.Snapshot) string {
		a, _ := snapshot.Pods().Get("default", "a")
		return cmp.Diff(corev1.PodRunning, a.Phase)
	})
	server.Delete(pods, "default", "b")
	after := names(t, source, pods, "a")

	if before.Pods().Len() != 0 {
		t.Error("an earlier snapshot changed")
	}
	if before.Revision(services) != after.Revision(services) {
		t.Error("the revision of another resource changed")
	}
	if before.Revision(pods) == after.Revision(pods) {
		t.Error("the revision of pods did not change")
	}
}

func TestSubscriptionsCoalesce(t *testing.T) {
	server := fakeapi.Start()
	defer server.Stop()
	source := observe(t, server)
	settled(t, source)
	changed, stop := source.Subscribe()
	<-changed
	for i := range 100 {
		server.Put(pods, pod(fmt.Sprintf("p%02d", i)))
	}
	until(t, source, func(snapshot *cluster.Snapshot) string { return cmp.Diff(100, snapshot.Pods().Len()) })
	if len(changed) != 1 {
		t.Errorf("got %d values, want 1", len(changed))
	}
	stop()
	<-changed
	server.Put(pods, pod("q"))
	until(t, source, func(snapshot *cluster.Snapshot) string { return cmp.Diff(101, snapshot.Pods().Len()) })
	if len(changed) != 0 {
		t.Error("an ended subscription receives")
	}
}

func TestAnInstalledCRDIsPickedUp(t *testing.T) {
	server := fakeapi.Start()
	defer server.Stop()
	source := observe(t, server)
	settled(t, source)
	gaps(t, source, gatewayClasses.String(), "NotServed: the cluster does not serve it")

	row, _ := cluster.Lookup(gatewayClasses)
	server.Serve(*row)
	class := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": map[string]any{"name": "public"},
		"spec": map[string]any{"controllerName": "example.com/gateways"},
	}}
	server.Put(gatewayClasses, class)
	for definition := range synthetic.Small.Objects(definitions) {
		server.Put(definitions, definition)
		break
	}
	snapshot := names(t, source, gatewayClasses, "public")
	found, _ := snapshot.GatewayClasses().Get("", "public")
	if controller, _, _ := unstructured.NestedString(found.Object, "spec", "controllerName"); controller != "example.com/gateways" {
		t.Errorf("got controller %q", controller)
	}
	gaps(t, source, gatewayClasses.String())

	server.Unserve(gatewayClasses)
	gaps(t, source, gatewayClasses.String(), "NotServed: ")
	names(t, source, gatewayClasses)
}

func TestAnOlderVersionIsRead(t *testing.T) {
	server := fakeapi.Start()
	defer server.Stop()
	row, _ := cluster.Lookup(schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "mutatingadmissionpolicies"})
	older := *row
	older.Version = "v1beta1"
	server.Serve(older)
	policy := mutatingPolicyV1beta1("defaults")
	server.Put(row.GroupResource(), policy)
	source := observe(t, server)
	snapshot := names(t, source, row.GroupResource(), "defaults")
	read, _ := snapshot.MutatingAdmissionPolicies().Get("", "defaults")
	if *read.Spec.FailurePolicy != admissionregistrationv1.Fail || read.Spec.Mutations[0].ApplyConfiguration.Expression != "Object{}" {
		t.Errorf("got %+v", read.Spec)
	}

	// An upgrade of the cluster brings the newer version.
	server.Serve(*row)
	server.Put(row.GroupResource(), &admissionregistrationv1.MutatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: "newer"}})
	server.EndWatches(row.GroupResource())
	for definition := range synthetic.Small.Objects(definitions) {
		server.Put(definitions, definition)
		break
	}
	names(t, source, row.GroupResource(), "newer")
}
