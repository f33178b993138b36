package servingcert

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/extant-project/extant/internal/pki"
)

// facts is what a step is decided on, besides the state.
type facts struct {
	now time.Time
	// bundle is what the APIService trusts.
	bundle []*x509.Certificate
	// registered is false when there is no APIService: nobody calls then, and
	// nobody can be broken.
	registered bool
}

// clocksDiffer is how far the clocks of replicas may be apart.
const clocksDiffer = time.Minute

// step returns the state after at most one step of the rotation, and what the
// step is, in the words of the log; an empty text when nothing is to be done.
// Each step is written before the next one is decided, so that a replica that
// dies in between leaves a state from which any other goes on.
func (c *Config) step(s state, f facts) (state, string, error) {
	// A time that has not come was written by a clock that was ahead.
	ahead := func(t time.Time) bool { return t.After(f.now.Add(clocksDiffer)) }
	published := s.next != nil && (!f.registered || contains(f.bundle, s.next.Certificate))
	switch {
	case s.current == nil && s.next == nil:
		// What the APIService trusts may be what other replicas still present,
		// although the Secret was lost: it is trusted on for a while.
		s.previous = unexpired(f.bundle, f.now)
		return c.makeNext(s, f.now, "Made the first certificate authority")
	case s.next == nil && s.current.DueForRenewal(f.now):
		return c.makeNext(s, f.now, "Made the next certificate authority")
	case s.next != nil && f.now.Before(s.next.Certificate.NotBefore):
		return c.makeNext(s, f.now, "Made the next certificate authority anew, as it is not valid yet")
	case s.next != nil && !published && !s.published.IsZero():
		s.published = time.Time{}
		return s, "The next certificate authority is no longer published", nil
	case published && (s.published.IsZero() || ahead(s.published)):
		s.published = f.now
		return s, "The next certificate authority is published", nil
	case published && !f.now.Before(s.published.Add(c.patience(s, f))):
		return c.promote(s, f.now)
	case s.current != nil && c.leafDue(s, f.now):
		return c.issue(s, f.now, "Issued a serving certificate")
	case s.current == nil || len(s.previous) == 0:
		return s, "", nil
	case s.switched.IsZero() || ahead(s.switched):
		// Somebody took the annotation away, or the clock back: the time starts over.
		s.switched = f.now
		return s, "Started over with forgetting the previous certificate authorities", nil
	case !f.now.Before(s.switched.Add(c.CertificateLifetime)):
		// Whatever they signed has ended by now, on every replica.
		s.previous = nil
		return s, "Forgot the previous certificate authorities", nil
	}
	return s, "", nil
}

func (c *Config) makeNext(s state, now time.Time, done string) (state, string, error) {
	next, err := pki.NewAuthority(fmt.Sprintf("%s-%d", c.SecretName, now.Unix()), now, c.AuthorityLifetime)
	if err != nil {
		return s, "", err
	}
	s.next, s.published = next, time.Time{}
	return s, done, nil
}

// promote lets the next authority sign. The predecessor's key ends here, so
// that trusting its certificate for longer lets nobody in.
func (c *Config) promote(s state, now time.Time) (state, string, error) {
	if s.current != nil {
		s.previous = append(slices.Clone(s.previous), s.current.Certificate)
	}
	s.current, s.next = s.next, nil
	s.published, s.switched = time.Time{}, now
	return c.issue(s, now, "Switched to the next certificate authority")
}

func (c *Config) issue(s state, now time.Time, done string) (state, string, error) {
	leaf, err := s.current.Issue(c.profile(), now)
	if err != nil {
		return s, "", err
	}
	s.leaf = leaf
	return s, done, nil
}

// patience is how long a published authority waits before a certificate needs
// it.
func (c *Config) patience(s state, f facts) time.Duration {
	served := s.leaf != nil && s.leaf.ValidAt(f.now)
	switch {
	case f.registered && served:
		return c.Propagation
	case f.registered && len(s.previous) > 0:
		// The Secret was lost or left empty by an installation before. Replicas
		// that still present its certificate are given the time in which
		// informers commonly follow; new ones wait for it to be served at all.
		return min(c.Propagation, c.Resync)
	default:
		// Nobody can be verifying a certificate now.
		return 0
	}
}

func (c *Config) leafDue(s state, now time.Time) bool {
	if !s.current.ValidAt(now) {
		return false // nothing that it signs is valid: the next one is on its way
	}
	return s.leaf == nil || s.leaf.DueForRenewal(now) || !s.leaf.SignedBy(s.current) || !c.covers(s.leaf.Certificate)
}

// covers tells whether a certificate is good for all names of the service. One
// that is good for more is left alone: while two versions of Extant run side by
// side they would replace each other's for ever.
func (c *Config) covers(certificate *x509.Certificate) bool {
	for _, name := range c.dnsNames() {
		if !slices.Contains(certificate.DNSNames, name) {
			return false
		}
	}
	return true
}

func (c *Config) profile() pki.Profile {
	return pki.Profile{
		CommonName: c.dnsNames()[0],
		DNSNames:   c.dnsNames(),
		Usages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		Lifetime:   c.CertificateLifetime,
	}
}

func unexpired(bundle []*x509.Certificate, now time.Time) []*x509.Certificate {
	var kept []*x509.Certificate
	for _, certificate := range bundle {
		if now.Before(certificate.NotAfter) {
			kept = append(kept, certificate)
		}
	}
	return kept
}
