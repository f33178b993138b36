package inventory

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// The registrable domain of an API group tells whose it is: acme.cert-manager.io
// and cert-manager.io have one owner. The domains of the Kubernetes community
// are the exception: snapshot.storage.k8s.io, metrics.k8s.io and
// cluster.x-k8s.io are the work of different projects, as are the domains under
// a country's suffix. They are therefore taken for public suffixes, and so are
// the areas below them in which several projects have groups.
var communitySuffixes = []string{
	"k8s.io", "x-k8s.io", "kubernetes.io",
	"networking.k8s.io", "storage.k8s.io", "csi.k8s.io", "metrics.k8s.io", "scheduling.k8s.io", "resource.k8s.io",
	"networking.x-k8s.io", "scheduling.x-k8s.io",
}

// ownerDomain is the domain that tells whose an API group, or another name
// that is written like one, is. It is empty where the name has no dot.
func ownerDomain(name string) string {
	name = strings.ToLower(strings.Trim(name, "."))
	suffix := ""
	for _, community := range communitySuffixes {
		if len(community) > len(suffix) && under(name, community) {
			suffix = community
		}
	}
	if suffix == "" {
		return registrableDomain(name)
	}
	if name == suffix {
		return name
	}
	rest := strings.TrimSuffix(name, "."+suffix)
	return rest[strings.LastIndexByte(rest, '.')+1:] + "." + suffix
}

// registrableDomain is the domain that somebody registered, one label below
// the public suffix.
func registrableDomain(name string) string {
	if !strings.Contains(name, ".") {
		return ""
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		// The name is itself a public suffix.
		return name
	}
	return domain
}

// under tells whether a name is a domain or lies below it.
func under(name, domain string) bool {
	return name == domain || (len(name) > len(domain) && strings.HasSuffix(name, domain) && name[len(name)-len(domain)-1] == '.')
}

// controllerDomain tells whose a class is by the string that names its
// controller, such as example.com/gateway-controller. Where the domain is the
// Kubernetes community's own, the path names the project: k8s.io/ingress-nginx.
func controllerDomain(controller string) string {
	domain, path, _ := strings.Cut(controller, "/")
	owner := ownerDomain(domain)
	for _, community := range communitySuffixes {
		if owner == community && path != "" {
			project, _, _ := strings.Cut(path, "/")
			return project
		}
	}
	return owner
}

// builtinGroups have kinds of Kubernetes itself: a hook on them tells nothing
// about whose it is.
var builtinGroups = map[string]bool{
	"": true, "admissionregistration.k8s.io": true, "apiextensions.k8s.io": true, "apiregistration.k8s.io": true,
	"apps": true, "authentication.k8s.io": true, "authorization.k8s.io": true, "autoscaling": true, "batch": true,
	"certificates.k8s.io": true, "coordination.k8s.io": true, "discovery.k8s.io": true, "events.k8s.io": true,
	"extensions": true, "flowcontrol.apiserver.k8s.io": true, "internal.apiserver.k8s.io": true,
	"networking.k8s.io": true, "node.k8s.io": true, "policy": true, "rbac.authorization.k8s.io": true,
	"resource.k8s.io": true, "scheduling.k8s.io": true, "storage.k8s.io": true, "storagemigration.k8s.io": true,
}
