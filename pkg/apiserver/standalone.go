package apiserver

import (
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/authentication/authenticatorfactory"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/authorization/path"
	"k8s.io/apiserver/pkg/authorization/union"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/pki"
)

const (
	// adminUser and adminGroup are whom the standalone kubeconfig stands for.
	// Not system:masters: this identity is worth nothing in any other cluster.
	adminUser  = "extant-admin"
	adminGroup = "extant:admins"
	// standaloneContext names the context of the kubeconfig.
	standaloneContext = "extant-standalone"
)

func (o *StandaloneOptions) certificates() (*pki.Directory, error) {
	return pki.OpenDirectory(filepath.Join(o.DataDir, "pki"), "extant-standalone-ca", clock.RealClock{})
}

// logFile is where a standalone server logs, so that the terminal is for what
// people read.
func (o *StandaloneOptions) logFile() string {
	return filepath.Join(o.DataDir, "extant.log")
}

// diskSpace watches over the disk of the data directory; nil: there is none.
func (o *StandaloneOptions) diskSpace() *diskSpace {
	if !o.Enabled {
		return nil
	}
	return &diskSpace{dir: o.DataDir, reserve: o.DataReserve, free: freeBytes}
}

// issueServingCertificate makes the certificate for loopback, unless one was
// given.
func (o *StandaloneOptions) issueServingCertificate(serving *genericoptions.SecureServingOptionsWithLoopback) error {
	if serving.ServerCert.CertKey.CertFile != "" {
		return nil
	}
	directory, err := o.certificates()
	if err != nil {
		return err
	}
	if _, err := directory.Certificate("serving", pki.Profile{
		CommonName: "extant-standalone",
		DNSNames:   []string{"localhost"},
		IPs:        []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		Usages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}); err != nil {
		return err
	}
	files := directory.Files("serving")
	serving.ServerCert.CertKey.CertFile, serving.ServerCert.CertKey.KeyFile = files.CertFile, files.KeyFile
	return nil
}

// secure makes the server trust client certificates of its own authority, and
// nobody else but for health and version.
func (o *StandaloneOptions) secure(config *genericapiserver.Config) error {
	directory, err := o.certificates()
	if err != nil {
		return err
	}
	authority, err := dynamiccertificates.NewDynamicCAContentFromFile("standalone-ca", directory.Files("ca").CertFile)
	if err != nil {
		return err
	}
	authentication := authenticatorfactory.DelegatingAuthenticatorConfig{
		Anonymous:                          &apiserver.AnonymousAuthConfig{Enabled: true},
		ClientCertificateCAContentProvider: authority,
	}
	config.Authentication.Authenticator, _, err = authentication.New()
	if err != nil {
		return err
	}
	if err := config.Authentication.ApplyClientCert(authority, config.SecureServing); err != nil {
		return err
	}
	public, err := path.NewAuthorizer(publicPaths)
	if err != nil {
		return err
	}
	config.Authorization.Authorizer, err = unionOf(authorizerfactory.NewPrivilegedGroups(user.SystemPrivilegedGroup, adminGroup), public)
	return err
}

func unionOf(privileged, public authorizer.Authorizer) (authorizer.Authorizer, error) {
	return union.New(
		union.NamedAuthorizer{AuthorizerName: "extant.dev/privileged-groups", Authorizer: privileged},
		union.NamedAuthorizer{AuthorizerName: "extant.dev/public-paths", Authorizer: public},
	)
}

// writeKubeconfig writes the admin kubeconfig for a server at that address.
func (o *StandaloneOptions) writeKubeconfig(address net.Addr) error {
	directory, err := o.certificates()
	if err != nil {
		return err
	}
	admin, err := directory.Certificate("admin", pki.Profile{
		CommonName: adminUser,
		Groups:     []string{adminGroup},
		Usages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return err
	}
	key, err := admin.KeyPEM()
	if err != nil {
		return err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters[standaloneContext] = &clientcmdapi.Cluster{
		Server:                   "https://" + address.String(),
		CertificateAuthorityData: directory.Authority().CertificatePEM(),
	}
	config.AuthInfos[adminUser] = &clientcmdapi.AuthInfo{ClientCertificateData: admin.CertificatePEM(), ClientKeyData: key}
	config.Contexts[standaloneContext] = &clientcmdapi.Context{Cluster: standaloneContext, AuthInfo: adminUser}
	config.CurrentContext = standaloneContext

	content, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	// Renamed into place: whoever waits for the file reads all of it.
	temporary := o.KubeconfigOut + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return fmt.Errorf("could not write the kubeconfig: %w", err)
	}
	if err := os.Rename(temporary, o.KubeconfigOut); err != nil {
		return fmt.Errorf("could not write the kubeconfig: %w", err)
	}
	return nil
}
