package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/extant-project/extant/test/controlplane"
)

const group = "/apis/extant.dev/v1alpha1/"

// attempts are requests that change something or ask something.
var attempts = []struct{ method, path, body string }{
	{http.MethodPost, group + "requestreviews", `{"apiVersion": "extant.dev/v1alpha1", "kind": "RequestReview",
		"spec": {"request": {"operation": "GET", "version": "v1", "resource": "pods", "namespace": "default", "name": "a"}}}`},
	{http.MethodPost, group + "outagereviews", `{"apiVersion": "extant.dev/v1alpha1", "kind": "OutageReview", "spec": {"down": {"namespaces": ["kube-system"]}}}`},
	{http.MethodPost, group + "extensions", `{"apiVersion": "extant.dev/v1alpha1", "kind": "Extension", "metadata": {"name": "intruder"}}`},
	{http.MethodPost, group + "extensionpolicies", `{"apiVersion": "extant.dev/v1alpha1", "kind": "ExtensionPolicy", "metadata": {"name": "intruder"}, "spec": {"rules": []}}`},
	{http.MethodDelete, group + "findings", ""},
	{http.MethodPatch, group + "extensions/extant/status", `{"status": {"failureMode": "None"}}`},
}

// attempt sends a request, and returns the status code and what was said.
func attempt(t *testing.T, client *http.Client, host string, headers http.Header, method, path, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, host+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = headers.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(said)
}

// directly is a client of Extant itself.
func directly(t *testing.T) *http.Client {
	t.Helper()
	client, err := env.extant.client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// throughAggregator is a client of kube-apiserver with somebody's credentials,
// or, for nil, with none.
func throughAggregator(t *testing.T, user *controlplane.User) *http.Client {
	t.Helper()
	if user == nil {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(env.plane.Admin.Config.CAData)
		return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	}
	client, err := rest.HTTPClientFor(user.Config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// wantRefused wants every attempt to be answered with one of these codes.
func wantRefused(t *testing.T, client *http.Client, host string, headers http.Header, codes ...int) {
	t.Helper()
	for _, a := range attempts {
		code, said := attempt(t, client, host, headers, a.method, a.path, a.body)
		if code != codes[0] && code != codes[len(codes)-1] {
			t.Errorf("%s %s: got %d, want %v: %s", a.method, a.path, code, codes, said)
		}
	}
}

func TestAnonymousCallersAskAndChangeNothing(t *testing.T) {
	wantRefused(t, directly(t), env.extant.url, nil, http.StatusUnauthorized, http.StatusForbidden)
	wantRefused(t, throughAggregator(t, nil), env.plane.Admin.Config.Host, nil, http.StatusUnauthorized, http.StatusForbidden)
	// A name in a header is no name, whether the aggregator or Extant reads it.
	wantRefused(t, directly(t), env.extant.url, masters, http.StatusUnauthorized, http.StatusForbidden)
	wantRefused(t, throughAggregator(t, nil), env.plane.Admin.Config.Host, masters, http.StatusUnauthorized, http.StatusForbidden)
}

// TestATokenIsWorthWhatItsUserMay sends tokens to Extant itself, past the
// aggregator.
func TestATokenIsWorthWhatItsUserMay(t *testing.T) {
	kube := kubeClient(t)
	var token string
	eventually(t, soon, func(ctx context.Context) string {
		issued, err := kube.CoreV1().ServiceAccounts("default").CreateToken(ctx, "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
		if err != nil {
			return err.Error()
		}
		token = issued.Status.Token
		return ""
	})
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	wantRefused(t, directly(t), env.extant.url, bearer(token), http.StatusForbidden)
	wantRefused(t, directly(t), env.extant.url, bearer("nonsense"), http.StatusUnauthorized)
	wantRefused(t, directly(t), env.extant.url, bearer(token[:len(token)-8]+"AAAAAAAA"), http.StatusUnauthorized)
	// With headers of the aggregator it is still the token's user.
	forged := bearer(token)
	for name, values := range masters {
		forged[name] = values
	}
	wantRefused(t, directly(t), env.extant.url, forged, http.StatusForbidden)
}

// TestWhoMayListMayNotAsk is about a user with one right, who tries to be
// somebody else by each header that names a user.
func TestWhoMayListMayNotAsk(t *testing.T) {
	lister := newUser(t, "lister")
	if err := grant(t.Context(), kubeClient(t), "test-lister", "lister",
		rbacv1.PolicyRule{APIGroups: []string{"extant.dev"}, Resources: []string{"extensions"}, Verbs: []string{"list"}}); err != nil {
		t.Fatal(err)
	}
	client, host := throughAggregator(t, lister), lister.Config.Host
	eventually(t, soon, func(context.Context) string {
		if code, said := attempt(t, client, host, nil, http.MethodGet, group+"extensions", ""); code != http.StatusOK {
			return fmt.Sprintf("%d: %s", code, said)
		}
		return ""
	})
	wantRefused(t, client, host, nil, http.StatusForbidden)
	wantRefused(t, client, host, masters, http.StatusForbidden)
	wantRefused(t, client, host, http.Header{"Impersonate-User": {"admin"}, "Impersonate-Group": {"system:masters"}}, http.StatusForbidden)
	for _, path := range []string{"extensions?watch=true", "extensions/extant", "backends", "findings"} {
		if code, said := attempt(t, client, host, nil, http.MethodGet, group+path, ""); code != http.StatusForbidden {
			t.Errorf("GET %s: got %d: %s", path, code, said)
		}
	}
}
