package pki

import (
	"crypto/x509"
	"fmt"
	"net"
)

// The Secrets that hold what the etcd cluster and its client present. All hold
// what a Secret of type kubernetes.io/tls does, and all but the authority's also
// the authority's certificate, so that no pod mounts the authority's key.
const (
	EtcdAuthoritySecret = "extant-etcd-ca"
	EtcdServerSecret    = "extant-etcd-server"
	EtcdPeerSecret      = "extant-etcd-peer"
	EtcdClientSecret    = "extant-etcd-client"
)

// Etcd describes the etcd cluster that certificates are issued for.
type Etcd struct {
	// Namespace is where the cluster runs and its Secrets are.
	Namespace string
	// Service is the headless Service, and the StatefulSet, of the members.
	Service string
	// Members is how many members may dial each other. A larger number than
	// there are is harmless.
	Members int
}

// secretProfile is the certificate that a Secret holds.
type secretProfile struct {
	secret  string
	profile Profile
}

// profiles are the certificates of the cluster. Names end at ".svc", because
// the cluster's domain is not ours to know. The server's and the peers'
// certificates are also good for clients: a member dials itself with the one
// and the others with the other. Members accept only the peers' common name
// from each other, so that a client of the cluster never joins it.
func (e Etcd) profiles() []secretProfile {
	both := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	return []secretProfile{
		{EtcdServerSecret, Profile{CommonName: EtcdServerSecret, DNSNames: e.serverNames(), IPs: loopback(), Usages: both}},
		{EtcdPeerSecret, Profile{CommonName: EtcdPeerSecret, DNSNames: e.memberNames(), Usages: both}},
		{EtcdClientSecret, Profile{CommonName: EtcdClientSecret, Usages: both[1:]}},
	}
}

func (e Etcd) memberNames() []string {
	names := make([]string, 0, e.Members)
	for member := range e.Members {
		names = append(names, fmt.Sprintf("%s-%d.%s.%s.svc", e.Service, member, e.Service, e.Namespace))
	}
	return names
}

func (e Etcd) serverNames() []string {
	return append(e.memberNames(), fmt.Sprintf("%s.%s.svc", e.Service, e.Namespace), "localhost")
}

func loopback() []net.IP {
	return []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
}
