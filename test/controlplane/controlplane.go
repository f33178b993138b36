// Package controlplane runs a real Kubernetes control plane for tests, as child
// processes on loopback: etcd, kube-apiserver with its aggregator, the Node
// authorizer and RBAC and, when asked for, kube-controller-manager and
// kube-scheduler. There are no nodes, and no pod ever runs: a test that wants
// them plays them itself. Its programs are those of hack/control-plane.sh, its
// certificates those of internal/pki.
package controlplane

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
)

// FrontProxyName is the name by which kube-aggregator presents itself.
const FrontProxyName = "front-proxy-client"

// Options say what is started.
type Options struct {
	// Assets is the directory with the programs: see Assets.
	Assets string
	// Dir has the data, the certificates and the logs.
	Dir string
	// ControllerManager starts kube-controller-manager as well, without which
	// no namespace is ever deleted.
	ControllerManager bool
	// Pods starts all that makes pods and brings them to nodes: every controller
	// of kube-controller-manager, and kube-scheduler.
	Pods bool
	// APIServerArgs are added to the command line of kube-apiserver.
	APIServerArgs []string
}

// ControlPlane is a running control plane.
type ControlPlane struct {
	// Etcd is the etcd of kube-apiserver.
	Etcd *Etcd
	// APIServer is kube-apiserver.
	APIServer *Process
	// ControllerManager is kube-controller-manager, if it was asked for.
	ControllerManager *Process
	// Scheduler is kube-scheduler, if it was asked for.
	Scheduler *Process
	// URL is where kube-apiserver answers.
	URL string
	// Admin is in system:masters.
	Admin *User
	// FrontProxyCA signed the certificate of kube-aggregator.
	FrontProxyCA *pki.KeyPair

	dir                 string
	assets              string
	clientCA, servingCA *pki.KeyPair
}

// readiness is how long each process may take to answer.
const readiness = 90 * time.Second

// Start starts a control plane and waits until it is ready. What was started
// before an error is stopped.
func Start(ctx context.Context, options Options) (_ *ControlPlane, err error) {
	c := &ControlPlane{dir: options.Dir, assets: options.Assets}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Stop())
		}
	}()
	for _, authority := range []struct {
		name string
		to   **pki.KeyPair
	}{{"client-ca", &c.clientCA}, {"serving-ca", &c.servingCA}, {"front-proxy-ca", &c.FrontProxyCA}} {
		if *authority.to, err = pki.NewAuthority(authority.name, time.Now(), pki.AuthorityLifetime); err != nil {
			return nil, err
		}
	}
	if c.Etcd, err = StartEtcd(ctx, options.Assets, options.Dir, "etcd"); err != nil {
		return nil, err
	}
	if err := c.startAPIServer(ctx, options.APIServerArgs); err != nil {
		return nil, err
	}
	if options.ControllerManager || options.Pods {
		if err := c.startControllerManager(options.Pods); err != nil {
			return nil, err
		}
	}
	if options.Pods {
		if err := c.startScheduler(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Stop stops every process, the newest first.
func (c *ControlPlane) Stop() error {
	var errs []error
	for _, process := range []*Process{c.Scheduler, c.ControllerManager, c.APIServer} {
		if process != nil {
			errs = append(errs, process.Stop())
		}
	}
	if c.Etcd != nil {
		errs = append(errs, c.Etcd.Stop())
	}
	return errors.Join(errs...)
}

// Program is the path of one of the programs, such as kubectl.
func (c *ControlPlane) Program(name string) string {
	return filepath.Join(c.assets, name)
}

func (c *ControlPlane) startAPIServer(ctx context.Context, more []string) error {
	ports, err := FreePorts(1)
	if err != nil {
		return err
	}
	c.URL = fmt.Sprintf("https://127.0.0.1:%d", ports[0])
	args := []string{
		"--etcd-servers=" + c.Etcd.Endpoint,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		// Endpoints must not be on loopback, and nobody asks for these.
		"--endpoint-reconciler-type=none",
		fmt.Sprintf("--secure-port=%d", ports[0]),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--authorization-mode=Node,RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--requestheader-allowed-names=" + FrontProxyName,
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--shutdown-watch-termination-grace-period=1s",
	}
	certificates, err := c.apiServerCertificates()
	if err != nil {
		return err
	}
	c.APIServer = &Process{
		Name: "kube-apiserver", Path: c.Program("kube-apiserver"), Dir: c.dir,
		Args: append(append(args, certificates...), more...),
	}
	if err := c.APIServer.Start(); err != nil {
		return err
	}
	if c.Admin, err = c.NewUser("admin", "system:masters"); err != nil {
		return err
	}
	client := c.httpClient()
	return waitFor(ctx, c.APIServer, func(ctx context.Context) error {
		return get(ctx, client, c.URL+"/readyz")
	})
}

// apiServerCertificates writes what kube-apiserver presents and believes, and
// returns the flags.
func (c *ControlPlane) apiServerCertificates() ([]string, error) {
	serving, err := c.servingCA.Issue(pki.Profile{
		CommonName: "kube-apiserver", DNSNames: []string{"localhost", "kubernetes.default.svc"},
		IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, time.Now())
	if err != nil {
		return nil, err
	}
	proxy, err := c.FrontProxyCA.Issue(pki.Profile{
		CommonName: FrontProxyName, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, time.Now())
	if err != nil {
		return nil, err
	}
	var flags []string
	for _, pair := range []struct {
		name, certificateFlag, keyFlag string
		pair                           *pki.KeyPair
	}{
		{"apiserver", "tls-cert-file", "tls-private-key-file", serving},
		{"front-proxy-client", "proxy-client-cert-file", "proxy-client-key-file", proxy},
		{"client-ca", "client-ca-file", "", c.clientCA},
		{"front-proxy-ca", "requestheader-client-ca-file", "", c.FrontProxyCA},
		{"serving-ca", "", "", c.servingCA},
		// Any key will do to sign service accounts' tokens.
		{"service-account", "service-account-key-file", "service-account-signing-key-file", serving},
	} {
		certificate, key, err := WriteKeyPair(c.dir, pair.name, pair.pair)
		if err != nil {
			return nil, err
		}
		if pair.certificateFlag != "" {
			flags = append(flags, "--"+pair.certificateFlag+"="+certificate)
		}
		if pair.keyFlag != "" {
			flags = append(flags, "--"+pair.keyFlag+"="+key)
		}
	}
	return flags, nil
}

func (c *ControlPlane) httpClient() *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(c.servingCA.Certificate)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return err
}

// waitFor waits until a process answers. One that ended never will.
func waitFor(ctx context.Context, process *Process, answers func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, readiness, true, func(ctx context.Context) (bool, error) {
		if !process.Running() {
			return false, errors.New("it ended")
		}
		limited, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		last = answers(limited)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("%s did not become ready: %w\n%s", process.Name, errors.Join(err, last), process.Tail(20))
	}
	return nil
}
