package integration

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// probedWebhook is a webhook on loopback that allows everything, in a namespace
// of its own.
type probedWebhook struct {
	t       *testing.T
	key     *ecdsa.PrivateKey
	address string
	server  *http.Server
}

func newProbedWebhook(t *testing.T) *probedWebhook {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w := &probedWebhook{t: t, key: key, address: "127.0.0.1:0"}
	t.Cleanup(w.stop)
	return w
}

// certificate is one that signs itself.
func (w *probedWebhook) certificate(until time.Time) []byte {
	w.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(until.Unix()), Subject: pkix.Name{CommonName: "probed"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &w.key.PublicKey, w.key)
	if err != nil {
		w.t.Fatal(err)
	}
	return der
}

// start serves with a certificate, each request on a connection of its own.
func (w *probedWebhook) start(certificate []byte) {
	w.t.Helper()
	listener, err := net.Listen("tcp", w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	w.address = listener.Addr().String()
	w.server = &http.Server{Handler: http.HandlerFunc(allow), ReadHeaderTimeout: time.Minute}
	w.server.SetKeepAlivesEnabled(false)
	secured := tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: w.key}}})
	server := w.server
	go func() { _ = server.Serve(secured) }()
}

func (w *probedWebhook) stop() {
	if w.server != nil {
		_ = w.server.Close()
	}
}

func allow(response http.ResponseWriter, request *http.Request) {
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(request.Body).Decode(&review); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	response.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(response).Encode(review)
}

// probingLoopback restarts Extant so that it may probe loopback.
func probingLoopback(t *testing.T) {
	t.Helper()
	withArgument(t, "--probe-local-addresses")
}

// withArgument restarts Extant with a further argument, until the test ends.
func withArgument(t *testing.T, argument string) {
	t.Helper()
	before := slices.Clone(env.extant.Args)
	if err := env.extant.Stop(); err != nil {
		t.Fatal(err)
	}
	env.extant.Args = append(slices.Clone(before), argument)
	restartExtant(t)
	t.Cleanup(func() {
		if err := env.extant.Stop(); err != nil {
			t.Error(err)
		}
		env.extant.Args = before
		if err := env.extant.Start(); err != nil {
			t.Error(err)
		}
		if err := env.extant.waitReady(context.Background()); err != nil {
			t.Error(err)
		}
		if err := env.waitAvailable(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// TestWhatAProbeFindsIsWhatTheAPIServerFinds lets a webhook live, die, and come
// back with a certificate that expired, and compares what Extant says with what
// kube-apiserver does.
func TestWhatAProbeFindsIsWhatTheAPIServerFinds(t *testing.T) {
	const name = "probed"
	ctx, kube, extantAPI := t.Context(), kubeClient(t), extantClient(t)
	probingLoopback(t)
	if _, err := kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kube.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{}) })
	webhook := newProbedWebhook(t)
	valid, expired := webhook.certificate(time.Now().Add(time.Hour)), webhook.certificate(time.Now().Add(-time.Hour))
	webhook.start(valid)
	deleteAfterwards(t, name)
	if _, err := extantAPI.Extensions().Create(ctx, &v1alpha1.Extension{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.ExtensionSpec{
			Components: []v1alpha1.ObjectReference{{Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations", Name: name}},
			Probe:      &v1alpha1.Probe{IntervalSeconds: 5},
		},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	var bundle []byte
	for _, der := range [][]byte{valid, expired} {
		bundle = append(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	configurations := kube.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	t.Cleanup(func() { _ = configurations.Delete(context.Background(), name, metav1.DeleteOptions{}) })
	if _, err := configurations.Create(ctx, probedConfiguration(name, "https://"+webhook.address+"/validate", bundle), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	backend := strings.Replace(webhook.address, ":", ".", 1)
	status := func(available metav1.ConditionStatus, reason v1alpha1.BackendReason) *v1alpha1.BackendStatus {
		t.Helper()
		var found *v1alpha1.Backend
		eventually(t, soon, func(ctx context.Context) (why string) {
			var err error
			if found, err = extantAPI.Backends().Get(ctx, backend, metav1.GetOptions{}); err != nil {
				return err.Error()
			}
			if s := found.Status; s.Available != available || s.Reason != reason {
				return fmt.Sprintf("it is %s %s: %s", s.Available, s.Reason, s.Message)
			}
			extension, err := extantAPI.Extensions().Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err.Error()
			}
			if c := meta.FindStatusCondition(extension.Status.Conditions, "Available"); c == nil || c.Status != available {
				return fmt.Sprintf("the extension is %v", c)
			}
			return ""
		})
		return &found.Status
	}
	verdict := func(want v1alpha1.Verdict) {
		t.Helper()
		review, err := extantAPI.RequestReviews().Create(ctx, &v1alpha1.RequestReview{Spec: v1alpha1.RequestReviewSpec{Request: v1alpha1.ReviewedRequest{
			Operation: "CREATE", Version: "v1", Resource: "configmaps", Namespace: name,
			Object: runtime.RawExtension{Raw: []byte(`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "probed"}}`)},
		}}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if review.Status.Verdict != want {
			t.Errorf("the review says %s: %s", review.Status.Verdict, review.Status.Message)
		}
	}
	// create asks kube-apiserver until it answers as it should: it learns of a
	// webhook a moment later than the API does.
	create := func(refusal string) {
		t.Helper()
		eventually(t, soon, func(ctx context.Context) string {
			made, err := kube.CoreV1().ConfigMaps(name).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "a-"}}, metav1.CreateOptions{})
			switch {
			case err == nil && refusal == "":
				return ""
			case err == nil:
				return "kube-apiserver made " + made.Name
			case refusal == "" || !strings.Contains(err.Error(), refusal):
				return err.Error()
			}
			return ""
		})
	}

	alive := status("True", "ProbeSucceeded")
	if alive.Certificate == nil || alive.Latency == nil || len(alive.Callers) != 1 || alive.Callers[0].TrustedByCABundle != "True" {
		t.Errorf("got %+v", alive)
	}
	verdict("Allowed")
	create("")
	wantIn(t, kubectl(t, "", "get", "be", backend), "ProbeSucceeded", "59m")

	webhook.stop()
	dead := status("False", "ConnectFailed")
	wantIn(t, dead.Message, webhook.address+": refused")
	verdict("Blocked")
	create("connection refused")

	webhook.start(expired)
	late := status("False", "TLSFailed")
	wantIn(t, late.Message, "the certificate expired at ")
	if c := meta.FindStatusCondition(late.Conditions, "CertificateValid"); c == nil || c.Status != "False" || c.Reason != "Expired" {
		t.Errorf("the certificate is %v", c)
	}
	verdict("Blocked")
	create("certificate has expired")

	eventually(t, soon, func(context.Context) string {
		events := kubectl(t, "", "get", "events", "-n", "default", "--field-selector", "involvedObject.kind=Backend,involvedObject.name="+backend)
		for _, want := range []string{"ConnectFailed", "TLSFailed", "CertificateExpired"} {
			if !strings.Contains(events, want) {
				return "no event tells of " + want + ":\n" + events
			}
		}
		return ""
	})
}

func probedConfiguration(name, url string, bundle []byte) *admissionregistrationv1.ValidatingWebhookConfiguration {
	configuration := guardWebhook(name)
	webhook := &configuration.Webhooks[0]
	webhook.FailurePolicy = ptr.To(admissionregistrationv1.Fail)
	webhook.ClientConfig = admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: bundle}
	webhook.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: name}}
	webhook.Rules[0].Rule = admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}}
	return configuration
}
