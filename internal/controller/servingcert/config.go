package servingcert

import (
	"cmp"
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"k8s.io/utils/clock"
)

// The names that the manifests know.
const (
	DefaultSecretName     = "extant-serving-cert"
	DefaultAPIServiceName = "v1alpha1.extant.dev"
)

// fieldManager owns spec.caBundle of the APIService.
const fieldManager = "extant-serving-cert"

// APIServices is what is done with the APIService. It is the generated client's.
type APIServices interface {
	Get(ctx context.Context, name string, options metav1.GetOptions) (*apiregistrationv1.APIService, error)
	Patch(ctx context.Context, name string, patchType types.PatchType, data []byte, options metav1.PatchOptions, subresources ...string) (*apiregistrationv1.APIService, error)
}

// Config is what a Controller is made of.
type Config struct {
	// Client reaches the host cluster. Of it, the one Secret is read, watched
	// and updated; it must exist, and may be empty.
	Client kubernetes.Interface
	// APIServices reaches the APIServices of the host cluster.
	APIServices APIServices
	// Namespace and Service name the Service that the APIService refers to. The
	// Secret is in that namespace.
	Namespace string
	Service   string

	// SecretName defaults to DefaultSecretName.
	SecretName string
	// APIServiceName defaults to DefaultAPIServiceName.
	APIServiceName string
	// Propagation is how long every API server of the host cluster is given to
	// see a changed caBundle before a certificate needs it. Defaults to 5
	// minutes; their informers take about a second.
	Propagation time.Duration
	// Resync is how often the APIService is looked at. Defaults to 1 minute.
	Resync time.Duration
	// CertificateLifetime is how long a serving certificate is valid. It is
	// renewed at two thirds. Defaults to 90 days.
	CertificateLifetime time.Duration
	// AuthorityLifetime is how long an authority is valid. It is rotated at two
	// thirds. Defaults to 2 years.
	AuthorityLifetime time.Duration
	// Clock defaults to the real one.
	Clock clock.WithTicker
}

const day = 24 * time.Hour

// complete fills in the defaults.
func (c Config) complete() (Config, error) {
	if c.Client == nil || c.APIServices == nil {
		return c, errors.New("the serving certificate needs clients of the host cluster")
	}
	if c.Namespace == "" || c.Service == "" {
		return c, errors.New("the serving certificate needs the namespace and the name of Extant's service")
	}
	c.SecretName = cmp.Or(c.SecretName, DefaultSecretName)
	c.APIServiceName = cmp.Or(c.APIServiceName, DefaultAPIServiceName)
	c.Propagation = cmp.Or(c.Propagation, 5*time.Minute)
	c.Resync = cmp.Or(c.Resync, time.Minute)
	c.CertificateLifetime = cmp.Or(c.CertificateLifetime, 90*day)
	c.AuthorityLifetime = cmp.Or(c.AuthorityLifetime, 2*365*day)
	if c.AuthorityLifetime < 3*c.CertificateLifetime {
		return c, errors.New("an authority must live three times as long as a serving certificate, so that none is cut short by a rotation")
	}
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	return c, nil
}

// dnsNames are the names of the Service. kube-aggregator verifies the first.
func (c *Config) dnsNames() []string {
	inNamespace := c.Service + "." + c.Namespace
	return []string{inNamespace + ".svc", inNamespace, c.Service}
}
