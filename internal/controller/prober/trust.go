package prober

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reasons of the condition CertificateValid, and what breaks a certificate.
const (
	certificateValid       = "Valid"
	certificateExpired     = "Expired"
	certificateNotYetValid = "NotYetValid"
	certificateNameDiffers = "NameMismatch"
	certificateNotSigned   = "NotSignedByCABundle"
	certificateUnreadable  = "Unreadable"
	bundleEmpty            = "EmptyCABundle"
	bundleMalformed        = "MalformedCABundle"
)

// trust is what one caller makes of one certificate.
type trust struct {
	status metav1.ConditionStatus
	reason string
	// words say for people what is wrong.
	words string
}

var trusted = trust{status: metav1.ConditionTrue, reason: certificateValid}

// judges verifies certificates, and remembers: a chain that is presented again
// is not verified again until one of its certificates expires.
type judges struct {
	// system is the authorities for callers without a bundle; nil: the system's.
	system *x509.CertPool

	mu       sync.Mutex
	verdicts map[[sha256.Size]byte]remembered
	pools    map[[sha256.Size]byte]*x509.CertPool
}

type remembered struct {
	trust trust
	// from and until bound the time for which it is so.
	from, until time.Time
}

// maxRemembered bounds what is remembered: beyond it, all is forgotten.
const maxRemembered = 20_000

func newJudges() *judges {
	return &judges{verdicts: map[[sha256.Size]byte]remembered{}, pools: map[[sha256.Size]byte]*x509.CertPool{}}
}

// judge tells whether a caller trusts a chain that was presented under a name,
// as its API server would.
func (j *judges) judge(chain []*x509.Certificate, c *caller, serverName string, now time.Time) trust {
	if c.insecure {
		return trusted
	}
	if len(chain) == 0 {
		return trust{metav1.ConditionFalse, certificateUnreadable, "it presents no certificate"}
	}
	hash := sha256.New()
	for _, certificate := range chain {
		hash.Write(certificate.Raw)
	}
	fmt.Fprintf(hash, "\x00%s\x00", serverName)
	hash.Write(c.bundle)
	key := [sha256.Size]byte(hash.Sum(nil))
	j.mu.Lock()
	known, ok := j.verdicts[key]
	j.mu.Unlock()
	if ok && !now.Before(known.from) && now.Before(known.until) {
		return known.trust
	}
	var verdict remembered
	verdict.trust, chain = j.verify(chain, c, serverName, now)
	verdict.from, verdict.until = constant(chain, now)
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.verdicts) >= maxRemembered {
		clear(j.verdicts)
	}
	j.verdicts[key] = verdict
	return verdict.trust
}

// constant returns the span around now in which none of the certificates begins
// or ends to be valid, an hour at most: bundles hold certificates that are not
// among them.
func constant(chain []*x509.Certificate, now time.Time) (from, until time.Time) {
	from, until = now.Add(-time.Hour), now.Add(time.Hour)
	for _, certificate := range chain {
		for _, edge := range []time.Time{certificate.NotBefore, certificate.NotAfter.Add(time.Nanosecond)} {
			if !edge.After(now) && edge.After(from) {
				from = edge
			}
			if edge.After(now) && edge.Before(until) {
				until = edge
			}
		}
	}
	return from, until
}

// verify returns the judgement with the certificates that it hangs on.
func (j *judges) verify(chain []*x509.Certificate, c *caller, serverName string, now time.Time) (trust, []*x509.Certificate) {
	roots, malformed := j.pool(c.bundle)
	if malformed {
		return trust{metav1.ConditionFalse, bundleMalformed, "its caBundle holds no certificate"}, chain
	}
	options := x509.VerifyOptions{Roots: roots, DNSName: serverName, CurrentTime: now, Intermediates: x509.NewCertPool()}
	for _, certificate := range chain[1:] {
		options.Intermediates.AddCert(certificate)
	}
	verified, err := chain[0].Verify(options)
	if err == nil {
		return trusted, verified[0]
	}
	return brokenBy(err, chain[0], c, serverName, now), chain
}

// brokenBy puts what is wrong with a certificate into the operator's words.
func brokenBy(err error, leaf *x509.Certificate, c *caller, serverName string, now time.Time) trust {
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	switch {
	case now.After(leaf.NotAfter):
		return trust{metav1.ConditionFalse, certificateExpired, "the certificate expired at " + stamp(leaf.NotAfter)}
	case now.Before(leaf.NotBefore):
		return trust{metav1.ConditionFalse, certificateNotYetValid, "the certificate is not valid before " + stamp(leaf.NotBefore)}
	case errors.As(err, &name):
		return trust{metav1.ConditionFalse, certificateNameDiffers, fmt.Sprintf("the certificate is for %s and not for %s", namesOf(leaf), serverName)}
	case len(c.bundle) == 0:
		return untrustedBySystem(serverName)
	case errors.As(err, &authority):
		return trust{metav1.ConditionFalse, certificateNotSigned, "the certificate is not signed by its caBundle"}
	default:
		return trust{metav1.ConditionFalse, certificateNotSigned, "its caBundle does not vouch for the certificate: " + clean(strings.TrimPrefix(err.Error(), "x509: "), maxWords)}
	}
}

// untrustedBySystem: without a bundle, the authorities of kube-apiserver's own
// machine decide. No public one signs for a Service; for other hosts, the
// machine may know more than Extant's image does.
func untrustedBySystem(serverName string) trust {
	if strings.HasSuffix(serverName, ".svc") {
		return trust{metav1.ConditionFalse, bundleEmpty, "its caBundle is empty, and no public authority has signed the certificate"}
	}
	return trust{metav1.ConditionUnknown, bundleEmpty, "its caBundle is empty, and no public authority has signed the certificate; one of kube-apiserver's machine may have"}
}

// pool returns the authorities of a bundle. As in client-go, one certificate
// that can be read is enough.
func (j *judges) pool(bundle []byte) (_ *x509.CertPool, malformed bool) {
	if len(bundle) == 0 {
		return j.system, false
	}
	key := sha256.Sum256(bundle)
	j.mu.Lock()
	defer j.mu.Unlock()
	pool, ok := j.pools[key]
	if !ok {
		if pool = x509.NewCertPool(); !pool.AppendCertsFromPEM(bundle) {
			pool = nil
		}
		if len(j.pools) >= maxRemembered {
			clear(j.pools)
		}
		j.pools[key] = pool
	}
	return pool, pool == nil
}

// namesOf returns the first names that a certificate is for.
func namesOf(certificate *x509.Certificate) string {
	names := dnsNames(certificate)
	for _, ip := range certificate.IPAddresses {
		names = append(names, ip.String())
	}
	const shown = 3
	switch {
	case len(names) == 0:
		return "no name"
	case len(names) > shown:
		return fmt.Sprintf("%s and others", strings.Join(names[:shown], ", "))
	default:
		return strings.Join(names, ", ")
	}
}

const (
	// maxNames and maxName bound the names of a certificate that are kept.
	maxNames = 20
	maxName  = 253
)

func dnsNames(certificate *x509.Certificate) []string {
	names := slices.Clone(certificate.DNSNames[:min(len(certificate.DNSNames), maxNames)])
	for i := range names {
		names[i] = clean(names[i], maxName)
	}
	return names
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
