package inventory

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Policy objects that are only counted: they configure what Kubernetes has
// built in, and never make an extension, but join the one that ships them.
// Those that Kubernetes itself creates in every cluster do not count: its
// bootstrap roles, its flow control, its priority classes.

var podSecurityAdmission = mechanism{
	point:   "pod-security-admission",
	pattern: extant.PatternPolicyAPI,
	reads:   []schema.GroupResource{namespaces},
	counts: func(namespace metadata, _ string) bool {
		labels := namespace.GetLabels()
		for _, mode := range podSecurityLabels {
			if _, ok := labels[mode]; ok {
				return true
			}
		}
		return false
	},
}

var podSecurityLabels = []string{
	"pod-security.kubernetes.io/enforce", "pod-security.kubernetes.io/audit", "pod-security.kubernetes.io/warn",
}

var resourceQuota = mechanism{
	point:   "resource-quota",
	pattern: extant.PatternPolicyAPI,
	reads:   []schema.GroupResource{resourceQuotas},
}

var limitRange = mechanism{
	point:   "limit-range",
	pattern: extant.PatternPolicyAPI,
	reads:   []schema.GroupResource{limitRanges},
}

var networkPolicy = mechanism{
	point:   "network-policy",
	pattern: extant.PatternPolicyAPI,
	reads:   []schema.GroupResource{networkPolicies},
}

var rbac = mechanism{
	point:   "rbac",
	pattern: extant.PatternPolicyAPI,
	reads:   []schema.GroupResource{clusterRoles, clusterRoleBindings, roles, roleBindings},
	counts: func(object metadata, _ string) bool {
		_, bootstrap := object.GetLabels()["kubernetes.io/bootstrapping"]
		return !bootstrap
	},
}

var priorityClass = mechanism{
	point:   "priority-class",
	pattern: extant.PatternPolicyAPI,
	reads:   []schema.GroupResource{priorityClasses},
	counts:  func(_ metadata, name string) bool { return !strings.HasPrefix(name, "system-") },
}

var flowControl = mechanism{
	point:   "flow-control",
	pattern: extant.PatternPolicyAPI,
	reads:   []schema.GroupResource{flowSchemas, priorityLevels},
	counts: func(object metadata, _ string) bool {
		// Kubernetes puts the annotation on its own objects; an administrator
		// who takes one over sets it to false.
		return object.GetAnnotations()["apf.kubernetes.io/autoupdate-spec"] != "true"
	},
}
