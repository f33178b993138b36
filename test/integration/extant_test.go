package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/extant-project/extant/internal/pki"
	"github.com/extant-project/extant/test/controlplane"
)

const (
	namespace   = "extant-system"
	serviceName = "extant-apiserver"
	// identity is the user as whom Extant talks to the cluster. It has a
	// client certificate, and no rights but those of register.
	identity = "system:serviceaccount:" + namespace + ":" + serviceName
)

// extantServer is the process under test.
type extantServer struct {
	*controlplane.Process
	ca  *pki.KeyPair
	url string
	// port is the one that the APIService leads to.
	port int32
}

func newExtant(plane *controlplane.ControlPlane, etcd *controlplane.Etcd, dir, program string) (*extantServer, error) {
	user, err := plane.NewUser(identity, "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	if err != nil {
		return nil, err
	}
	s := &extantServer{}
	if s.ca, err = pki.NewAuthority("extant-ca", time.Now(), pki.AuthorityLifetime); err != nil {
		return nil, err
	}
	serving, err := s.ca.Issue(pki.Profile{
		CommonName: serviceName, DNSNames: []string{serviceName + "." + namespace + ".svc"},
		IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, time.Now())
	if err != nil {
		return nil, err
	}
	certificate, key, err := controlplane.WriteKeyPair(dir, "extant", serving)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return nil, err
	}
	s.port, s.url = int32(port), fmt.Sprintf("https://127.0.0.1:%d", port)
	s.Process = &controlplane.Process{
		Name: serviceName, Path: program, Dir: filepath.Clean(dir),
		Args: []string{
			"--kubeconfig=" + user.Kubeconfig,
			"--authentication-kubeconfig=" + user.Kubeconfig,
			"--authorization-kubeconfig=" + user.Kubeconfig,
			"--etcd-servers=" + etcd.Endpoint,
			"--bind-address=127.0.0.1",
			fmt.Sprintf("--secure-port=%d", port),
			"--tls-cert-file=" + certificate,
			"--tls-private-key-file=" + key,
			"--namespace=" + namespace,
		},
	}
	return s, nil
}

// client talks to Extant itself, past the aggregator, with a client
// certificate or none.
func (s *extantServer) client(certificates ...tls.Certificate) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(s.ca.Certificate)
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: certificates},
	}}
}

// get asks Extant itself, and returns the status code and the body.
func (s *extantServer) get(ctx context.Context, path string, headers http.Header, certificates ...tls.Certificate) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return 0, "", err
	}
	for name, values := range headers {
		request.Header[name] = values
	}
	response, err := s.client(certificates...).Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// waitReady waits until everything that /readyz checks is well.
func (s *extantServer) waitReady(ctx context.Context) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, pollInterval, time.Minute, true, func(ctx context.Context) (bool, error) {
		if !s.Running() {
			return false, errors.New("it ended")
		}
		code, body, err := s.get(ctx, "/readyz?verbose", nil)
		if err == nil && code != http.StatusOK {
			err = fmt.Errorf("%d: %s", code, body)
		}
		last = err
		return err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("Extant did not become ready: %w\n%s", errors.Join(err, last), s.Tail(20))
	}
	return nil
}
