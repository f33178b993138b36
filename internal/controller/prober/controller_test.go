package prober

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned/fake"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions"
)

// cell is a source whose cluster a test builds.
type cell struct {
	mu      sync.Mutex
	builder *cluster.Builder
	changed chan struct{}
}

func newCell() *cell {
	return &cell{builder: cluster.NewBuilder("live"), changed: make(chan struct{}, 1)}
}

func (c *cell) Snapshot() *cluster.Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.builder.Snapshot()
}

func (c *cell) Subscribe() (<-chan struct{}, func()) { return c.changed, func() {} }
func (c *cell) Observe([]schema.GroupResource)       {}
func (c *cell) Settled() bool                        { return true }
func (c *cell) Heard() time.Time                     { return time.Time{} }

func (c *cell) put(resource schema.GroupResource, object cluster.Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.builder.Put(resource, object)
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

var webhookResource = schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations"}

// hook registers a webhook with a Service of its own at the addresses.
func (c *cell) hook(name string, bundle []byte, addresses ...string) {
	c.put(webhookResource, &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: "guard.example.com", ClientConfig: admissionregistrationv1.WebhookClientConfig{
				Service: &admissionregistrationv1.ServiceReference{Namespace: "guards", Name: name, Port: ptr.To[int32](443)}, CABundle: bundle,
			},
		}},
	})
	c.put(serviceResource, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "guards", Name: name},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "https", Port: 443, Protocol: corev1.ProtocolTCP}}},
	})
	c.endpoints(name, addresses...)
}

// endpoints sets the ready endpoints of a Service, one slice for each port.
func (c *cell) endpoints(service string, addresses ...string) {
	for i, address := range addresses {
		host, port, _ := net.SplitHostPort(address)
		number, _ := strconv.Atoi(port)
		c.put(endpointSliceResource, &discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Namespace: "guards", Name: fmt.Sprint(service, i), Labels: map[string]string{discoveryv1.LabelServiceName: service}},
			AddressType: discoveryv1.AddressTypeIPv4,
			Ports:       []discoveryv1.EndpointPort{{Name: ptr.To("https"), Port: ptr.To(int32(number))}},
			Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{host}}},
		})
	}
}

// harness runs a controller against a fake API in which discovery has done its
// part.
type harness struct {
	*cell
	t      testing.TB
	clock  *clocktesting.FakeClock
	api    *fake.Clientset
	events *record.FakeRecorder
	writes atomic.Int32
	config Config
	// deaf: informers do not hear of writes. There is no room for as many in those
	// of a fake API.
	deaf bool
}

func newHarness(t testing.TB, backends ...string) *harness {
	h := &harness{cell: newCell(), t: t, clock: clocktesting.NewFakeClock(time.Now()), api: fake.NewSimpleClientset(), events: record.NewFakeRecorder(100)}
	for _, name := range backends {
		h.backend(name)
	}
	h.api.PrependReactor("patch", "backends", h.apply)
	h.config = Config{
		Source: h.cell, Client: h.api.ExtantV1alpha1(), Clock: h.clock, Events: h.events, AllowLocal: true,
		Inventory: func(snapshot *cluster.Snapshot) (*inventory.Inventory, error) {
			return inventory.Take(snapshot, catalogue.Points(), nil), nil
		},
	}
	return h
}

// backend makes a Backend as discovery does.
func (h *harness) backend(name string) {
	h.t.Helper()
	if _, err := h.api.ExtantV1alpha1().Backends().Create(h.t.Context(), &v1alpha1.Backend{ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: "1"}}, metav1.CreateOptions{}); err != nil {
		h.t.Fatal(err)
	}
}

// apply stores what is applied, as an API server does for the only manager of
// what it applies.
func (h *harness) apply(action clienttesting.Action) (bool, runtime.Object, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	patch := action.(clienttesting.PatchAction)
	var applied v1alpha1.Backend
	if err := json.Unmarshal(patch.GetPatch(), &applied); err != nil {
		return true, nil, err
	}
	resource := v1alpha1.SchemeGroupVersion.WithResource("backends")
	object, err := h.api.Tracker().Get(resource, "", patch.GetName())
	if err != nil {
		return true, nil, err
	}
	stored := object.DeepCopyObject().(*v1alpha1.Backend)
	stored.Status = applied.Status
	stored.ResourceVersion = strconv.Itoa(int(h.writes.Add(1)) + 1)
	if h.deaf {
		return true, stored, nil
	}
	return true, stored, h.api.Tracker().Update(resource, stored, "")
}

// run runs the controller until it is told to stop.
func (h *harness) run() (c *Controller, stop func()) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	factory := informers.NewSharedInformerFactory(h.api, 0)
	config := h.config
	config.Kinds = factory.Extant().V1alpha1()
	c, err := New(config)
	if err != nil {
		h.t.Fatal(err)
	}
	factory.Start(ctx.Done())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(ctx)
	}()
	return c, func() {
		cancel()
		<-done
		factory.Shutdown()
	}
}

// until steps the clock until the status is as wanted.
func (h *harness) until(name string, step time.Duration, wanted func(*v1alpha1.BackendStatus) bool) *v1alpha1.BackendStatus {
	h.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		stored, err := h.api.ExtantV1alpha1().Backends().Get(h.t.Context(), name, metav1.GetOptions{})
		if err != nil {
			h.t.Fatal(err)
		}
		if wanted(&stored.Status) {
			return &stored.Status
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("not so in time: %s %s: %s", stored.Status.Available, stored.Status.Reason, stored.Status.Message)
		}
		h.clock.Step(step)
		waitABit()
	}
}

// waitABit lets goroutines take in a step of the fake clock.
func waitABit() { time.Sleep(2 * time.Millisecond) }

func is(available metav1.ConditionStatus, reason extant.BackendReason) func(*v1alpha1.BackendStatus) bool {
	return func(s *v1alpha1.BackendStatus) bool {
		return s.Available == available && s.Reason == v1alpha1.BackendReason(reason)
	}
}

// told returns the events since it was asked last, of which there are to be so
// many: they come after what they tell of is written.
func (h *harness) told(want int) (events []string) {
	h.t.Helper()
	for len(events) < want {
		select {
		case event := <-h.events.Events:
			events = append(events, event)
		case <-time.After(10 * time.Second):
			h.t.Fatalf("want %d events, got %q", want, events)
		}
	}
	select {
	case event := <-h.events.Events:
		h.t.Errorf("one too many: %q", event)
	default:
	}
	return events
}

func TestADeathIsConfirmedWrittenAndToldOnceAndSoIsTheReturn(t *testing.T) {
	ours := newAuthority(t)
	h := newHarness(t, "a.guards.443")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	config := serving(ours.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"a.guards.svc"} }))
	go accept(listener, shaking(t, config))
	h.hook("a", ours.pem, address)
	c, stop := h.run()
	defer stop()

	status := h.until("a.guards.443", 100*time.Millisecond, is("True", extant.BackendProbeSucceeded))
	if status.Certificate == nil || len(status.Callers) != 1 || status.Callers[0].TrustedByCABundle != metav1.ConditionTrue || status.LastProbeTime == nil || len(status.Samples) == 0 || status.Latency == nil {
		t.Errorf("got %+v", status)
	}
	if valid := meta.FindStatusCondition(status.Conditions, extant.ConditionCertificateValid); valid == nil || valid.Status != metav1.ConditionTrue {
		t.Errorf("the certificate: %v", valid)
	}
	<-c.Written()
	h.told(0)
	_ = listener.Close()
	start := h.clock.Now()
	status = h.until("a.guards.443", 200*time.Millisecond, is("False", extant.BackendConnectFailed))
	if took := h.clock.Now().Sub(start); took > 33*time.Second {
		t.Errorf("it took %s to notice", took)
	}
	n := len(status.Samples)
	if n < 2 || status.Samples[n-1].Error == "" || status.Samples[n-2].Error == "" {
		t.Errorf("it was not confirmed: %v", status.Samples)
	}
	if status.Certificate != nil {
		t.Error("a certificate is shown that nobody serves")
	}
	if told := h.told(1); !strings.Contains(told[0], "Warning ConnectFailed "+address+": refused") {
		t.Errorf("told of the death: %q", told)
	}
	again, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	go accept(again, shaking(t, config))
	h.until("a.guards.443", 500*time.Millisecond, is("True", extant.BackendProbeSucceeded))
	if told := h.told(1); !strings.Contains(told[0], "Normal Available ") {
		t.Errorf("told of the return: %q", told)
	}
}

func TestAtRestOnlyTheSamplesOfTenMinutesAreWritten(t *testing.T) {
	ours := newAuthority(t)
	const backends = 3
	var names []string
	for i := range backends {
		names = append(names, fmt.Sprintf("b%d.guards.443", i))
	}
	h := newHarness(t, names...)
	for i := range backends {
		name := fmt.Sprintf("b%d", i)
		h.hook(name, ours.pem, listen(t, fmt.Sprintf("127.0.0.%d:0", i+1), shaking(t, serving(ours.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{name + ".guards.svc"} })))))
	}
	c, stop := h.run()
	defer stop()
	for _, name := range names {
		h.until(name, 100*time.Millisecond, is("True", extant.BackendProbeSucceeded))
	}
	before := h.writes.Load()
	start := h.clock.Now()
	for h.clock.Now().Sub(start) < 25*time.Minute {
		probes := c.probes()
		h.clock.Step(30 * time.Second)
		h.until(names[0], 0, func(*v1alpha1.BackendStatus) bool { return c.probes() >= probes+backends })
	}
	if got := h.writes.Load() - before; got < 2*backends || got > 3*backends {
		t.Errorf("%d writes in 25 minutes", got)
	}
	status := h.until(names[0], 0, func(s *v1alpha1.BackendStatus) bool { return len(s.Samples) > 30 })
	if age := h.clock.Now().Sub(status.LastProbeTime.Time); age > 11*time.Minute {
		t.Errorf("the newest sample in the API is %s old", age)
	}
}

// probes is how many samples there are of all backends.
func (c *Controller) probes() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.states {
		if s.running {
			n--
		}
		n += len(s.samples)
	}
	return n
}

func TestANewLeaderGoesOnWithWhatIsStored(t *testing.T) {
	ours := newAuthority(t)
	h := newHarness(t, "a.guards.443")
	h.hook("a", ours.pem, listen(t, "127.0.0.1:0", shaking(t, serving(ours.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"a.guards.svc"} })))))
	_, stop := h.run()
	before := h.until("a.guards.443", 100*time.Millisecond, is("True", extant.BackendProbeSucceeded))
	stop()
	written := h.writes.Load()
	c, stop := h.run()
	defer stop()
	n := len(before.Samples)
	h.until("a.guards.443", 100*time.Millisecond, func(s *v1alpha1.BackendStatus) bool {
		if s.Available != metav1.ConditionTrue {
			t.Fatalf("it went to %s: %s", s.Available, s.Message)
		}
		return c.probes() > n
	})
	if got := h.writes.Load() - written; got != 0 {
		t.Errorf("%d writes of what was known", got)
	}
	h.told(0)
}

func TestWithoutProbingWhatTheSnapshotTellsIsWritten(t *testing.T) {
	h := newHarness(t, "a.guards.443", "gone.guards.443")
	called := make(chan struct{}, 1)
	h.hook("a", nil, listen(t, "127.0.0.1:0", func(net.Conn) { called <- struct{}{} }))
	h.put(webhookResource, &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "gone"},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{Name: "g", ClientConfig: admissionregistrationv1.WebhookClientConfig{
			Service: &admissionregistrationv1.ServiceReference{Namespace: "guards", Name: "gone", Port: ptr.To[int32](443)},
		}}},
	})
	h.config.Off = "nobody asked"
	c, stop := h.run()
	defer stop()
	status := h.until("a.guards.443", time.Second, is("Unknown", extant.BackendNotProbed))
	if !strings.HasSuffix(status.Message, "; nobody asked") {
		t.Errorf("got %s", status.Message)
	}
	h.until("gone.guards.443", time.Second, is("False", extant.BackendServiceNotFound))
	<-c.Written()
	for range 20 {
		h.clock.Step(time.Minute)
		waitABit()
	}
	select {
	case <-called:
		t.Error("it was called")
	default:
	}
}

func TestACertificateIsJudgedAgainWhenTheBundleChanges(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	h := newHarness(t, "a.guards.443")
	address := listen(t, "127.0.0.1:0", shaking(t, serving(ours.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"a.guards.svc"} }))))
	h.hook("a", others.pem, address)
	_, stop := h.run()
	defer stop()
	status := h.until("a.guards.443", 100*time.Millisecond, is("False", extant.BackendTLSFailed))
	if valid := meta.FindStatusCondition(status.Conditions, extant.ConditionCertificateValid); valid == nil || valid.Reason != "NotSignedByCABundle" {
		t.Errorf("the certificate: %v", valid)
	}
	h.told(2)
	h.hook("a", ours.pem, address)
	h.until("a.guards.443", 0, is("True", extant.BackendProbeSucceeded)) // at once: without another probe
}
