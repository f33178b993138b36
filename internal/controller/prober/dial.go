package prober

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// answer is what one endpoint answered.
type answer struct {
	at   time.Time
	took time.Duration
	// failure is nil where the endpoint could be connected to and, for TLS,
	// presented a certificate.
	failure *failure
	// chain is the certificates that it presented, the server's own first.
	chain []*x509.Certificate
}

// dialer calls endpoints.
type dialer struct {
	// allowLocal lets addresses be called that local tells apart.
	allowLocal bool
	limit      *limiter
	resolver   interface {
		LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	}
}

// maxAddresses is how many addresses of one name are tried.
const maxAddresses = 4

// maxChain is how many certificates a server may present: more are an attempt to
// keep somebody busy.
const maxChain = 20

// call connects to an endpoint and shakes hands. It sends nothing.
func (d *dialer) call(ctx context.Context, t *target, endpoint string) (a answer) {
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		return answer{failure: connectFailure(err)}
	}
	release, err := d.limit.acquire(ctx, host)
	if err != nil {
		return answer{failure: connectFailure(err)}
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, t.timeout())
	defer cancel()
	start := time.Now()
	defer func() {
		if a.took == 0 {
			a.took = time.Since(start)
		}
	}()

	addresses, err := d.resolve(ctx, host)
	if err != nil {
		return answer{failure: connectFailure(err)}
	}
	if !d.allowLocal {
		for _, address := range addresses {
			if local(address) {
				return answer{failure: notCalled(endpoint)}
			}
		}
	}
	a, refused := d.try(ctx, t, addresses, port, cheapCurves)
	if refused {
		a, _ = d.try(ctx, t, addresses, port, nil)
	}
	return a
}

// cheapCurves is the key exchange that every TLS 1.3 server has and that costs
// least: the one that is preferred otherwise is a third of a probe. A server that
// refuses is asked again as kube-apiserver would.
var cheapCurves = []tls.CurveID{tls.CurveP256}

// try connects and shakes hands once. It tells whether the server refused what
// it was offered.
func (d *dialer) try(ctx context.Context, t *target, addresses []netip.Addr, port string, curves []tls.CurveID) (_ answer, refused bool) {
	start := time.Now()
	connection, err := connect(ctx, addresses, port)
	if err != nil {
		return answer{failure: connectFailure(err)}, false
	}
	defer connection.Close()
	if t.probe.Mode == extant.ProbeModeTCP {
		return answer{}, false
	}
	return shakeHands(ctx, connection, t, curves, start)
}

// resolve returns the addresses of a host. Each call connects to what it
// returned, so that a name cannot mean another address the second time. Names
// are absolute: the search path of Extant's pod is not that of the API server.
func (d *dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{address}, nil
	}
	if host = strings.ToLower(strings.TrimSuffix(host, ".")); host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
	}
	host += "."
	return d.resolver.LookupNetIP(ctx, "ip", host)
}

// connect tries the addresses in order, each for its share of the time.
func connect(ctx context.Context, addresses []netip.Addr, port string) (net.Conn, error) {
	if len(addresses) > maxAddresses {
		addresses = addresses[:maxAddresses]
	}
	failed := errors.New("the name has no address")
	for i, address := range addresses {
		dialer := net.Dialer{KeepAlive: -1} // it lasts for moments
		if deadline, ok := ctx.Deadline(); ok {
			dialer.Timeout = time.Until(deadline) / time.Duration(len(addresses)-i)
		}
		connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(address.Unmap().String(), port))
		if err == nil {
			return connection, nil
		}
		failed = err
	}
	return nil, failed
}

// shakeHands shakes hands as kube-apiserver does, but reads the certificate
// whoever signed it: each caller judges it by its own bundle. Start is when the
// connection was begun.
func shakeHands(ctx context.Context, connection net.Conn, t *target, curves []tls.CurveID, start time.Time) (_ answer, refused bool) {
	asked := false
	config := &tls.Config{
		ServerName: t.serverName,
		NextProtos: t.protocols,
		MinVersion: tls.VersionTLS12,

		CurvePreferences: curves,
		// The certificate is judged by the bundles of the callers, in judge.
		InsecureSkipVerify: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return &tls.Certificate{}, nil
		},
	}
	client := tls.Client(connection, config)
	err := client.HandshakeContext(ctx)
	chain := client.ConnectionState().PeerCertificates
	if err != nil {
		return answer{failure: handshakeFailure(err, asked)}, curves != nil && !isTimeout(err)
	}
	if len(chain) > maxChain {
		return answer{failure: &failure{reason: extant.BackendTLSFailed, result: "handshake", words: "it presents too many certificates"}}, false
	}
	a := answer{chain: chain, took: time.Since(start)}
	if asked {
		a.failure = refusedUs(client, a.took)
	}
	return a, false
}

// afterthought is how long a server is given to say that it wanted a
// certificate: in TLS 1.3 that comes after the handshake, and only then.
const afterthought = 250 * time.Millisecond

// refusedUs waits for what a server says that asked for a certificate. Most do
// without, and say nothing.
func refusedUs(client *tls.Conn, took time.Duration) *failure {
	if err := client.SetReadDeadline(time.Now().Add(max(afterthought, 2*took))); err != nil {
		return handshakeFailure(err, true)
	}
	if _, err := client.Read(make([]byte, 1)); err != nil && !isTimeout(err) {
		return handshakeFailure(err, true)
	}
	return nil
}
