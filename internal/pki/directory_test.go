package pki

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"
)

var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

var serving = Profile{
	CommonName: "extant",
	DNSNames:   []string{"localhost"},
	IPs:        []net.IP{net.IPv4(127, 0, 0, 1)},
	Usages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
}

var admin = Profile{
	CommonName: "extant-admin",
	Groups:     []string{"extant:admins"},
	Usages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
}

func openDirectory(t *testing.T, path string, now time.Time) *Directory {
	t.Helper()
	d, err := OpenDirectory(path, "extant-standalone-ca", clocktesting.NewFakePassiveClock(now))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func certificate(t *testing.T, d *Directory, name string, profile Profile) *KeyPair {
	t.Helper()
	pair, err := d.Certificate(name, profile)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func pool(authorities ...*KeyPair) *x509.CertPool {
	p := x509.NewCertPool()
	for _, authority := range authorities {
		p.AddCert(authority.Certificate)
	}
	return p
}

func TestCertificatesAreKeptBetweenRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pki")
	first := openDirectory(t, path, start)
	wantServing, wantAdmin := certificate(t, first, "serving", serving), certificate(t, first, "admin", admin)

	second := openDirectory(t, path, start.Add(240*24*time.Hour))
	for _, same := range []struct{ got, want *KeyPair }{
		{second.Authority(), first.Authority()},
		{certificate(t, second, "serving", serving), wantServing},
		{certificate(t, second, "admin", admin), wantAdmin},
	} {
		if !same.got.Certificate.Equal(same.want.Certificate) {
			t.Errorf("%s was issued anew", same.want.Certificate.Subject)
		}
	}
}

func TestOnlyTheOwnerReadsTheFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pki")
	d := openDirectory(t, path, start)
	certificate(t, d, "serving", serving)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("directory has mode %o", got)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has mode %o", entry.Name(), got)
		}
	}
	if diff := cmp.Diff([]string{"ca.crt", "ca.key", "serving.crt", "serving.key"}, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestACertificateIsIssuedAnewWhenItNoLongerFits(t *testing.T) {
	tests := []struct {
		name    string
		after   time.Duration
		profile func(*Profile)
		damage  func(t *testing.T, files Files)
	}{
		{name: "last third of its life", after: 250 * 24 * time.Hour},
		{name: "expired", after: 366 * 24 * time.Hour},
		{name: "another host", profile: func(p *Profile) { p.DNSNames = []string{"localhost", "laptop"} }},
		{name: "another address", profile: func(p *Profile) { p.IPs = []net.IP{net.IPv6loopback} }},
		{name: "other groups", profile: func(p *Profile) { p.Groups = []string{"team"} }},
		{name: "other usages", profile: func(p *Profile) { p.Usages = admin.Usages }},
		{name: "unreadable", damage: func(t *testing.T, files Files) {
			if err := os.WriteFile(files.CertFile, []byte("no PEM"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "interrupted between the two files", damage: func(t *testing.T, files Files) {
			if err := os.Remove(files.CertFile); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			path := t.TempDir()
			before := certificate(t, openDirectory(t, path, start), "serving", serving)
			profile := serving
			if tc.profile != nil {
				tc.profile(&profile)
			}
			d := openDirectory(t, path, start.Add(tc.after))
			if tc.damage != nil {
				tc.damage(t, d.Files("serving"))
			}
			after := certificate(t, d, "serving", profile)
			if after.Certificate.Equal(before.Certificate) {
				t.Fatal("the certificate was kept")
			}
			if !after.Says(profile) || after.DueForRenewal(start.Add(tc.after)) {
				t.Errorf("issued %v until %s", after.Certificate.Subject, after.Certificate.NotAfter)
			}
			if _, err := tls.LoadX509KeyPair(d.Files("serving").CertFile, d.Files("serving").KeyFile); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatAnAuthoritySignedOutlivesItsRenewal(t *testing.T) {
	path := t.TempDir()
	first := openDirectory(t, path, start)
	old := first.Authority()
	renewal := start.Add(AuthorityLifetime * 3 / 4)
	before := certificate(t, openDirectory(t, path, renewal.Add(-CertificateLifetime/2)), "admin", admin)

	second := openDirectory(t, path, renewal)
	renewed := second.Authority()
	if renewed.Certificate.Equal(old.Certificate) {
		t.Fatal("the authority was not renewed")
	}
	after := certificate(t, second, "serving", serving)
	for _, leaf := range []*KeyPair{before, after} {
		for name, roots := range map[string]*x509.CertPool{"old": pool(old), "renewed": pool(renewed)} {
			options := x509.VerifyOptions{Roots: roots, CurrentTime: renewal, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
			if _, err := leaf.Certificate.Verify(options); err != nil {
				t.Errorf("%s under the %s authority: %v", leaf.Certificate.Subject, name, err)
			}
		}
	}
}

func TestWhatWasIssuedByAClockThatWasAheadIsIssuedAnew(t *testing.T) {
	path := t.TempDir()
	ahead := openDirectory(t, path, start.Add(100*24*time.Hour))
	early := certificate(t, ahead, "serving", serving)
	d := openDirectory(t, path, start)
	got := certificate(t, d, "serving", serving)
	if !got.ValidAt(start) || !d.Authority().ValidAt(start) {
		t.Errorf("at %s it is valid from %s on, and the authority from %s on", start, got.Certificate.NotBefore, d.Authority().Certificate.NotBefore)
	}
	if !got.SignedBy(ahead.Authority()) || !early.SignedBy(d.Authority()) {
		t.Error("whoever trusts the authority of before has to be told")
	}
}

func TestADamagedAuthorityIsNotReplaced(t *testing.T) {
	for name, damage := range map[string]func(files Files) error{
		"unreadable":      func(files Files) error { return os.WriteFile(files.CertFile, []byte("no PEM"), 0o600) },
		"without its key": func(files Files) error { return os.Remove(files.KeyFile) },
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			if err := damage(openDirectory(t, path, start).Files("ca")); err != nil {
				t.Fatal(err)
			}
			_, err := OpenDirectory(path, "extant-standalone-ca", clocktesting.NewFakePassiveClock(start))
			if err == nil || !strings.Contains(err.Error(), "remove ca.crt and ca.key") {
				t.Errorf("got error %v", err)
			}
		})
	}
}

func TestIssuedCertificatesServeAndAuthenticate(t *testing.T) {
	d, err := OpenDirectory(t.TempDir(), "extant-standalone-ca", clocktesting.NewFakePassiveClock(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	server, client := certificate(t, d, "serving", serving), certificate(t, d, "admin", admin)
	state := handshake(t,
		&tls.Config{Certificates: []tls.Certificate{tlsCertificate(server)}, ClientCAs: pool(d.Authority()), ClientAuth: tls.RequireAndVerifyClientCert},
		&tls.Config{Certificates: []tls.Certificate{tlsCertificate(client)}, RootCAs: pool(d.Authority()), ServerName: "127.0.0.1"},
	)
	peer := state.PeerCertificates[0].Subject
	if peer.CommonName != "extant-admin" || !cmp.Equal(peer.Organization, []string{"extant:admins"}) {
		t.Errorf("the server sees %v", peer)
	}
}

func tlsCertificate(pair *KeyPair) tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{pair.Certificate.Raw}, PrivateKey: pair.Key, Leaf: pair.Certificate}
}

// handshake returns what the server sees of the client.
func handshake(t *testing.T, server, client *tls.Config) tls.ConnectionState {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	server.SessionTicketsDisabled = true // nobody reads on after the handshake
	serverSide, clientSide := tls.Server(near, server), tls.Client(far, client)
	failed := make(chan error, 1)
	go func() { failed <- serverSide.Handshake() }()
	if err := clientSide.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	return serverSide.ConnectionState()
}
