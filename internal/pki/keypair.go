package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// KeyPair is a certificate with its private key. It is immutable.
type KeyPair struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// ParseKeyPair reads a certificate and its key from PEM. Of a chain the first
// certificate counts. A key of another certificate is an error.
func ParseKeyPair(certificatePEM, keyPEM []byte) (*KeyPair, error) {
	certificates, err := cert.ParseCertsPEM(certificatePEM)
	if err != nil {
		return nil, fmt.Errorf("could not read certificate: %w", err)
	}
	parsed, err := keyutil.ParsePrivateKeyPEM(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("could not read private key: %w", err)
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("private key of type %T cannot sign", parsed)
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(certificates[0].PublicKey) {
		return nil, errors.New("private key is not that of the certificate")
	}
	return &KeyPair{Certificate: certificates[0], Key: key}, nil
}

// CertificatePEM is the certificate, encoded.
func (p *KeyPair) CertificatePEM() []byte {
	return encodeCertificate(p.Certificate)
}

// KeyPEM is the private key, encoded.
func (p *KeyPair) KeyPEM() ([]byte, error) {
	key, ok := p.Key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("private key of type %T cannot be encoded", p.Key)
	}
	encoded, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return nil, fmt.Errorf("could not encode private key: %w", err)
	}
	return encoded, nil
}

// DueForRenewal tells whether the certificate is in the last third of its life
// or past it. A third leaves months in which a renewal may fail and be noticed.
// One that is not valid yet is due as well: the clock was ahead when it was
// issued, and nobody would trust it until that time has come.
func (p *KeyPair) DueForRenewal(now time.Time) bool {
	return now.Before(p.Certificate.NotBefore) || !now.Before(RenewalTime(p.Certificate))
}

// ValidAt tells whether the certificate is valid at a time.
func (p *KeyPair) ValidAt(now time.Time) bool {
	return !now.Before(p.Certificate.NotBefore) && now.Before(p.Certificate.NotAfter)
}

// RenewalTime is when the last third of a certificate's life begins.
func RenewalTime(certificate *x509.Certificate) time.Time {
	life := certificate.NotAfter.Sub(certificate.NotBefore)
	return certificate.NotAfter.Add(-life / 3)
}

// SignedBy tells whether an authority signed the certificate, whatever the
// time.
func (p *KeyPair) SignedBy(authority *KeyPair) bool {
	return bytes.Equal(p.Certificate.RawIssuer, authority.Certificate.RawSubject) &&
		p.Certificate.CheckSignatureFrom(authority.Certificate) == nil
}

func encodeCertificate(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: certificate.Raw})
}
