package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/extant-project/extant/internal/pki"
	"github.com/extant-project/extant/test/controlplane"
)

const declared = `
apiVersion: extant.dev/v1alpha1
kind: Extension
metadata:
  name: %NAME%
spec:
  owner: platform
`

// extensionNamed is the manifest of an extension that somebody declares.
func extensionNamed(name string) string {
	return strings.ReplaceAll(declared, "%NAME%", name)
}

func TestRBACOfTheClusterDecidesWhoReadsAndWhoWrites(t *testing.T) {
	viewer, nobody := newUser(t, "viewer"), newUser(t, "nobody")
	if err := grant(t.Context(), kubeClient(t), "test-viewer", "viewer",
		rbacv1.PolicyRule{APIGroups: []string{"extant.dev"}, Resources: []string{"*"}, Verbs: []string{"get", "list", "watch"}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, soon, func(context.Context) string {
		if _, complaint, err := runKubectl(t, viewer, "", "get", "extensionpoints", "rbac"); err != nil {
			return complaint
		}
		return ""
	})
	wantIn(t, kubectlFails(t, viewer, extensionNamed("by-viewer"), "create", "-f", "-"),
		"Forbidden", `User "viewer" cannot create resource "extensions" in API group "extant.dev"`)
	wantIn(t, kubectlFails(t, viewer, "", "delete", "extensionpoint", "rbac"), "Forbidden")
	wantIn(t, kubectlFails(t, nobody, "", "get", "extensionpoints"), "Forbidden", `User "nobody" cannot list resource "extensionpoints"`)

	for _, question := range []struct {
		user   *controlplane.User
		verb   string
		answer string
	}{{viewer, "list", "yes"}, {viewer, "create", "no"}, {nobody, "list", "no"}, {env.plane.Admin, "create", "yes"}} {
		// The exit status of no is 1.
		answer, _, _ := runKubectl(t, question.user, "", "auth", "can-i", question.verb, "extensions.extant.dev")
		if got := strings.TrimSpace(answer); got != question.answer {
			t.Errorf("can-i %s of %s: got %q, want %q", question.verb, question.user.Kubeconfig, got, question.answer)
		}
	}
}

// masters is what a forged request claims to be.
var masters = http.Header{
	"X-Remote-User":  {"admin"},
	"X-Remote-Group": {"system:masters"},
}

func TestHeadersOfTheAggregatorAreBelievedFromTheAggregatorAlone(t *testing.T) {
	const path = "/apis/extant.dev/v1alpha1/extensions"
	stranger, err := pki.NewAuthority("front-proxy-ca", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, caller := range []struct {
		name         string
		certificates []tls.Certificate
		want         []int
	}{
		{"without a certificate", nil, []int{http.StatusUnauthorized, http.StatusForbidden}},
		{"with a certificate of another authority of that name", clientCertificate(t, stranger, controlplane.FrontProxyName), []int{http.StatusUnauthorized, http.StatusForbidden}},
		{"with another name of the right authority", clientCertificate(t, env.plane.FrontProxyCA, "somebody"), []int{http.StatusUnauthorized, http.StatusForbidden}},
		{"as the aggregator", clientCertificate(t, env.plane.FrontProxyCA, controlplane.FrontProxyName), []int{http.StatusOK}},
	} {
		t.Run(caller.name, func(t *testing.T) {
			code, body, err := env.extant.get(t.Context(), path, masters, caller.certificates...)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range caller.want {
				if code == want {
					return
				}
			}
			t.Errorf("got %d, want one of %v: %s", code, caller.want, body)
		})
	}
}

func clientCertificate(t *testing.T, authority *pki.KeyPair, name string) []tls.Certificate {
	t.Helper()
	issued, err := authority.Issue(pki.Profile{CommonName: name, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return []tls.Certificate{{Certificate: [][]byte{issued.Certificate.Raw}, PrivateKey: issued.Key, Leaf: issued.Certificate}}
}

func TestAReadyServerKnowsWhatItNeedsToBeBelieved(t *testing.T) {
	_, checks, err := env.extant.get(t.Context(), "/readyz?verbose", nil)
	if err != nil {
		t.Fatal(err)
	}
	wantIn(t, checks, "[+]serving-certificate ok", "[+]front-proxy-authority ok", "[+]observed-cluster ok")
}

func TestAnonymousCallersReadHealthAndVersionOnly(t *testing.T) {
	for path, want := range map[string][]int{
		"/livez":                               {http.StatusOK},
		"/readyz":                              {http.StatusOK},
		"/healthz":                             {http.StatusOK},
		"/version":                             {http.StatusOK},
		"/metrics":                             {http.StatusUnauthorized, http.StatusForbidden},
		"/apis":                                {http.StatusUnauthorized, http.StatusForbidden},
		"/openapi/v2":                          {http.StatusUnauthorized, http.StatusForbidden},
		"/debug/pprof/":                        {http.StatusUnauthorized, http.StatusForbidden},
		"/apis/extant.dev/v1alpha1/extensions": {http.StatusUnauthorized, http.StatusForbidden},
	} {
		code, body, err := env.extant.get(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if code != want[0] && code != want[len(want)-1] {
			t.Errorf("%s: got %d, want %v: %s", path, code, want, body)
		}
	}
}
