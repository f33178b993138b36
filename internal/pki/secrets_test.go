package pki

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	clocktesting "k8s.io/utils/clock/testing"
)

var testEtcd = Etcd{Namespace: "extant-system", Service: "extant-etcd", Members: 3}

const day = 24 * time.Hour

func ensure(t *testing.T, client *fake.Clientset, etcd Etcd, now time.Time) map[string]Action {
	t.Helper()
	outcomes, err := Ensure(t.Context(), client.CoreV1().Secrets(etcd.Namespace), etcd, clocktesting.NewFakePassiveClock(now))
	if err != nil {
		t.Fatal(err)
	}
	actions := map[string]Action{}
	for _, outcome := range outcomes {
		actions[outcome.Secret] = outcome.Action
		if !outcome.NotAfter.After(now) {
			t.Errorf("%s is left expired", outcome.Secret)
		}
	}
	return actions
}

func all(action Action) map[string]Action {
	return map[string]Action{EtcdAuthoritySecret: action, EtcdServerSecret: action, EtcdPeerSecret: action, EtcdClientSecret: action}
}

func secretOf(t *testing.T, client *fake.Clientset, name string) *corev1.Secret {
	t.Helper()
	secret, err := client.CoreV1().Secrets(testEtcd.Namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func pairOf(t *testing.T, client *fake.Clientset, name string) *KeyPair {
	t.Helper()
	secret := secretOf(t, client, name)
	pair, err := ParseKeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func TestEtcdMembersAndClientTrustEachOther(t *testing.T) {
	client, now := fake.NewClientset(), time.Now()
	if diff := cmp.Diff(all(Created), ensure(t, client, testEtcd, now)); diff != "" {
		t.Fatalf("actions (-want +got):\n%s", diff)
	}
	server, peer, user := pairOf(t, client, EtcdServerSecret), pairOf(t, client, EtcdPeerSecret), pairOf(t, client, EtcdClientSecret)
	for _, connection := range []struct {
		name           string
		server, client *KeyPair
		host           string
	}{
		{"client to member", server, user, "extant-etcd-2.extant-etcd.extant-system.svc"},
		{"client to any member", server, user, "extant-etcd.extant-system.svc"},
		{"member to itself", server, server, "localhost"},
		{"member to member", peer, peer, "extant-etcd-0.extant-etcd.extant-system.svc"},
	} {
		t.Run(connection.name, func(t *testing.T) {
			// Each side knows the authority from its own Secret alone.
			roots := func(name string) *x509.CertPool {
				p := x509.NewCertPool()
				if !p.AppendCertsFromPEM(secretOf(t, client, name).Data["ca.crt"]) {
					t.Fatalf("%s has no authority", name)
				}
				return p
			}
			handshake(t,
				&tls.Config{Certificates: []tls.Certificate{tlsCertificate(connection.server)}, ClientCAs: roots(connection.server.Certificate.Subject.CommonName), ClientAuth: tls.RequireAndVerifyClientCert},
				&tls.Config{Certificates: []tls.Certificate{tlsCertificate(connection.client)}, RootCAs: roots(connection.client.Certificate.Subject.CommonName), ServerName: connection.host},
			)
		})
	}
}

func TestEmptySecretsAreFilledAndNoneIsCreated(t *testing.T) {
	client := fake.NewClientset()
	for name := range all(Created) {
		empty := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: testEtcd.Namespace, Name: name}, Type: corev1.SecretTypeOpaque}
		if err := client.Tracker().Add(empty); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(all(Created), ensure(t, client, testEtcd, start)); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(all(Kept), ensure(t, client, testEtcd, start.Add(time.Hour))); diff != "" {
		t.Errorf("actions of a second run (-want +got):\n%s", diff)
	}
	for _, action := range client.Actions() {
		if verb := action.GetVerb(); verb != "get" && verb != "update" {
			t.Errorf("%s %s, which the manifests' Role does not allow", verb, action.GetResource().Resource)
		}
	}
}

func TestOnlyTheAuthoritysSecretHoldsItsKey(t *testing.T) {
	client := fake.NewClientset()
	ensure(t, client, testEtcd, start)
	key := secretOf(t, client, EtcdAuthoritySecret).Data[corev1.TLSPrivateKeyKey]
	for _, name := range []string{EtcdServerSecret, EtcdPeerSecret, EtcdClientSecret} {
		for field, value := range secretOf(t, client, name).Data {
			if string(value) == string(key) {
				t.Errorf("%s holds the authority's key in %s", name, field)
			}
		}
	}
}

func TestEnsureRenewsInTheLastThirdAndKeepsTheRest(t *testing.T) {
	client := fake.NewClientset()
	ensure(t, client, testEtcd, start)
	authority := pairOf(t, client, EtcdAuthoritySecret)
	leaves := all(Renewed)
	leaves[EtcdAuthoritySecret] = Kept
	larger := testEtcd
	larger.Members = 5
	larger.Service = testEtcd.Service

	steps := []struct {
		name  string
		etcd  Etcd
		after time.Duration
		want  map[string]Action
	}{
		{"soon after", testEtcd, time.Hour, all(Kept)},
		{"before the last third", testEtcd, 243 * day, all(Kept)},
		{"in the last third", testEtcd, 244 * day, leaves},
		{"again", testEtcd, 244*day + time.Hour, all(Kept)},
		{"two more members", larger, 245 * day, map[string]Action{EtcdAuthoritySecret: Kept, EtcdServerSecret: Renewed, EtcdPeerSecret: Renewed, EtcdClientSecret: Kept}},
		{"the authority's last third", larger, AuthorityLifetime * 3 / 4, all(Renewed)},
		{"again", larger, AuthorityLifetime*3/4 + time.Hour, all(Kept)},
		{"after years of neglect", larger, 3 * AuthorityLifetime, all(Renewed)},
	}
	for _, step := range steps {
		if diff := cmp.Diff(step.want, ensure(t, client, step.etcd, start.Add(step.after))); diff != "" {
			t.Fatalf("%s: actions (-want +got):\n%s", step.name, diff)
		}
	}
	renewed := pairOf(t, client, EtcdAuthoritySecret)
	if !bytes.Equal(renewed.Certificate.RawSubjectPublicKeyInfo, authority.Certificate.RawSubjectPublicKeyInfo) {
		t.Error("the authority's key was replaced")
	}
}

func TestARenewedAuthorityReachesCertificatesThatAreKept(t *testing.T) {
	client := fake.NewClientset()
	ensure(t, client, testEtcd, start)
	before := AuthorityLifetime*2/3 - 30*day
	ensure(t, client, testEtcd, start.Add(before))
	kept := pairOf(t, client, EtcdServerSecret)
	ensure(t, client, testEtcd, start.Add(before+60*day))
	if !pairOf(t, client, EtcdServerSecret).Certificate.Equal(kept.Certificate) {
		t.Error("a certificate in the first third of its life was issued anew")
	}
	authority := pairOf(t, client, EtcdAuthoritySecret).CertificatePEM()
	if diff := cmp.Diff(string(authority), string(secretOf(t, client, EtcdServerSecret).Data["ca.crt"])); diff != "" {
		t.Errorf("authority in the server's secret (-want +got):\n%s", diff)
	}
}

func TestEnsureRefusesWhatItDidNotFill(t *testing.T) {
	stranger, err := NewAuthority("somebody", start, AuthorityLifetime)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := stranger.Issue(Profile{CommonName: EtcdServerSecret}, start)
	if err != nil {
		t.Fatal(err)
	}
	secret := func(name string, pair *KeyPair) *corev1.Secret {
		data := map[string][]byte{"note": []byte("mine")}
		if pair != nil {
			key, err := pair.KeyPEM()
			if err != nil {
				t.Fatal(err)
			}
			data = map[string][]byte{corev1.TLSCertKey: pair.CertificatePEM(), corev1.TLSPrivateKeyKey: key}
		}
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: testEtcd.Namespace, Name: name}, Data: data}
	}
	const advice = "; nothing was changed: empty the secret to have it issued anew, or do not run this command if the certificates are managed elsewhere"
	tests := []struct {
		name    string
		secrets []runtime.Object
		want    string
	}{
		{"unreadable authority", []runtime.Object{secret(EtcdAuthoritySecret, nil)},
			"secret extant-system/extant-etcd-ca holds no certificate that can be used: could not read certificate: data does not contain any valid RSA or ECDSA certificates" + advice},
		{"authority that is none", []runtime.Object{secret(EtcdAuthoritySecret, leaf)},
			"secret extant-system/extant-etcd-ca holds a certificate that is no authority" + advice},
		{"certificate without authority", []runtime.Object{secret(EtcdServerSecret, leaf)},
			"secret extant-system/extant-etcd-server exists without the authority extant-etcd-ca" + advice},
		{"unreadable certificate", []runtime.Object{secret(EtcdClientSecret, nil)},
			"secret extant-system/extant-etcd-client holds no certificate that can be used: could not read certificate: data does not contain any valid RSA or ECDSA certificates" + advice},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			client := fake.NewClientset(tc.secrets...)
			_, err := Ensure(t.Context(), client.CoreV1().Secrets(testEtcd.Namespace), testEtcd, clocktesting.NewFakePassiveClock(start))
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			for _, action := range client.Actions() {
				if action.GetVerb() != "get" {
					t.Errorf("%s %s", action.GetVerb(), action.GetResource().Resource)
				}
			}
		})
	}
	t.Run("another authority's certificate", func(t *testing.T) {
		client := fake.NewClientset()
		ensure(t, client, testEtcd, start)
		if _, err := client.CoreV1().Secrets(testEtcd.Namespace).Update(t.Context(), secret(EtcdServerSecret, leaf), metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		_, err := Ensure(t.Context(), client.CoreV1().Secrets(testEtcd.Namespace), testEtcd, clocktesting.NewFakePassiveClock(start.Add(300*day)))
		if err == nil || !strings.Contains(err.Error(), "extant-etcd-server holds a certificate that the authority extant-etcd-ca did not sign; nothing was changed") {
			t.Errorf("got error %v", err)
		}
	})
}

func TestTwoRunsAtOnceAgree(t *testing.T) {
	other, client := fake.NewClientset(), fake.NewClientset()
	ensure(t, other, testEtcd, start)
	faster, err := other.CoreV1().Secrets(testEtcd.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	client.PrependReactor("create", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) {
		// Between our reading and our writing, the other run did it all.
		for i := range faster.Items {
			if err := client.Tracker().Add(&faster.Items[i]); err != nil {
				t.Error(err)
			}
		}
		return true, nil, apierrors.NewAlreadyExists(corev1.Resource("secrets"), EtcdAuthoritySecret)
	})
	if diff := cmp.Diff(all(Kept), ensure(t, client, testEtcd, start)); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}
