package observe

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// messageOf says for people why a request failed. The same failure is said in
// the same words every time, without the ports, addresses and clock times that
// an error has: a Gap changes when its reason changes.
func messageOf(err error) string {
	var (
		status  apierrors.APIStatus
		errno   syscall.Errno
		lookup  *net.DNSError
		network net.Error
		expired x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
	)
	switch {
	case errors.As(err, &status):
		return statusMessage(status.Status())
	case errors.As(err, &errno):
		return "the API server cannot be reached: " + errno.Error()
	case errors.As(err, &lookup):
		return "the API server cannot be reached: there is no host " + lookup.Name
	case errors.As(err, &expired):
		return "the API server cannot be trusted: its certificate is not valid now or not for serving"
	case errors.As(err, &unknown):
		return "the API server cannot be trusted: its certificate is signed by an unknown authority"
	case errors.As(err, &host):
		return "the API server cannot be trusted: its certificate is for another host"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "the API server does not answer in time"
	default:
		return innermost(err).Error()
	}
}

// statusMessage is what the API server says, where it says anything.
func statusMessage(status metav1.Status) string {
	if status.Message != "" && status.Message != "unknown" {
		return status.Message
	}
	return fmt.Sprintf("the API server answers %d %s", status.Code, http.StatusText(int(status.Code)))
}

// innermost leaves out the layers that add the address and the URL.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
