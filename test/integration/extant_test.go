package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/extant-project/extant/test/controlplane"
)

const (
	namespace   = "extant-system"
	serviceName = "extant-apiserver"
	// identity is the user as whom Extant talks to the cluster.
	identity = "system:serviceaccount:" + namespace + ":" + serviceName
)

// extantServer is the process under test: the pod of the Deployment, whose
// ServiceAccount it has.
type extantServer struct {
	*controlplane.Process
	// user is that of the ServiceAccount.
	user *controlplane.User
	kube kubernetes.Interface
	url  string
	// port is the one that the APIService leads to.
	port int32
}

func (e *environment) newExtant(ctx context.Context) (*extantServer, error) {
	client, err := kubernetes.NewForConfig(e.plane.Admin.Config)
	if err != nil {
		return nil, err
	}
	deployment, err := client.AppsV1().Deployments(namespace).Get(ctx, serviceName, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	pod := deployment.Spec.Template.Spec
	s := &extantServer{kube: client}
	if s.user, err = e.serviceAccount(ctx, pod.ServiceAccountName); err != nil {
		return nil, err
	}
	args, err := e.commandLine(ctx, pod, serviceName)
	if err != nil {
		return nil, err
	}
	ports, err := controlplane.FreePorts(1)
	if err != nil {
		return nil, err
	}
	s.port, s.url = int32(ports[0]), fmt.Sprintf("https://127.0.0.1:%d", ports[0])
	s.Process = &controlplane.Process{
		Name: serviceName, Path: e.program, Dir: e.dir,
		Args: override(args,
			// What a pod has from its network and its ServiceAccount.
			"--bind-address=127.0.0.1",
			fmt.Sprintf("--secure-port=%d", s.port),
			"--etcd-servers="+strings.Join(e.etcd.endpoints(), ","),
			"--kubeconfig="+s.user.Kubeconfig,
			"--authentication-kubeconfig="+s.user.Kubeconfig,
			"--authorization-kubeconfig="+s.user.Kubeconfig,
			// Tests restart it often, and nobody is told to go elsewhere.
			"--shutdown-delay-duration=0s",
		),
	}
	return s, nil
}

// client talks to Extant itself, past the aggregator, with a client
// certificate or none. It believes the certificate that Extant manages.
func (s *extantServer) client(ctx context.Context, certificates ...tls.Certificate) (*http.Client, error) {
	secret, err := s.kube.CoreV1().Secrets(namespace).Get(ctx, "extant-serving-cert", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(secret.Data["ca.crt"])
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: certificates, ServerName: serviceName + "." + namespace + ".svc"},
	}}, nil
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
	client, err := s.client(ctx, certificates...)
	if err != nil {
		return 0, "", err
	}
	response, err := client.Do(request)
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
