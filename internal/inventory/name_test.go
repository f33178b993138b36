package inventory

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"cert-manager":    "cert-manager",
		"Linkerd":         "linkerd",
		"my_app v2":       "my-app-v2",
		"-odd-.-name-":    "odd.name",
		"a..b":            "a.b",
		"---":             "",
		"":                "",
		"k8s.io/ingress":  "k8s.io-ingress",
		"ünï":             "n",
		"trailing.":       "trailing",
		"A.B.C":           "a.b.c",
		"with.-dash.here": "with.dash.here",
	} {
		if got := nameOf(text); got != want {
			t.Errorf("%q becomes %q, not %q", text, got, want)
		}
	}
	long := nameOf(strings.Repeat("Long.", 100))
	if len(long) > maxName || len(validation.IsDNS1123Subdomain(long)) > 0 || long == nameOf(strings.Repeat("Long.", 101)) {
		t.Errorf("%q is no name of its own", long)
	}
}

func TestURLs(t *testing.T) {
	for raw, want := range map[string][3]string{
		"https://Hooks.Example.org":      {"hooks.example.org.443", "https://hooks.example.org:443", ""},
		"https://hooks.example.org:8443": {"hooks.example.org.8443", "https://hooks.example.org:8443", ""},
		"http://10.0.0.1/a/b":            {"10.0.0.1.80", "http://10.0.0.1:80", "/a/b"},
		"https://[FD00::1]:6443/x":       {"fd00--1.6443", "https://[fd00::1]:6443", "/x"},
		"https://[::1]":                  {"0--1.443", "https://[::1]:443", ""},
		"https://[fd00::]":               {"fd00--0.443", "https://[fd00::]:443", ""},
	} {
		name, address, path, ok := parseURL(raw)
		if got := [3]string{name, address, path}; !ok || got != want {
			t.Errorf("%s becomes %v, not %v", raw, got, want)
		}
		if len(validation.IsDNS1123Subdomain(name)) > 0 {
			t.Errorf("%s becomes %q, which is no name", raw, name)
		}
	}
	for _, raw := range []string{"", "https://", "::", "/path"} {
		if _, _, _, ok := parseURL(raw); ok {
			t.Errorf("%q is taken for a URL", raw)
		}
	}
}

func TestOwnerDomains(t *testing.T) {
	for group, want := range map[string]string{
		"cert-manager.io":                 "cert-manager.io",
		"acme.cert-manager.io":            "cert-manager.io",
		"boats.example.co.uk":             "example.co.uk",
		"team.github.io":                  "team.github.io",
		"gateway.networking.k8s.io":       "gateway.networking.k8s.io",
		"snapshot.storage.k8s.io":         "snapshot.storage.k8s.io",
		"metrics.k8s.io":                  "metrics.k8s.io",
		"custom.metrics.k8s.io":           "custom.metrics.k8s.io",
		"cluster.x-k8s.io":                "cluster.x-k8s.io",
		"bootstrap.cluster.x-k8s.io":      "cluster.x-k8s.io",
		"nfs.csi.k8s.io":                  "nfs.csi.k8s.io",
		"visibility.kueue.x-k8s.io":       "kueue.x-k8s.io",
		"kai.scheduler":                   "kai.scheduler",
		"nodot":                           "",
		"externaldns.k8s.io":              "externaldns.k8s.io",
		"inference.networking.k8s.io":     "inference.networking.k8s.io",
		"sub.inference.networking.k8s.io": "inference.networking.k8s.io",
	} {
		if got := ownerDomain(group); got != want {
			t.Errorf("%s is of %q, not %q", group, got, want)
		}
	}
	for controller, want := range map[string]string{
		"k8s.io/ingress-nginx":                     "ingress-nginx",
		"istio.io/gateway-controller":              "istio.io",
		"gateway.envoyproxy.io/gateway-controller": "envoyproxy.io",
		"ingress.k8s.aws/alb":                      "k8s.aws",
		"":                                         "",
	} {
		if got := controllerDomain(controller); got != want {
			t.Errorf("%s is of %q, not %q", controller, got, want)
		}
	}
}
