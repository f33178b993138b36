package integration

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/extant-project/extant/internal/pki"
)

// recorder is a webhook server that allows everything and notes what it is
// asked, in the order in which it is asked. Hooks are told apart by the path
// that they call.
type recorder struct {
	server   *httptest.Server
	caBundle []byte

	mu    sync.Mutex
	calls []recordedCall
	// hungUp are the calls of hooks that were down.
	hungUp []recordedCall
	down   map[string]bool
}

// recordedCall is one call of a hook.
type recordedCall struct {
	// Hook is the path without its slash, as was given to clientConfig.
	Hook    string
	Request *admissionv1.AdmissionRequest
	// At is when it came.
	At time.Time
}

// newRecorder starts a recorder for the time of the test. Where it is behind
// Services, it is believed by their names.
func newRecorder(t *testing.T, services ...string) *recorder {
	t.Helper()
	authority, err := pki.NewAuthority("recorder-ca", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	serving, err := authority.Issue(pki.Profile{
		CommonName: "recorder", IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: services,
		Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, Lifetime: time.Hour,
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pair := tls.Certificate{Certificate: [][]byte{serving.Certificate.Raw}, PrivateKey: serving.Key}
	r := &recorder{caBundle: authority.CertificatePEM(), down: map[string]bool{}}
	r.server = httptest.NewUnstartedServer(r)
	r.server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	r.server.StartTLS()
	t.Cleanup(func() {
		// kube-apiserver keeps its connections, for which Close would wait.
		r.server.CloseClientConnections()
		r.server.Close()
	})
	return r
}

// clientConfig is how a webhook configuration names a hook of the recorder.
func (r *recorder) clientConfig(hook string) admissionregistrationv1.WebhookClientConfig {
	url := r.server.URL + "/" + hook
	return admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: r.caBundle}
}

// setDown makes a hook hang up on whoever calls it, or answer again.
func (r *recorder) setDown(hook string, down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down[hook] = down
}

// take returns the calls since it was last called.
func (r *recorder) take() []recordedCall {
	calls, _ := r.takeAll()
	return calls
}

// takeAll returns besides the calls that it hung up on.
func (r *recorder) takeAll() (calls, hungUp []recordedCall) {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls, hungUp = r.calls, r.hungUp
	r.calls, r.hungUp = nil, nil
	return calls, hungUp
}

// ServeHTTP answers one call.
func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	hook := strings.TrimPrefix(request.URL.Path, "/")
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(request.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(w, "an AdmissionReview is wanted", http.StatusBadRequest)
		return
	}
	if !r.note(recordedCall{Hook: hook, Request: review.Request, At: time.Now()}) {
		panic(http.ErrAbortHandler)
	}
	answer := admissionv1.AdmissionReview{
		TypeMeta: review.TypeMeta,
		Response: &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true},
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// note keeps a call, unless its hook is down.
func (r *recorder) note(call recordedCall) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down[call.Hook] {
		r.hungUp = append(r.hungUp, call)
		return false
	}
	r.calls = append(r.calls, call)
	return true
}

func TestTheRecorderNotesWhatItIsAskedUnlessItIsDown(t *testing.T) {
	r := newRecorder(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(r.caBundle)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	post := func() (string, error) {
		response, err := client.Post(*r.clientConfig("one").URL, "application/json", strings.NewReader(`{"request": {"uid": "7"}}`))
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		var review admissionv1.AdmissionReview
		err = json.NewDecoder(response.Body).Decode(&review)
		if err == nil && !review.Response.Allowed {
			t.Error("it refuses")
		}
		return string(review.Response.UID), err
	}
	if uid, err := post(); err != nil || uid != "7" {
		t.Fatalf("answered %q, %v", uid, err)
	}
	r.setDown("one", true)
	if _, err := post(); err == nil {
		t.Error("a hook that is down answers")
	}
	if calls, hungUp := r.takeAll(); len(calls) != 1 || calls[0].Hook != "one" || calls[0].Request.UID != "7" || len(hungUp) == 0 {
		t.Errorf("noted %v, and %v", calls, hungUp)
	}
}

// backend is the name of the Backend that all hooks of the recorder call.
func (r *recorder) backend() string {
	address := r.server.Listener.Addr().(*net.TCPAddr)
	return fmt.Sprintf("%s.%d", address.IP, address.Port)
}
