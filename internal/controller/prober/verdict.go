package prober

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// verdict is what the answers of a backend's endpoints add up to.
//
// The API server calls the Service, and so any of the ready endpoints: the
// backend is available where one of them answers a caller that trusts it, though
// a part of the calls then fails. It is unavailable where all that can be called
// have failed. Everything else is Unknown.
type verdict struct {
	available metav1.ConditionStatus
	reason    extant.BackendReason
	message   string
	// certificate is the one that expires first.
	certificate *extant.Certificate
	callers     []extant.CallerStatus
	// valid is the condition CertificateValid; without a type where no
	// certificate was seen.
	valid metav1.Condition
	// failing is how many endpoints failed.
	failing int
}

// failed tells whether something is wrong with any endpoint.
func (v *verdict) failed() bool { return v.failing > 0 }

// equals tells whether two verdicts are written the same.
func (v *verdict) equals(other *verdict) bool {
	sameCertificate := v.certificate == other.certificate || (v.certificate != nil && other.certificate != nil &&
		v.certificate.NotAfter.Equal(other.certificate.NotAfter) && v.certificate.Issuer == other.certificate.Issuer &&
		slices.Equal(v.certificate.DNSNames, other.certificate.DNSNames))
	return sameCertificate && v.available == other.available && v.reason == other.reason && v.message == other.message &&
		v.valid == other.valid && slices.Equal(v.callers, other.callers)
}

// finding is what one endpoint is worth to the callers.
type finding struct {
	endpoint string
	// good and bad: some caller can call it, and none can.
	good, bad bool
	reason    extant.BackendReason
	words     string
}

// decide adds up the newest answer of each endpoint.
func decide(t *target, answers map[string]answer, judges *judges, now time.Time) verdict {
	v := verdict{callers: make([]extant.CallerStatus, len(t.callers))}
	for i := range t.callers {
		c := &t.callers[i]
		v.callers[i] = extant.CallerStatus{Resource: c.resource, Object: c.object, Hook: c.hook, TrustedByCABundle: metav1.ConditionUnknown}
	}
	var findings []finding
	var leaves []*x509.Certificate
	broken := map[string]string{} // what is wrong with certificates, by reason
	unclear := ""
	good, known := 0, 0
	for _, endpoint := range t.endpoints {
		a, ok := answers[endpoint]
		if !ok {
			continue
		}
		known++
		f := finding{endpoint: endpoint, good: true}
		switch {
		case a.failure != nil:
			doubtful := a.failure.uncertain || (a.failure.silent && t.mute != "")
			f.good, f.bad, f.reason, f.words = false, !doubtful, a.failure.reason, a.failure.words
			if doubtful && a.failure.silent {
				f.words += "; " + t.mute
			}
		case t.probe.Mode == extant.ProbeModeTCP:
		default:
			leaves = append(leaves, a.chain[:min(len(a.chain), 1)]...)
			v.trustOf(t, &f, a.chain, judges, now, broken, &unclear)
		}
		if f.good {
			good++
		} else {
			findings = append(findings, f)
			if f.reason != extant.BackendNotProbed {
				v.failing++
			}
		}
	}
	v.sum(t, findings, good, known)
	v.describe(leaves, broken, unclear)
	return v
}

// trustOf asks every caller about one endpoint's certificate.
func (v *verdict) trustOf(t *target, f *finding, chain []*x509.Certificate, judges *judges, now time.Time, broken map[string]string, unclear *string) {
	f.good, f.bad = len(t.callers) == 0, len(t.callers) > 0
	for i := range t.callers {
		c := &t.callers[i]
		verdict := judges.judge(chain, c, t.serverName, now)
		trusted := &v.callers[i].TrustedByCABundle
		switch verdict.status {
		case metav1.ConditionTrue:
			f.good, *trusted = true, metav1.ConditionTrue
			continue
		case metav1.ConditionUnknown:
			f.bad = false
			*unclear = verdict.words
		case metav1.ConditionFalse:
			if *trusted == metav1.ConditionUnknown {
				*trusted = metav1.ConditionFalse
			}
			if _, ok := broken[verdict.reason]; !ok {
				broken[verdict.reason] = fmt.Sprintf("%s/%s: %s", c.object, c.hook, verdict.words)
			}
		}
		if f.words == "" {
			f.reason, f.words = extant.BackendTLSFailed, verdict.words
		}
	}
	f.bad = f.bad && !f.good
}

// sum decides whether the backend is available, and says why.
func (v *verdict) sum(t *target, findings []finding, good, known int) {
	total := len(t.endpoints)
	bad := 0
	for _, f := range findings {
		if f.bad {
			bad++
		}
	}
	var parts []string
	switch {
	case good > 0:
		v.available, v.reason = metav1.ConditionTrue, extant.BackendProbeSucceeded
		if t.doubt != "" {
			v.available = metav1.ConditionUnknown
			parts = append(parts, "it answers, but "+t.doubt)
		}
	case total > 0 && bad == total:
		v.available, v.reason = metav1.ConditionFalse, findings[0].reason
	case len(findings) > 0:
		v.available, v.reason = metav1.ConditionUnknown, findings[0].reason
	default:
		v.available, v.reason = metav1.ConditionUnknown, extant.BackendNotProbed
		parts = append(parts, "not probed yet")
	}
	if len(findings) > 0 {
		parts = append(parts, listing(findings, total))
	}
	if distrusting := v.distrusting(); distrusting > 0 && good > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d hooks do not trust the certificate", distrusting, len(v.callers)))
	}
	if known < total && known > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d endpoints probed so far", known, total))
	}
	if len(parts) == 0 {
		parts = append(parts, fmt.Sprintf("%d of %d endpoints answer", good, total))
	}
	v.message = strings.Join(parts, "; ")
}

func (v *verdict) distrusting() (n int) {
	for _, c := range v.callers {
		if c.TrustedByCABundle == metav1.ConditionFalse {
			n++
		}
	}
	return n
}

// listing names the endpoints that failed: the first of each kind.
func listing(findings []finding, total int) string {
	const shown = 3
	if total == 1 {
		return findings[0].endpoint + ": " + findings[0].words
	}
	by := map[string][]string{}
	var order []string
	for _, f := range findings {
		if len(by[f.words]) == 0 {
			order = append(order, f.words)
		}
		by[f.words] = append(by[f.words], f.endpoint)
	}
	var parts []string
	for _, words := range order[:min(len(order), shown)] {
		endpoints := by[words]
		names := strings.Join(endpoints[:min(len(endpoints), shown)], ", ")
		if more := len(endpoints) - shown; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		parts = append(parts, names+" "+words)
	}
	return fmt.Sprintf("%d of %d endpoints: %s", len(findings), total, strings.Join(parts, "; "))
}

// describe fills in what the certificates say.
func (v *verdict) describe(leaves []*x509.Certificate, broken map[string]string, unclear string) {
	if len(leaves) == 0 {
		return
	}
	first := slices.MinFunc(leaves, func(x, y *x509.Certificate) int {
		return cmp.Or(x.NotAfter.Compare(y.NotAfter), strings.Compare(string(x.Raw), string(y.Raw)))
	})
	notAfter := metav1.NewTime(first.NotAfter)
	v.certificate = &extant.Certificate{NotAfter: &notAfter, DNSNames: dnsNames(first), Issuer: clean(first.Issuer.String(), maxWords)}
	v.valid = metav1.Condition{Type: extant.ConditionCertificateValid, Status: metav1.ConditionTrue, Reason: certificateValid}
	switch {
	case len(broken) > 0:
		v.valid.Status = metav1.ConditionFalse
		v.valid.Reason = slices.Min(slices.Collect(maps.Keys(broken)))
		v.valid.Message = broken[v.valid.Reason]
	case unclear != "":
		v.valid.Status, v.valid.Reason, v.valid.Message = metav1.ConditionUnknown, bundleEmpty, unclear
	}
}
