package apiserver

import (
	"fmt"
	"net"

	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	aggregator "k8s.io/kube-aggregator/pkg/client/clientset_generated/clientset"

	"github.com/extant-project/extant/internal/controller/servingcert"
)

// prepareServingCertificate makes a self-signed certificate where none is
// given and none is managed, as every server of the library does. It serves
// who asks directly; kube-aggregator wants one that a caBundle vouches for.
func (o *Options) prepareServingCertificate() error {
	if o.ServingCertificate.Managed {
		return nil
	}
	host := fmt.Sprintf("%s.%s.svc", o.ServingCertificate.Service, o.ServingCertificate.Namespace)
	return o.Recommended.SecureServing.MaybeDefaultWithSelfSignedCerts("localhost", []string{host}, []net.IP{net.IPv4(127, 0, 0, 1)})
}

// manage makes the server serve the certificate that the controller issues
// and rotates. The library runs the controller with the listener.
func (o *ServingCertificateOptions) manage(serving *genericapiserver.SecureServingInfo, host *rest.Config) error {
	if !o.Managed || serving.Cert != nil {
		return nil
	}
	client, err := kubernetes.NewForConfig(host)
	if err != nil {
		return err
	}
	apiServices, err := aggregator.NewForConfig(host)
	if err != nil {
		return err
	}
	controller, err := servingcert.New(servingcert.Config{
		Client:      client,
		APIServices: apiServices.ApiregistrationV1().APIServices(),
		Namespace:   o.Namespace,
		Service:     o.Service,
	})
	if err != nil {
		return fmt.Errorf("could not manage the serving certificate: %w", err)
	}
	serving.Cert = controller
	return nil
}
