package nodeagent

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

const (
	// fieldManager owns what the agent applies.
	fieldManager = "extant-node-agent"
	// writeTimeout is how long a write may take.
	writeTimeout = 30 * time.Second
	// maxAnswer is how much of an answer is read, in bytes.
	maxAnswer = 64 << 10
)

// API is where reports are written. The clients of client-go would be more
// memory than all of the agent has; one request an hour needs none of what they
// do.
type API struct {
	// Server is the URL of the API server.
	Server string
	// Credentials are read anew for each request, since they expire and change.
	Credentials func() (Credentials, error)
}

// Credentials are how the API server is told from others, and the agent to it.
type Credentials struct {
	// Authority are the certificates that the server's is signed by, in PEM.
	Authority []byte
	// Token is a bearer token, or empty.
	Token string
	// Certificate and Key are a client certificate in PEM, or empty.
	Certificate, Key []byte
}

// Apply writes the report.
func (a *API) Apply(ctx context.Context, report *v1alpha1.NodePluginReport) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	body, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("could not encode the report: %w", err)
	}
	credentials, err := a.Credentials()
	if err != nil {
		return fmt.Errorf("could not read the credentials: %w", err)
	}
	transport, err := credentials.transport()
	if err != nil {
		return fmt.Errorf("could not use the credentials: %w", err)
	}
	defer transport.CloseIdleConnections()
	// Only what the agent knows is in the report, and what others wrote there
	// before it came is out of date.
	at := fmt.Sprintf("%s/apis/%s/nodepluginreports/%s?fieldManager=%s&force=true",
		strings.TrimRight(a.Server, "/"), v1alpha1.SchemeGroupVersion, url.PathEscape(report.Name), fieldManager)
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, at, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("could not ask: %w", err)
	}
	request.Header.Set("Content-Type", string(types.ApplyYAMLPatchType))
	request.Header.Set("Accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json")
	request.Header.Set("User-Agent", fieldManager)
	if credentials.Token != "" {
		request.Header.Set("Authorization", "Bearer "+credentials.Token)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("could not write the report: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusCreated {
		return nil
	}
	if err != nil {
		return fmt.Errorf("could not write the report: HTTP status %d: %w", response.StatusCode, err)
	}
	return fmt.Errorf("could not write the report: %w", refusal(response.StatusCode, answer))
}

// refusal is what a server says when it does not do what it was asked for.
func refusal(code int, answer []byte) error {
	var status metav1.Status
	if json.Unmarshal(answer, &status) == nil && status.Message != "" {
		return fmt.Errorf("%s (HTTP status %d)", status.Message, code)
	}
	return fmt.Errorf("HTTP status %d", code)
}

func (c Credentials) transport() (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(c.Authority) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(c.Authority) {
			return nil, errors.New("there is no certificate of an authority")
		}
	}
	if len(c.Certificate) > 0 {
		pair, err := tls.X509KeyPair(c.Certificate, c.Key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &http.Transport{TLSClientConfig: config, Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: maxAnswer}, nil
}

// serviceAccount is where a pod finds its token and the API server's authority.
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

// inCluster is the API server of the cluster that the agent runs in.
func inCluster(tokenFile, authorityFile string) (*API, error) {
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return nil, errors.New("this is no pod of a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; --kubeconfig names another one")
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	tokenFile, authorityFile = cmp.Or(tokenFile, serviceAccount+"/token"), cmp.Or(authorityFile, serviceAccount+"/ca.crt")
	return &API{Server: "https://" + host + ":" + port, Credentials: func() (Credentials, error) {
		token, err := os.ReadFile(tokenFile)
		if err != nil {
			return Credentials{}, err
		}
		authority, err := os.ReadFile(authorityFile)
		return Credentials{Authority: authority, Token: strings.TrimSpace(string(token))}, err
	}}, nil
}
