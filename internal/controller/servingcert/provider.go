package servingcert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/klog/v2"

	"github.com/extant-project/extant/internal/pki"
)

// provider holds what the server presents at the moment.
type provider struct {
	mu sync.RWMutex
	// certificate and key are PEM. They are replaced, never changed.
	certificate, key []byte
	// shared is true once the certificate is the Secret's.
	shared    bool
	listeners []dynamiccertificates.Listener
}

// newProvider starts with a certificate that nobody trusts, so that probes are
// answered while the cluster cannot be reached.
func newProvider(c *Config) (*provider, error) {
	now := c.Clock.Now()
	authority, err := pki.NewAuthority(c.SecretName+"-placeholder", now, c.CertificateLifetime)
	if err != nil {
		return nil, err
	}
	leaf, err := authority.Issue(c.profile(), now)
	if err != nil {
		return nil, err
	}
	key, err := leaf.KeyPEM()
	if err != nil {
		return nil, err
	}
	return &provider{certificate: leaf.CertificatePEM(), key: key}, nil
}

// present makes the server present another certificate for new connections.
func (p *provider) present(ctx context.Context, leaf *pki.KeyPair) error {
	key, err := leaf.KeyPEM()
	if err != nil {
		return fmt.Errorf("could not present the serving certificate: %w", err)
	}
	certificate := leaf.CertificatePEM()
	p.mu.Lock()
	same := bytes.Equal(p.certificate, certificate) && bytes.Equal(p.key, key)
	p.certificate, p.key, p.shared = certificate, key, true
	listeners := slices.Clone(p.listeners)
	p.mu.Unlock()
	if same {
		return nil
	}
	klog.FromContext(ctx).Info("Presenting another serving certificate", "issuer", leaf.Certificate.Issuer.CommonName, "notAfter", leaf.Certificate.NotAfter.Format(time.RFC3339))
	for _, listener := range listeners {
		listener.Enqueue()
	}
	return nil
}

// CurrentCertKeyContent is what the server presents, as PEM.
func (c *Controller) CurrentCertKeyContent() (certificate, key []byte) {
	c.provider.mu.RLock()
	defer c.provider.mu.RUnlock()
	return c.provider.certificate, c.provider.key
}

// AddListener is told when the server is to present another certificate.
func (c *Controller) AddListener(listener dynamiccertificates.Listener) {
	c.provider.mu.Lock()
	defer c.provider.mu.Unlock()
	c.provider.listeners = append(c.provider.listeners, listener)
}

// Name names the certificate in the server's logs, and the health check.
func (c *Controller) Name() string {
	return "serving-certificate"
}

// Check fails until the server presents the certificate that all replicas
// share, and never again: kube-aggregator could not verify another one.
func (c *Controller) Check(*http.Request) error {
	c.provider.mu.RLock()
	defer c.provider.mu.RUnlock()
	if !c.provider.shared {
		return errors.New("the serving certificate has not been read yet")
	}
	return nil
}
