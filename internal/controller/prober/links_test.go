package prober

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

const testName = "guard.guards.svc"

// authority signs certificates of a test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{certificate, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (a *authority) issue(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "guard"}, DNSNames: []string{testName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// listen serves connections on loopback until the test ends, and returns the
// address.
func listen(t testing.TB, address string, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go accept(listener, serve)
	return listener.Addr().String()
}

func accept(listener net.Listener, serve func(net.Conn)) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			serve(connection)
		}()
	}
}

// shaking shakes hands and reads until the other side goes. What it reads beyond
// the handshake fails the test: a probe sends nothing.
func shaking(t testing.TB, config *tls.Config) func(net.Conn) {
	return func(connection net.Conn) {
		server := tls.Server(connection, config)
		if server.HandshakeContext(context.Background()) != nil {
			return
		}
		if n, _ := server.Read(make([]byte, 1)); n > 0 {
			t.Error("the probe sent something")
		}
	}
}

func serving(certificate tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate}}
}

func testDialer() *dialer {
	return &dialer{allowLocal: true, limit: newLimiter(), resolver: net.DefaultResolver}
}

func testTarget(bundle []byte, endpoints ...string) *target {
	return &target{
		probe: extant.Probe{Mode: extant.ProbeModeTLS, IntervalSeconds: 30, TimeoutSeconds: 1}, serverName: testName, endpoints: endpoints,
		protocols: webhookProtocols, callers: []caller{{resource: "validatingwebhookconfigurations", object: "guard", hook: "guard.example.com", bundle: bundle}},
	}
}

func probe(t testing.TB, d *dialer, target *target) verdict {
	t.Helper()
	now := time.Now()
	r := d.round(t.Context(), "guard", target, 0, now)
	return decide(target, r.kept(nil, target, now), newJudges(), now)
}

func TestTheLinkThatIsBrokenIsNamed(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	good := ours.issue(t, nil)
	refusing := listen(t, "127.0.0.1:0", func(net.Conn) {})
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := gone.Addr().String()
	_ = gone.Close()
	for _, test := range []struct {
		name      string
		endpoint  string
		change    func(*target)
		available metav1.ConditionStatus
		reason    extant.BackendReason
		words     string
		valid     string
	}{
		{"nothing is broken", listen(t, "127.0.0.1:0", shaking(t, serving(good))), nil, "True", "ProbeSucceeded", "1 of 1 endpoints answer", "Valid"},
		{"nothing listens", refused, nil, "False", "ConnectFailed", ": refused", ""},
		{"it accepts and never answers", listen(t, "127.0.0.1:0", func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)); <-t.Context().Done() }), nil,
			"False", "TLSFailed", "it accepted the connection and did not shake hands in time", ""},
		{"it hangs up", refusing, nil, "False", "TLSFailed", "it closed the connection during the handshake", ""},
		{"it sends garbage", listen(t, "127.0.0.1:0", func(c net.Conn) { _, _ = c.Write([]byte(strings.Repeat("HTTP/1.1 400\r\n", 9))) }), nil,
			"False", "TLSFailed", "it does not speak TLS", ""},
		{"it speaks an older TLS only", listen(t, "127.0.0.1:0", shaking(t, &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})), nil,
			"False", "TLSFailed", "it refused the handshake: protocol version", ""},
		{"it speaks another protocol only", listen(t, "127.0.0.1:0", shaking(t, &tls.Config{Certificates: []tls.Certificate{good}, NextProtos: []string{"grpc"}})), nil,
			"False", "TLSFailed", "it refused the handshake: no application protocol", ""},
		{"the certificate expired", listen(t, "127.0.0.1:0", shaking(t, serving(ours.issue(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })))), nil,
			"False", "TLSFailed", "the certificate expired at ", "Expired"},
		{"the certificate is not valid yet", listen(t, "127.0.0.1:0", shaking(t, serving(ours.issue(t, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })))), nil,
			"False", "TLSFailed", "the certificate is not valid before ", "NotYetValid"},
		{"the certificate is for another name", listen(t, "127.0.0.1:0", shaking(t, serving(ours.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"other.svc"} })))), nil,
			"False", "TLSFailed", "the certificate is for other.svc and not for " + testName, "NameMismatch"},
		{"somebody else signed", listen(t, "127.0.0.1:0", shaking(t, serving(others.issue(t, nil)))), nil,
			"False", "TLSFailed", "the certificate is not signed by its caBundle", "NotSignedByCABundle"},
		{"the bundle is empty", listen(t, "127.0.0.1:0", shaking(t, serving(good))), func(t *target) { t.callers[0].bundle = nil },
			"False", "TLSFailed", "its caBundle is empty", "EmptyCABundle"},
		{"the bundle of a URL is empty", listen(t, "127.0.0.1:0", shaking(t, serving(ours.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"guard.example.com"} })))),
			func(t *target) { t.callers[0].bundle, t.serverName = nil, "guard.example.com" }, "Unknown", "TLSFailed", "its caBundle is empty", "EmptyCABundle"},
		{"the bundle is malformed", listen(t, "127.0.0.1:0", shaking(t, serving(good))), func(t *target) { t.callers[0].bundle = []byte("cert") },
			"False", "TLSFailed", "its caBundle holds no certificate", "MalformedCABundle"},
		{"nobody verifies", listen(t, "127.0.0.1:0", shaking(t, serving(others.issue(t, nil)))), func(t *target) { t.callers[0].insecure = true }, "True", "ProbeSucceeded", "", "Valid"},
		{"only a connection is asked for", refusing, func(t *target) { t.probe.Mode = extant.ProbeModeTCP }, "True", "ProbeSucceeded", "", ""},
		{"it agrees to no key exchange but another", listen(t, "127.0.0.1:0", shaking(t, &tls.Config{Certificates: []tls.Certificate{good}, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768}})), nil,
			"True", "ProbeSucceeded", "", "Valid"},
		{"it wants a certificate of the client", listen(t, "127.0.0.1:0", shaking(t, &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12})), nil,
			"Unknown", "TLSFailed", "it asks for a client certificate", ""},
		{"it wants one after the handshake", listen(t, "127.0.0.1:0", shaking(t, &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert})), nil,
			"Unknown", "TLSFailed", "it asks for a client certificate", ""},
		{"it would take one", listen(t, "127.0.0.1:0", shaking(t, &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequestClientCert})), nil,
			"True", "ProbeSucceeded", "", "Valid"},
		{"the API server may call it otherwise", listen(t, "127.0.0.1:0", shaking(t, serving(good))), func(t *target) { t.doubt = "who knows" }, "Unknown", "ProbeSucceeded", "it answers, but who knows", "Valid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			target := testTarget(ours.pem, test.endpoint)
			if test.change != nil {
				test.change(target)
			}
			got := probe(t, testDialer(), target)
			if got.available != test.available || got.reason != test.reason || !strings.Contains(got.message, test.words) {
				t.Errorf("got %s %s: %s", got.available, got.reason, got.message)
			}
			if got.valid.Reason != test.valid {
				t.Errorf("the certificate is %q: %s", got.valid.Reason, got.valid.Message)
			}
		})
	}
}

func TestABadReplicaIsNamedAndTheBackendStaysAvailable(t *testing.T) {
	ours := newAuthority(t)
	good := listen(t, "127.0.0.1:0", shaking(t, serving(ours.issue(t, nil))))
	second := listen(t, "127.0.0.2:0", shaking(t, serving(ours.issue(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(time.Minute) }))))
	expired := listen(t, "127.0.0.3:0", shaking(t, serving(ours.issue(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }))))
	got := probe(t, testDialer(), testTarget(ours.pem, good, second, expired))
	if got.available != metav1.ConditionTrue || !strings.Contains(got.message, "1 of 3 endpoints: "+expired+" the certificate expired") || got.failing != 1 {
		t.Errorf("got %s, %d failing: %s", got.available, got.failing, got.message)
	}
	if got.valid.Status != metav1.ConditionFalse || got.valid.Reason != "Expired" {
		t.Errorf("the certificates are %s", got.valid.Reason)
	}
	if got.certificate.NotAfter.After(time.Now()) {
		t.Error("the certificate shown is not the one that expires first")
	}
}

func TestEachCallerJudgesByItsOwnBundle(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	target := testTarget(ours.pem, listen(t, "127.0.0.1:0", shaking(t, serving(ours.issue(t, nil)))))
	target.callers = append(target.callers, caller{resource: "r", object: "second", hook: "h", bundle: others.pem})
	got := probe(t, testDialer(), target)
	if got.available != metav1.ConditionTrue || !strings.Contains(got.message, "1 of 2 hooks do not trust the certificate") {
		t.Errorf("got %s: %s", got.available, got.message)
	}
	if got.callers[0].TrustedByCABundle != metav1.ConditionTrue || got.callers[1].TrustedByCABundle != metav1.ConditionFalse {
		t.Errorf("got %+v", got.callers)
	}
}

func TestSilenceTellsNothingWhereAPolicyMayKeepExtantOut(t *testing.T) {
	target := testTarget(nil, "10.0.0.1:443")
	target.mute = "a NetworkPolicy may"
	silent := map[string]answer{"10.0.0.1:443": {failure: connectFailure(context.DeadlineExceeded)}}
	if got := decide(target, silent, newJudges(), time.Now()); got.available != metav1.ConditionUnknown || !strings.Contains(got.message, "timed out; a NetworkPolicy may") {
		t.Errorf("got %s: %s", got.available, got.message)
	}
	target.mute = ""
	if got := decide(target, silent, newJudges(), time.Now()); got.available != metav1.ConditionFalse || got.reason != extant.BackendConnectFailed {
		t.Errorf("got %s: %s", got.available, got.message)
	}
}

func TestLocalAddressesAreNotCalledUnlessAllowed(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": true, "127.8.8.8": true, "::1": true, "169.254.169.254": true, "fe80::1": true, "::ffff:127.0.0.1": true, "::ffff:169.254.169.254": true,
		"64:ff9b::169.254.169.254": true, "0.0.0.0": true, "::": true, "224.0.0.1": true, "fd00:ec2::254": true, "100.100.100.200": true,
		"10.0.0.1": false, "192.168.1.1": false, "8.8.8.8": false, "fd00::1": false, "64:ff9b::8.8.8.8": false,
	} {
		if got := local(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
	called := make(chan struct{}, 1)
	address := listen(t, "127.0.0.1:0", func(net.Conn) { called <- struct{}{} })
	_, port, _ := net.SplitHostPort(address)
	d := testDialer()
	d.allowLocal = false
	// A name that means something local is no way around.
	d.resolver = names{"rebound.example.com.": {netip.MustParseAddr("10.255.255.1"), netip.MustParseAddr("127.0.0.1")}}
	for _, endpoint := range []string{address, "rebound.example.com:" + port, "localhost:" + port, "a.LocalHost.:" + port} {
		got := probe(t, d, testTarget(nil, endpoint))
		if got.available != metav1.ConditionUnknown || got.reason != extant.BackendNotProbed || !strings.Contains(got.message, "--probe-local-addresses") {
			t.Errorf("%s: %s %s: %s", endpoint, got.available, got.reason, got.message)
		}
	}
	select {
	case <-called:
		t.Error("it was called")
	default:
	}
}

// names is a resolver with the names of a test.
type names map[string][]netip.Addr

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	addresses, ok := n[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addresses, nil
}

func TestANameThatDoesNotExistIsNamedAndOneThatCannotBeResolvedIsUnknown(t *testing.T) {
	d := testDialer()
	d.resolver = names{}
	if got := probe(t, d, testTarget(nil, "nowhere.example.com:443")); got.available != metav1.ConditionFalse || !strings.Contains(got.message, "does not exist") {
		t.Errorf("got %s: %s", got.available, got.message)
	}
	if got := probe(t, d, testTarget(nil, "nowhere:443")); got.available != metav1.ConditionUnknown {
		t.Errorf("a name without a dot is %s: %s", got.available, got.message)
	}
	target := testTarget(nil, "a:1")
	late := map[string]answer{"a:1": {failure: connectFailure(&net.DNSError{IsTimeout: true})}}
	if got := decide(target, late, newJudges(), time.Now()); got.available != metav1.ConditionUnknown {
		t.Errorf("got %s: %s", got.available, got.message)
	}
}

func TestAHostileCertificateCannotMakeAStatusLarge(t *testing.T) {
	ours := newAuthority(t)
	hostile := ours.issue(t, func(c *x509.Certificate) {
		c.DNSNames = nil
		for i := range 1000 {
			c.DNSNames = append(c.DNSNames, fmt.Sprintf("%d.%s.example.com", i, strings.Repeat("x", 60)))
		}
		c.Subject.CommonName = strings.Repeat("\x1b[31mred\x00", 500)
	})
	got := probe(t, testDialer(), testTarget(ours.pem, listen(t, "127.0.0.1:0", shaking(t, serving(hostile)))))
	if got.available != metav1.ConditionFalse || got.certificate == nil {
		t.Fatalf("got %s: %s", got.available, got.message)
	}
	if n := len(got.certificate.DNSNames); n != maxNames {
		t.Errorf("%d names are kept", n)
	}
	if len(got.message) > 1000 || len(got.valid.Message) > 1000 || len(got.certificate.Issuer) > 1000 {
		t.Errorf("the message has %d bytes, the issuer %d", len(got.message), len(got.certificate.Issuer))
	}
	if strange := clean("a\x1b[31m\xff\u202eb", 100); strange != "a?[31m??b" {
		t.Errorf("%q", strange)
	}
	if long := clean(strings.Repeat("ä", 1000), 101); len(long) > 104 || !strings.HasSuffix(long, "…") {
		t.Errorf("%q", long)
	}
}

func TestAChainOfTooManyCertificatesIsRefused(t *testing.T) {
	ours := newAuthority(t)
	long := ours.issue(t, nil)
	for range maxChain {
		long.Certificate = append(long.Certificate, ours.certificate.Raw)
	}
	if got := probe(t, testDialer(), testTarget(ours.pem, listen(t, "127.0.0.1:0", shaking(t, serving(long))))); got.available != metav1.ConditionFalse || !strings.Contains(got.message, "too many certificates") {
		t.Errorf("got %s: %s", got.available, got.message)
	}
}

func TestAJudgementIsRememberedUntilACertificateEnds(t *testing.T) {
	ours := newAuthority(t)
	now := time.Now()
	certificate, err := x509.ParseCertificate(ours.issue(t, func(c *x509.Certificate) { c.NotAfter = now.Add(10 * time.Minute).Truncate(time.Second) }).Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	chain, c, judges := []*x509.Certificate{certificate}, &caller{bundle: ours.pem}, newJudges()
	for at, want := range map[time.Time]metav1.ConditionStatus{
		now: "True", now.Add(time.Minute): "True", certificate.NotAfter: "True", certificate.NotAfter.Add(time.Second): "False", now.Add(2 * time.Minute): "True",
	} {
		if got := judges.judge(chain, c, testName, at); got.status != want {
			t.Errorf("after %s: %s %s", at.Sub(now), got.status, got.words)
		}
	}
}
