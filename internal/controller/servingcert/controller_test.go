package servingcert

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	aggregatorfake "k8s.io/kube-aggregator/pkg/client/clientset_generated/clientset/fake"
	clocktesting "k8s.io/utils/clock/testing"
)

// host is a cluster with Extant's manifests.
type host struct {
	core       *fake.Clientset
	aggregator *aggregatorfake.Clientset
	clock      *clocktesting.FakeClock
}

func newHost() *host {
	return &host{
		core: fake.NewClientset(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "extant-system", Name: DefaultSecretName}}),
		aggregator: aggregatorfake.NewSimpleClientset(&apiregistrationv1.APIService{
			ObjectMeta: metav1.ObjectMeta{Name: DefaultAPIServiceName},
			Spec:       apiregistrationv1.APIServiceSpec{Service: &apiregistrationv1.ServiceReference{Namespace: "extant-system", Name: "extant-apiserver"}},
		}),
		clock: clocktesting.NewFakeClock(start),
	}
}

func (h *host) replica(t *testing.T) *Controller {
	t.Helper()
	c := testConfig()
	c.Client, c.APIServices, c.Clock = h.core, h.aggregator.ApiregistrationV1().APIServices(), h.clock
	controller, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return controller
}

func (h *host) bundle(t *testing.T) []byte {
	t.Helper()
	service, err := h.aggregator.ApiregistrationV1().APIServices().Get(t.Context(), DefaultAPIServiceName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return service.Spec.CABundle
}

// call makes the handshake that kube-aggregator makes, and returns who issued
// the certificate that it met.
func (h *host) call(t *testing.T, replica *Controller, bundle []byte) (string, error) {
	t.Helper()
	pair, err := tls.X509KeyPair(replica.CurrentCertKeyContent())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	server := tls.Server(near, &tls.Config{Certificates: []tls.Certificate{pair}, SessionTicketsDisabled: true, Time: h.clock.Now})
	client := tls.Client(far, &tls.Config{RootCAs: roots, ServerName: "extant-apiserver.extant-system.svc", Time: h.clock.Now})
	go func() { _ = server.Handshake() }() // The client tells how it went.
	if err := client.Handshake(); err != nil {
		return "", err
	}
	return client.ConnectionState().PeerCertificates[0].Issuer.CommonName, nil
}

// aggregators are API servers whose informers lag behind.
type aggregators struct {
	seen []view
}

type view struct {
	since  time.Time
	bundle []byte
}

// at is what an API server believes that is as old as that time.
func (a *aggregators) at(moment time.Time) []byte {
	believed := a.seen[0].bundle
	for _, v := range a.seen {
		if !v.since.After(moment) {
			believed = v.bundle
		}
	}
	return believed
}

// Three years of two replicas, of which one looks at the cluster every twenty
// days only, and of API servers up to four minutes behind: no handshake fails,
// with whichever caBundle and whichever replica.
func TestNoHandshakeFailsAcrossRotations(t *testing.T) {
	h := newHost()
	prompt, slow := h.replica(t), h.replica(t)
	replicas := []*Controller{prompt, slow}
	for _, replica := range replicas {
		if err := replica.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var callers aggregators
	issuers, certificates := map[string]bool{}, map[string]bool{}
	lastSlow := start
	for h.clock.Since(start) < 3*365*day {
		if h.clock.Since(lastSlow) >= 20*day {
			lastSlow = h.clock.Now()
			if err := slow.sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := prompt.sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		now := h.clock.Now()
		callers.seen = append(callers.seen, view{now, h.bundle(t)})
		for name, replica := range map[string]*Controller{"prompt": prompt, "slow": slow} {
			for _, behind := range []time.Duration{0, 4 * time.Minute} {
				issuer, err := h.call(t, replica, callers.at(now.Add(-behind)))
				if err != nil {
					t.Fatalf("day %d, %s replica, API server %s behind: %v", h.clock.Since(start)/day, name, behind, err)
				}
				issuers[issuer] = true
			}
		}
		certificate, _ := prompt.CurrentCertKeyContent()
		certificates[string(certificate)] = true
		h.clock.Step(h.stride(t))
	}
	if len(issuers) != 3 || len(certificates) < 18 {
		t.Errorf("met %d authorities and %d certificates: nothing was rotated", len(issuers), len(certificates))
	}
	if size := strings.Count(string(h.bundle(t)), "BEGIN CERTIFICATE"); size > 2 {
		t.Errorf("the caBundle has grown to %d authorities", size)
	}
}

// stride goes by minutes while an authority waits, else by two days.
func (h *host) stride(t *testing.T) time.Duration {
	secret, err := h.core.CoreV1().Secrets("extant-system").Get(t.Context(), DefaultSecretName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(secret.Data[nextCert]) > 0 {
		return time.Minute
	}
	return 2 * day
}

func TestAllReplicasPresentTheSameCertificate(t *testing.T) {
	h := newHost()
	a, b := h.replica(t), h.replica(t)
	for _, replica := range []*Controller{a, b} {
		if err := replica.Check(nil); err == nil {
			t.Error("ready with a certificate that nobody trusts")
		}
		if certificate, key := replica.CurrentCertKeyContent(); len(certificate) == 0 || len(key) == 0 {
			t.Error("nothing is presented at the start")
		}
		if err := replica.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := replica.Check(nil); err != nil {
			t.Error(err)
		}
	}
	ofA, _ := a.CurrentCertKeyContent()
	ofB, _ := b.CurrentCertKeyContent()
	if diff := cmp.Diff(string(ofA), string(ofB)); diff != "" {
		t.Errorf("two certificates:\n%s", diff)
	}
}

func TestAReplicaThatIsSlowerTakesWhatTheOtherWrote(t *testing.T) {
	faster, h := newHost(), newHost()
	if err := faster.replica(t).RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	theirs, err := faster.core.CoreV1().Secrets("extant-system").Get(t.Context(), DefaultSecretName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	h.core.PrependReactor("update", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) {
		if refused++; refused > 1 {
			return false, nil, nil
		}
		if err := h.core.Tracker().Update(corev1.SchemeGroupVersion.WithResource("secrets"), theirs, "extant-system"); err != nil {
			t.Error(err)
		}
		return true, nil, apierrors.NewConflict(corev1.Resource("secrets"), DefaultSecretName, errors.New("changed"))
	})
	replica := h.replica(t)
	if err := replica.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, _ := replica.CurrentCertKeyContent()
	if diff := cmp.Diff(string(theirs.Data[corev1.TLSCertKey]), string(got)); diff != "" {
		t.Errorf("certificate (-want +got):\n%s", diff)
	}
	if _, err := h.call(t, replica, h.bundle(t)); err != nil {
		t.Error(err)
	}
}

func TestWritesCarryTheVersionThatTheyWereDecidedOn(t *testing.T) {
	h := newHost()
	service, err := h.aggregator.ApiregistrationV1().APIServices().Get(t.Context(), DefaultAPIServiceName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	service.ResourceVersion = "41"
	if err := h.aggregator.Tracker().Update(apiregistrationv1.SchemeGroupVersion.WithResource("apiservices"), service, ""); err != nil {
		t.Fatal(err)
	}
	if err := h.replica(t).RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, action := range h.aggregator.Actions() {
		patch, ok := action.(clienttesting.PatchAction)
		if ok && !strings.Contains(string(patch.GetPatch()), `"resourceVersion":"41"`) {
			t.Errorf("patch without precondition: %s", patch.GetPatch())
		}
		if verb := action.GetVerb(); verb != "get" && verb != "patch" {
			t.Errorf("%s on APIServices needs a right that Extant does not have", verb)
		}
	}
	for _, action := range h.core.Actions() {
		if verb := action.GetVerb(); verb != "get" && verb != "update" {
			t.Errorf("%s on Secrets needs a right that Extant does not have", verb)
		}
	}
}

func TestWhatIsWrongIsSaidInOneSentence(t *testing.T) {
	forbidden := func(resource string) clienttesting.ReactionFunc {
		return func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(corev1.Resource(resource), "it", errors.New("no"))
		}
	}
	tests := []struct {
		name    string
		prepare func(*host)
		want    string
	}{
		{"no secret", func(h *host) {
			h.core = fake.NewClientset()
		}, "secret extant-system/extant-serving-cert does not exist, and Extant has no right to create any: apply Extant's manifests again"},
		{"another's secret", func(h *host) {
			h.core = fake.NewClientset(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "extant-system", Name: DefaultSecretName}, Data: map[string][]byte{"tls.crt": []byte("x")}})
		}, "secret extant-system/extant-serving-cert holds something that Extant did not put there, empty it to have a certificate issued: tls.crt: could not read certificate"},
		{"secret forbidden", func(h *host) { h.core.PrependReactor("get", "secrets", forbidden("secrets")) },
			"could not read secret extant-system/extant-serving-cert: "},
		{"APIService forbidden", func(h *host) { h.aggregator.PrependReactor("get", "apiservices", forbidden("apiservices")) },
			"could not read APIService v1alpha1.extant.dev: "},
		{"caBundle forbidden", func(h *host) { h.aggregator.PrependReactor("patch", "apiservices", forbidden("apiservices")) },
			"could not patch the caBundle of APIService v1alpha1.extant.dev: "},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			h := newHost()
			tc.prepare(h)
			err := h.replica(t).RunOnce(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("got error %v", err)
			}
		})
	}
}

// enqueued is a listener: the library's server is one.
type enqueued chan struct{}

func (e enqueued) Enqueue() { e <- struct{}{} }

func TestARunningReplicaFollowsTheSecret(t *testing.T) {
	h := newHost()
	running := h.replica(t)
	changed := make(enqueued, 10)
	running.AddListener(changed)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		running.Run(ctx, 1)
	}()
	wait := func(what string) {
		select {
		case <-changed:
		case <-time.After(30 * time.Second):
			t.Fatalf("the server was not told of %s", what)
		}
	}
	wait("the first certificate")
	first, _ := running.CurrentCertKeyContent()

	// Another replica issues the next one; no clock moves for this one.
	h.clock.SetTime(start.Add(60 * day))
	if err := h.replica(t).RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait("the renewed certificate")
	if second, _ := running.CurrentCertKeyContent(); string(first) == string(second) {
		t.Error("the old certificate is presented")
	}
	cancel()
	<-ended
}
