package controlplane

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/extant-project/extant/internal/pki"
)

// User is somebody whom the control plane knows.
type User struct {
	// Config is how the user talks to the API server.
	Config *rest.Config
	// Kubeconfig is a file that says the same.
	Kubeconfig string
}

// NewUser issues a client certificate. What the user may do is up to RBAC.
func (c *ControlPlane) NewUser(name string, groups ...string) (*User, error) {
	issued, err := c.clientCA.Issue(pki.Profile{
		CommonName: name, Groups: groups, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, time.Now())
	if err != nil {
		return nil, err
	}
	key, err := issued.KeyPEM()
	if err != nil {
		return nil, err
	}
	user := &User{
		Config: &rest.Config{
			Host: c.URL,
			TLSClientConfig: rest.TLSClientConfig{
				CAData: c.servingCA.CertificatePEM(), CertData: issued.CertificatePEM(), KeyData: key,
			},
			QPS: -1,
		},
		Kubeconfig: c.kubeconfigFile(name),
	}
	return user, clientcmd.WriteToFile(*kubeconfig(user.Config), user.Kubeconfig)
}

// WithToken is somebody whom the control plane knows by a bearer token.
func (c *ControlPlane) WithToken(name, token string) (*User, error) {
	user := &User{
		Config: &rest.Config{
			Host: c.URL, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAData: c.servingCA.CertificatePEM()}, QPS: -1,
		},
		Kubeconfig: c.kubeconfigFile(name),
	}
	return user, clientcmd.WriteToFile(*kubeconfig(user.Config), user.Kubeconfig)
}

func (c *ControlPlane) kubeconfigFile(user string) string {
	return filepath.Join(c.dir, strings.ReplaceAll(user, ":", "-")+".kubeconfig")
}

func kubeconfig(config *rest.Config) *clientcmdapi.Config {
	const name = "test"
	file := clientcmdapi.NewConfig()
	file.Clusters[name] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	file.AuthInfos[name] = &clientcmdapi.AuthInfo{ClientCertificateData: config.CertData, ClientKeyData: config.KeyData, Token: config.BearerToken}
	file.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	file.CurrentContext = name
	return file
}

// WriteKeyPair writes a certificate and its key as <name>.crt and <name>.key.
func WriteKeyPair(dir, name string, pair *pki.KeyPair) (certificate, key string, err error) {
	encoded, err := pair.KeyPEM()
	if err != nil {
		return "", "", err
	}
	certificate, key = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	if err := os.WriteFile(certificate, pair.CertificatePEM(), 0o600); err != nil {
		return "", "", fmt.Errorf("could not write certificate of %s: %w", name, err)
	}
	if err := os.WriteFile(key, encoded, 0o600); err != nil {
		return "", "", fmt.Errorf("could not write key of %s: %w", name, err)
	}
	return certificate, key, nil
}
