package rbac

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apiserver/pkg/authorization/authorizer"
)

// allows tells whether a rule allows a request. No published library has it.
//
// What is easily got wrong: "*" of resources includes subresources, "pods" does
// not include "pods/log", "*/scale" is that subresource of everything, and
// "pods/*" is nothing. A rule with names never allows a request without one,
// and so no create. Only the end of a URL may be a wildcard.
func allows(rule *rbacv1.PolicyRule, attributes authorizer.Attributes) bool {
	if !includes(rule.Verbs, attributes.GetVerb()) {
		return false
	}
	if !attributes.IsResourceRequest() {
		return slices.ContainsFunc(rule.NonResourceURLs, func(url string) bool {
			return url == attributes.GetPath() ||
				strings.HasSuffix(url, "*") && strings.HasPrefix(attributes.GetPath(), strings.TrimRight(url, "*"))
		})
	}
	return includes(rule.APIGroups, attributes.GetAPIGroup()) &&
		includesResource(rule.Resources, attributes.GetResource(), attributes.GetSubresource()) &&
		(len(rule.ResourceNames) == 0 || slices.Contains(rule.ResourceNames, attributes.GetName()))
}

func includes(set []string, value string) bool {
	return slices.Contains(set, "*") || slices.Contains(set, value)
}

func includesResource(set []string, resource, subresource string) bool {
	if subresource == "" {
		return includes(set, resource)
	}
	for _, one := range set {
		parent, child, _ := strings.Cut(one, "/")
		if one == "*" || (child == subresource && (parent == "*" || parent == resource)) {
			return true
		}
	}
	return false
}
