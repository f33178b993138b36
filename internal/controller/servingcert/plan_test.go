package servingcert

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func testConfig() Config {
	return Config{
		Namespace: "extant-system", Service: "extant-apiserver",
		SecretName: DefaultSecretName, APIServiceName: DefaultAPIServiceName,
		Propagation: 5 * time.Minute, Resync: time.Minute,
		CertificateLifetime: 90 * day, AuthorityLifetime: 730 * day,
	}
}

// steps goes on until nothing is to be done, publishing as the controller does,
// and returns what was done.
func steps(t *testing.T, c *Config, s state, f facts) (state, []string) {
	t.Helper()
	var done []string
	for range maxSteps {
		next, what, err := c.step(s, f)
		if err != nil {
			t.Fatal(err)
		}
		if what == "" {
			if !f.registered || sameCertificates(f.bundle, next.trusted()) {
				return next, done
			}
			what, f.bundle = "publish", next.trusted()
		}
		// Each step survives being written and read.
		var secret corev1.Secret
		if err := next.store(&secret); err != nil {
			t.Fatal(err)
		}
		if s, err = parseState(&secret); err != nil {
			t.Fatal(err)
		}
		done = append(done, what)
	}
	t.Fatalf("does not settle: %q", done)
	return s, done
}

const (
	first       = "Made the first certificate authority"
	next        = "Made the next certificate authority"
	publish     = "publish"
	published   = "The next certificate authority is published"
	unpublished = "The next certificate authority is no longer published"
	switched    = "Switched to the next certificate authority"
	issued      = "Issued a serving certificate"
	forgot      = "Forgot the previous certificate authorities"
)

func TestARotationGoesThroughItsPhases(t *testing.T) {
	c := testConfig()
	moments := []struct {
		name   string
		after  time.Duration
		change func(*facts)
		want   []string
	}{
		{"first start", 0, nil, []string{first, publish, published, switched}},
		{"soon after", time.Hour, nil, nil},
		{"before two thirds of the certificate's life", 59 * day, nil, nil},
		{"two thirds of the certificate's life", 60 * day, nil, []string{issued}},
		{"somebody emptied the caBundle", 61 * day, func(f *facts) { f.bundle = nil }, []string{publish}},
		{"two thirds of the authority's life", 487 * day, nil, []string{next, issued, publish, published}},
		{"not yet seen everywhere", 487*day + 4*time.Minute, nil, nil},
		{"somebody emptied the caBundle then", 487*day + 4*time.Minute, func(f *facts) { f.bundle = nil }, []string{unpublished, publish, published}},
		{"not yet seen everywhere again", 487*day + 8*time.Minute, nil, nil},
		{"seen everywhere", 487*day + 9*time.Minute, nil, []string{switched}},
		{"certificates of the predecessor may be valid", 548 * day, nil, []string{issued}},
		{"no certificate of the predecessor is valid", 578 * day, nil, []string{forgot, publish}},
		{"after years asleep", 2000 * day, nil, []string{next, publish, published, switched}},
	}
	var s state
	f := facts{registered: true}
	for _, moment := range moments {
		f.now = start.Add(moment.after)
		if moment.change != nil {
			moment.change(&f)
		}
		var done []string
		s, done = steps(t, &c, s, f)
		if diff := cmp.Diff(moment.want, done); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", moment.name, diff)
		}
		f.bundle = s.trusted()
	}
}

// TestAClockThatWasAheadLeavesNothingBehind sets the clock back by years after
// it was ahead: what is served is valid at once, and no phase waits for the time
// to come again.
func TestAClockThatWasAheadLeavesNothingBehind(t *testing.T) {
	c := testConfig()
	fresh, _ := steps(t, &c, state{}, facts{now: start, registered: true})
	rotating := func(at time.Time) state {
		s, _ := steps(t, &c, fresh, facts{now: at, registered: true, bundle: fresh.trusted()})
		return s
	}
	remade := "Made the next certificate authority anew, as it is not valid yet"
	now := start.Add(500 * day)
	waiting := rotating(now)
	waiting.published = now.Add(3 * time.Hour)
	for _, test := range []struct {
		name string
		now  time.Time
		from state
		want []string
	}{
		{"at the first start", start.Add(-1000 * day), fresh, []string{next, publish, published, switched}},
		{"in a rotation", start.Add(day), rotating(now), []string{remade, issued, publish, published}},
		{"when the next authority was published", now, waiting, []string{published}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := facts{now: test.now, registered: true, bundle: test.from.trusted()}
			s, done := steps(t, &c, test.from, f)
			if diff := cmp.Diff(test.want, done); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			if !s.leaf.ValidAt(test.now) || !s.current.ValidAt(test.now) || !s.leaf.SignedBy(s.current) {
				t.Errorf("it serves what is valid from %s on, signed by what is from %s on", s.leaf.Certificate.NotBefore, s.current.Certificate.NotBefore)
			}
			f.bundle, f.now = s.trusted(), test.now.Add(c.Propagation)
			s, _ = steps(t, &c, s, f)
			f.bundle, f.now = s.trusted(), f.now.Add(c.CertificateLifetime)
			if s, _ = steps(t, &c, s, f); s.next != nil || len(s.previous) > 0 {
				t.Error("the rotation does not end in its time")
			}
		})
	}
}

func TestWithoutAnAPIServiceNobodyIsWaitedFor(t *testing.T) {
	c := testConfig()
	s, done := steps(t, &c, state{}, facts{now: start})
	if diff := cmp.Diff([]string{first, published, switched}, done); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.leaf == nil || !s.leaf.SignedBy(s.current) {
		t.Error("no certificate was issued")
	}
}

func TestALostSecretLeavesTheOldAuthorityTrustedForAWhile(t *testing.T) {
	c := testConfig()
	before, _ := steps(t, &c, state{}, facts{now: start, registered: true})
	f := facts{now: start.Add(day), registered: true, bundle: before.trusted()}

	s, done := steps(t, &c, state{}, f)
	if diff := cmp.Diff([]string{first, publish, published}, done); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if !contains(s.trusted(), before.current.Certificate) {
		t.Error("what the replicas still present is no longer trusted")
	}
	f.bundle, f.now = s.trusted(), f.now.Add(c.Resync)
	s, done = steps(t, &c, s, f)
	if diff := cmp.Diff([]string{switched}, done); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	f.bundle, f.now = s.trusted(), f.now.Add(90*day)
	s, _ = steps(t, &c, s, f)
	if contains(s.trusted(), before.current.Certificate) {
		t.Error("the lost authority is trusted for ever")
	}
}

func TestACertificateIsIssuedForMoreNamesAndKeptForFewer(t *testing.T) {
	c := testConfig()
	s, _ := steps(t, &c, state{}, facts{now: start, registered: true})
	renamed := c
	renamed.Service = "extant"
	f := facts{now: start, registered: true, bundle: s.trusted()}
	if _, done := steps(t, &renamed, s, f); !cmp.Equal(done, []string{issued}) {
		t.Errorf("for another service: %q", done)
	}
	if !c.covers(s.leaf.Certificate) {
		t.Error("the certificate is not good for the name that kube-aggregator verifies")
	}
}

func TestASecretOfSomebodyElseIsNotUnderstood(t *testing.T) {
	c := testConfig()
	s, _ := steps(t, &c, state{}, facts{now: start, registered: true})
	var ours corev1.Secret
	if err := s.store(&ours); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]map[string][]byte{
		"no PEM":                         {corev1.TLSCertKey: []byte("x"), corev1.TLSPrivateKeyKey: []byte("y")},
		"a certificate manager's":        {corev1.TLSCertKey: ours.Data[corev1.TLSCertKey], corev1.TLSPrivateKeyKey: ours.Data[corev1.TLSPrivateKeyKey]},
		"authority with another's key":   {authorityCert: ours.Data[authorityCert], authorityKey: ours.Data[corev1.TLSPrivateKeyKey]},
		"previous authorities unclear":   {previousCerts: []byte("x")},
		"certificate without its key":    {corev1.TLSCertKey: ours.Data[corev1.TLSCertKey]},
		"authority that lost its key":    {authorityCert: ours.Data[authorityCert], corev1.TLSCertKey: ours.Data[corev1.TLSCertKey], corev1.TLSPrivateKeyKey: ours.Data[corev1.TLSPrivateKeyKey]},
		"next authority without its key": {nextCert: ours.Data[authorityCert]},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseState(&corev1.Secret{Data: data}); err == nil {
				t.Error("no error")
			}
		})
	}
}
