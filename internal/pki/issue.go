package pki

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

const (
	// AuthorityLifetime is how long an authority is valid.
	AuthorityLifetime = 10 * 365 * 24 * time.Hour
	// CertificateLifetime is how long a certificate is valid, unless its
	// profile says otherwise or its authority ends before.
	CertificateLifetime = 365 * 24 * time.Hour

	// skew is how far a certificate is dated back, because the clock of who
	// checks it may be behind.
	skew = 5 * time.Minute
)

// Profile is what a certificate says. A certificate that says something else
// is issued anew.
type Profile struct {
	// CommonName is the user that a client certificate stands for, or a name
	// for people on a serving certificate.
	CommonName string
	// Groups are the groups of that user.
	Groups []string
	// DNSNames and IPs are the hosts that a serving certificate stands for.
	DNSNames []string
	IPs      []net.IP
	// Usages is ServerAuth, ClientAuth or both.
	Usages []x509.ExtKeyUsage
	// Lifetime defaults to CertificateLifetime.
	Lifetime time.Duration
}

// NewAuthority makes a self-signed certificate authority.
func NewAuthority(commonName string, now time.Time, lifetime time.Duration) (*KeyPair, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	return selfSign(commonName, key, now, lifetime)
}

// RenewAuthority gives an authority a new certificate for the name and key that
// it has. What it signed before is valid under the new certificate, and what it
// signs from now on under the old one, so nobody has to be told at once.
func RenewAuthority(authority *KeyPair, now time.Time, lifetime time.Duration) (*KeyPair, error) {
	key, ok := authority.Key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("authority %q has a key of type %T and cannot be renewed", authority.Certificate.Subject.CommonName, authority.Key)
	}
	return selfSign(authority.Certificate.Subject.CommonName, key, now, lifetime)
}

// Issue makes a certificate and its key. It ends no later than the authority.
func (p *KeyPair) Issue(profile Profile, now time.Time) (*KeyPair, error) {
	if !p.Certificate.IsCA {
		return nil, fmt.Errorf("certificate %q is no authority", p.Certificate.Subject.CommonName)
	}
	if !now.Before(p.Certificate.NotAfter) {
		return nil, fmt.Errorf("authority %q ended at %s", p.Certificate.Subject.CommonName, p.Certificate.NotAfter.Format(time.RFC3339))
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	notAfter := now.Add(cmp.Or(profile.Lifetime, CertificateLifetime))
	if notAfter.After(p.Certificate.NotAfter) {
		notAfter = p.Certificate.NotAfter
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: profile.CommonName, Organization: profile.Groups},
		DNSNames:              profile.DNSNames,
		IPAddresses:           profile.IPs,
		NotBefore:             now.Add(-skew).UTC(),
		NotAfter:              notAfter.UTC(),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           profile.Usages,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.Certificate, key.Public(), p.Key)
	if err != nil {
		return nil, fmt.Errorf("could not sign certificate %q: %w", profile.CommonName, err)
	}
	return parseIssued(der, key)
}

// Says tells whether the certificate says what the profile asks for.
func (p *KeyPair) Says(profile Profile) bool {
	c := p.Certificate
	return c.Subject.CommonName == profile.CommonName &&
		sameSet(c.Subject.Organization, profile.Groups) &&
		sameSet(c.DNSNames, profile.DNSNames) &&
		sameSet(texts(c.IPAddresses), texts(profile.IPs)) &&
		sameSet(c.ExtKeyUsage, profile.Usages)
}

func selfSign(commonName string, key *ecdsa.PrivateKey, now time.Time, lifetime time.Duration) (*KeyPair, error) {
	if commonName == "" {
		return nil, errors.New("an authority needs a name")
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: commonName},
		NotBefore:             now.Add(-skew).UTC(),
		NotAfter:              now.Add(lifetime).UTC(),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("could not sign authority %q: %w", commonName, err)
	}
	return parseIssued(der, key)
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("could not generate private key: %w", err)
	}
	return key, nil
}

func parseIssued(der []byte, key *ecdsa.PrivateKey) (*KeyPair, error) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("could not read issued certificate: %w", err)
	}
	return &KeyPair{Certificate: certificate, Key: key}, nil
}

func sameSet[T cmp.Ordered](x, y []T) bool {
	return slices.Equal(slices.Compact(slices.Sorted(slices.Values(x))), slices.Compact(slices.Sorted(slices.Values(y))))
}

func texts(ips []net.IP) []string {
	all := make([]string, 0, len(ips))
	for _, ip := range ips {
		all = append(all, ip.String())
	}
	return all
}
