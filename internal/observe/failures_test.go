package observe

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1beta1 "k8s.io/api/admissionregistration/v1beta1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/observe/fakeapi"
)

func mutatingPolicyV1beta1(name string) *admissionregistrationv1beta1.MutatingAdmissionPolicy {
	return &admissionregistrationv1beta1.MutatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1beta1.MutatingAdmissionPolicySpec{Mutations: []admissionregistrationv1beta1.Mutation{{
			PatchType:          admissionregistrationv1beta1.PatchTypeApplyConfiguration,
			ApplyConfiguration: &admissionregistrationv1beta1.ApplyConfiguration{Expression: "Object{}"},
		}}},
	}
}

func TestAForbiddenResourceIsAGapUntilItIsAllowed(t *testing.T) {
	server := fakeapi.Start()
	defer server.Stop()
	server.Put(pods, pod("a"))
	server.Forbid(pods)
	source := observe(t, server)
	snapshot := settled(t, source)
	if gap, ok := snapshot.DecidingGap(pods); !ok || gap.Reason != cluster.GapForbidden {
		t.Fatalf("got gap %+v", gap)
	}
	server.Fail(pods, nil)
	names(t, source, pods, "a")
	gaps(t, source, "pods")

	// What was read is not trusted once the permission is gone.
	server.Forbid(pods)
	gaps(t, source, "pods", "Forbidden: pods is forbidden: no rule allows it")
	names(t, source, pods)
	if !source.Settled() {
		t.Error("it is not settled any more")
	}
}

func TestAnExpiredWatchListsAgain(t *testing.T) {
	server := fakeapi.Start()
	defer server.Stop()
	server.Put(pods, pod("a"))
	server.Put(pods, pod("b"))
	source := observe(t, server)
	names(t, source, pods, "a", "b")
	lists := server.Lists(pods)

	server.Stop()
	server.Delete(pods, "default", "a")
	server.Put(pods, pod("c"))
	server.Expire(pods)
	server.Restart()
	names(t, source, pods, "b", "c")
	if server.Lists(pods) == lists {
		t.Error("it was not listed again")
	}
	gaps(t, source, "pods")
}

func TestAfterARestartOfTheServerWatchesGoOn(t *testing.T) {
	server := fakeapi.Start()
	defer server.Stop()
	server.Put(pods, pod("a"))
	source := observe(t, server)
	settled(t, source)
	names(t, source, pods, "a")
	// A watch that ends at once and without an event is no watch to go on with.
	server.Put(pods, pod("a2"))
	names(t, source, pods, "a", "a2")
	lists := server.Lists(pods)

	server.Stop()
	if got := source.Snapshot(); got.Pods().Len() != 2 {
		t.Error("what was read is gone with the server")
	}
	server.Put(pods, pod("b"))
	server.Restart()
	names(t, source, pods, "a", "a2", "b")
	if got := server.Lists(pods); got != lists {
		t.Errorf("%d lists were needed, want none", got-lists)
	}
}

func TestAMalformedObjectIsNamedAndTheOthersStay(t *testing.T) {
	for _, streams := range []bool{true, false} {
		t.Run(fmt.Sprintf("streams=%t", streams), func(t *testing.T) {
			server := fakeapi.Start()
			defer server.Stop()
			if !streams {
				server.RefuseStreams(ingressClasses)
			}
			server.Put(ingressClasses, &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "good"}})
			server.PutRaw(ingressClasses, "", "bad", `{"apiVersion":"networking.k8s.io/v1","kind":"IngressClass","metadata":{"name":"bad"},"spec":"nginx"}`)
			source := observe(t, server)
			gaps(t, source, ingressClasses.String(), "Malformed: bad: ")
			names(t, source, ingressClasses, "good")
			settled(t, source)

			// It becomes malformed, and is corrected, while it is watched.
			server.PutRaw(ingressClasses, "", "worse", `{"apiVersion":"networking.k8s.io/v1","kind":"IngressClass","metadata":{"name":"worse"},"spec":[]}`)
			gaps(t, source, ingressClasses.String(), "Malformed: bad: ", "Malformed: worse: ")
			server.Put(ingressClasses, &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "bad"}})
			server.Delete(ingressClasses, "", "worse")
			gaps(t, source, ingressClasses.String())
			names(t, source, ingressClasses, "bad", "good")
		})
	}
}

func TestAResourceThatFailsIsNotSyncedWithTheReason(t *testing.T) {
	server := fakeapi.Start()
	defer server.Stop()
	server.Fail(pods, apierrors.NewInternalError(errors.New("etcdserver: no leader")))
	source := observe(t, server)
	gaps(t, source, "pods", "NotSynced: Internal error occurred: etcdserver: no leader")
	if source.Settled() {
		t.Error("it has settled though pods are not read")
	}
	server.Fail(pods, nil)
	gaps(t, source, "pods")
	settled(t, source)
}

func TestAnUnreachableServerIsAGapAndSettlesInTheEnd(t *testing.T) {
	server := fakeapi.Start()
	server.Stop()
	source, err := New(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	fake := testingclock.NewFakeClock(metav1.Now().Time)
	source.clock = fake
	run(t, source)
	gaps(t, source, "pods", "NotSynced: the API server cannot be reached: connection refused")
	gaps(t, source, "discovery", "NotSynced: the API server cannot be reached: connection refused")
	gaps(t, source, "version", "Assumed: "+cluster.NewestVersion)
	if source.Settled() {
		t.Error("it has settled before its time")
	}
	fake.Step(settleWithin)
	settled(t, source)
}

func TestWhatIsNotHeardOfForLongIsAGap(t *testing.T) {
	server := fakeapi.Start()
	defer server.Stop()
	server.Put(pods, pod("a"))
	source, err := New(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	fake := testingclock.NewFakeClock(metav1.Now().Time)
	source.clock = fake
	run(t, source)
	settled(t, source)
	server.Fail(pods, apierrors.NewServiceUnavailable("starting"))
	until(t, source, func(snapshot *cluster.Snapshot) string {
		// The clock moves on only while the test looks, as fast as it looks.
		fake.Step(retries().Cap)
		if _, ok := snapshot.DecidingGap(pods); !ok {
			return "there is no gap"
		}
		return ""
	})
	gaps(t, source, "pods", "NotSynced: "+lost)
	names(t, source, pods, "a")
	gaps(t, source, "services")
}

func TestADeadGroupDoesNotHideTheOthers(t *testing.T) {
	server := fakeapi.Start()
	defer server.Stop()
	server.Stale("metrics.example.com", "custom.example.com")
	source := observe(t, server)
	snapshot := settled(t, source)
	want := []cluster.Gap{
		{Resource: "discovery", Reason: cluster.GapNotSynced, Message: "these groups do not answer: custom.example.com, metrics.example.com"},
		noGateways,
	}
	if diff := cmp.Diff(want, snapshot.Gaps()); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if !snapshot.Discovery.Serves(pods) {
		t.Error("pods are not served")
	}
	source.Observe([]schema.GroupResource{{Group: "metrics.example.com", Resource: "nodes"}})
	gaps(t, source, "nodes.metrics.example.com", "NotSynced: the API group does not answer")
}

func TestFailuresAreSaidInTheSameWords(t *testing.T) {
	broken := &url.Error{Op: "Get", URL: "https://10.0.0.1:6443/api/v1/pods?timeout=7m3s", Err: &net.OpError{
		Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: 54321}, Addr: &net.TCPAddr{Port: 6443}, Err: os.NewSyscallError("read", syscall.ECONNRESET),
	}}
	for want, err := range map[string]error{
		"pods is forbidden: no rule":                                                          fmt.Errorf("failed to list: %w", apierrors.NewForbidden(pods, "", errors.New("no rule"))),
		"the API server cannot be reached: connection reset by peer":                          broken,
		"the API server does not answer in time":                                              fmt.Errorf("get: %w", context.DeadlineExceeded),
		"the API server cannot be reached: there is no host api.example.com":                  &net.DNSError{Name: "api.example.com", Server: "10.0.0.53:53"},
		"the API server cannot be trusted: its certificate is signed by an unknown authority": fmt.Errorf("tls: %w", x509.UnknownAuthorityError{}),
		"something else": fmt.Errorf("at 12:34: %w", errors.New("something else")),
	} {
		if got := messageOf(err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNamedResources(t *testing.T) {
	server := fakeapi.Start()
	defer server.Stop()
	row := cluster.NamedResource(cluster.APIResource{Group: "example.com", Version: "v1", Resource: "widgets", Kind: schema.GroupVersionKind{Kind: "Widget"}, Namespaced: true})
	server.Serve(row)
	server.Put(widgets, &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "w"}})
	source := observe(t, server)
	settled(t, source)

	source.Observe([]schema.GroupResource{
		widgets, widgets, pods, {Resource: "secrets"}, {Resource: "events"}, {Group: "*", Resource: "*"}, {Resource: "pods/log"}, {Group: "example.com", Resource: "gone"},
	})
	gaps(t, source, "gone.example.com", "NotServed: the cluster does not serve it")
	snapshot := names(t, source, widgets, "w")
	if _, ok := snapshot.Named(widgets).Get("default", "w"); !ok {
		t.Error("the widget is not found by its name")
	}
	source.mu.Lock()
	if got, want := len(source.watchers), len(cluster.Resources)+2; got != want {
		t.Errorf("%d resources are observed, want %d", got, want)
	}
	source.mu.Unlock()

	source.Observe(nil)
	names(t, source, widgets)
	gaps(t, source, "gone.example.com")
	until(t, source, func(*cluster.Snapshot) string {
		if server.Watches(widgets) == 0 {
			return ""
		}
		return "they are watched still"
	})
}

func TestNamedResourcesAreBounded(t *testing.T) {
	server := fakeapi.Start()
	defer server.Stop()
	source := observe(t, server)
	settled(t, source)
	var named []schema.GroupResource
	for i := range maxNamed + 2 {
		named = append(named, schema.GroupResource{Group: "example.com", Resource: fmt.Sprintf("kinds%02d", i)})
	}
	slices.Reverse(named)
	source.Observe(named)
	gaps(t, source, "kinds00.example.com", "NotServed: ")
	gaps(t, source, "kinds64.example.com", "NotSynced: of the resources that are named for observation, the first 64 are read")
	gaps(t, source, "kinds65.example.com", "NotSynced: of the resources")
	source.Observe(named[:2])
	gaps(t, source, "kinds64.example.com", "NotServed: ")
	gaps(t, source, "kinds00.example.com")
}
