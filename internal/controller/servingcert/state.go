package servingcert

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/cert"

	"github.com/extant-project/extant/internal/pki"
)

// What the Secret holds. tls.crt, tls.key and ca.crt mean what they mean in
// every Secret of a certificate; the rest is the rotation under way.
const (
	authorityCert = "ca.crt"
	authorityKey  = "ca.key"
	nextCert      = "next-ca.crt"
	nextKey       = "next-ca.key"
	previousCerts = "previous-ca.crt"

	// annotationPublished is since when the next authority has been in the
	// APIService's caBundle.
	annotationPublished = "extant.dev/next-authority-published"
	// annotationSwitched is when the current authority became the current one.
	annotationSwitched = "extant.dev/authority-switched"
)

// state is a rotation, as the Secret tells it. A rotation goes through three
// phases:
//
//  1. next is made, and published in the caBundle beside current;
//  2. when every API server must have seen that, next becomes current and signs
//     the certificate that is served; its predecessor goes to previous, without
//     its key;
//  3. when no certificate of the predecessor can still be valid, previous is
//     forgotten.
type state struct {
	current, leaf *pki.KeyPair
	next          *pki.KeyPair
	published     time.Time
	previous      []*x509.Certificate
	switched      time.Time
}

// parseState reads a Secret. An empty one is the beginning. A Secret that holds
// something else is an error: it may be a certificate manager's.
func parseState(secret *corev1.Secret) (state, error) {
	var s state
	var errs []error
	pair := func(certificate, key string) *pki.KeyPair {
		if len(secret.Data[certificate]) == 0 && len(secret.Data[key]) == 0 {
			return nil
		}
		parsed, err := pki.ParseKeyPair(secret.Data[certificate], secret.Data[key])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", certificate, err))
		}
		return parsed
	}
	s.current = pair(authorityCert, authorityKey)
	s.leaf = pair(corev1.TLSCertKey, corev1.TLSPrivateKeyKey)
	s.next = pair(nextCert, nextKey)
	if bundle := secret.Data[previousCerts]; len(bundle) > 0 {
		previous, err := cert.ParseCertsPEM(bundle)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", previousCerts, err))
		}
		s.previous = previous
	}
	if s.leaf != nil && s.current == nil && len(errs) == 0 {
		errs = append(errs, errors.New("a certificate without its authority's key"))
	}
	// A time that cannot be read is one that has not come: the phase starts over.
	s.published = parseTime(secret.Annotations[annotationPublished])
	s.switched = parseTime(secret.Annotations[annotationSwitched])
	return s, errors.Join(errs...)
}

// store writes the state into a Secret, and keeps what else is there.
func (s state) store(secret *corev1.Secret) error {
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	if secret.Annotations == nil {
		secret.Annotations = map[string]string{}
	}
	for _, p := range []struct {
		pair             *pki.KeyPair
		certificate, key string
	}{
		{s.current, authorityCert, authorityKey},
		{s.leaf, corev1.TLSCertKey, corev1.TLSPrivateKeyKey},
		{s.next, nextCert, nextKey},
	} {
		if p.pair == nil {
			delete(secret.Data, p.certificate)
			delete(secret.Data, p.key)
			continue
		}
		key, err := p.pair.KeyPEM()
		if err != nil {
			return err
		}
		secret.Data[p.certificate], secret.Data[p.key] = p.pair.CertificatePEM(), key
	}
	delete(secret.Data, previousCerts)
	if len(s.previous) > 0 {
		bundle, err := cert.EncodeCertificates(s.previous...)
		if err != nil {
			return fmt.Errorf("could not encode previous authorities: %w", err)
		}
		secret.Data[previousCerts] = bundle
	}
	storeTime(secret.Annotations, annotationPublished, s.published)
	storeTime(secret.Annotations, annotationSwitched, s.switched)
	return nil
}

// trusted is what the caBundle has to hold, in a fixed order.
func (s state) trusted() []*x509.Certificate {
	var all []*x509.Certificate
	for _, pair := range []*pki.KeyPair{s.current, s.next} {
		if pair != nil {
			all = append(all, pair.Certificate)
		}
	}
	for _, previous := range s.previous {
		if !contains(all, previous) {
			all = append(all, previous)
		}
	}
	return all
}

func contains(bundle []*x509.Certificate, certificate *x509.Certificate) bool {
	return slices.ContainsFunc(bundle, certificate.Equal)
}

// sameCertificates compares two bundles without repetitions. Their order has no
// meaning.
func sameCertificates(x, y []*x509.Certificate) bool {
	return len(x) == len(y) && !slices.ContainsFunc(x, func(certificate *x509.Certificate) bool { return !contains(y, certificate) })
}

func parseTime(text string) time.Time {
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return parsed
}

func storeTime(annotations map[string]string, key string, t time.Time) {
	if t.IsZero() {
		delete(annotations, key)
		return
	}
	annotations[key] = t.UTC().Format(time.RFC3339)
}
