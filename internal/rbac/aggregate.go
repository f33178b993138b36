package rbac

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// aggregate is the rules of a ClusterRole, and whether they had to be made.
type aggregate struct {
	rules []rbacv1.PolicyRule
	made  bool
}

// clusterRole returns the rules of a ClusterRole. Those of an aggregated one
// are written by a controller; rendered manifests have not been through it, so
// that over a dump they are put together here where there are none. An API
// server reads what is there, and so do we of a live cluster.
func (r resolver) clusterRole(role *rbacv1.ClusterRole) aggregate {
	if role.AggregationRule == nil || len(role.Rules) > 0 || r.snapshot.Origin != "dump" {
		return aggregate{rules: role.Rules}
	}
	if known, ok := r.resolved[role.Name]; ok {
		return known
	}
	together := aggregate{rules: r.collect(role, map[string]struct{}{}), made: true}
	r.resolved[role.Name] = together
	return together
}

// collect returns the rules of all ClusterRoles that an aggregated one selects,
// those that it selects being aggregated in turn. Roles may select each other;
// each counts once.
func (r resolver) collect(role *rbacv1.ClusterRole, seen map[string]struct{}) []rbacv1.PolicyRule {
	if _, ok := seen[role.Name]; ok {
		return nil
	}
	seen[role.Name] = struct{}{}
	if role.AggregationRule == nil || len(role.Rules) > 0 {
		return role.Rules
	}
	var selectors []labels.Selector
	for i := range role.AggregationRule.ClusterRoleSelectors {
		selector, err := metav1.LabelSelectorAsSelector(&role.AggregationRule.ClusterRoleSelectors[i])
		if err != nil {
			return nil // the controller, too, gives up on the role
		}
		selectors = append(selectors, selector)
	}
	var rules []rbacv1.PolicyRule
	for other := range r.snapshot.ClusterRoles().All() {
		for _, selector := range selectors {
			if selector.Matches(labels.Set(other.Labels)) {
				rules = append(rules, r.collect(other, seen)...)
				break
			}
		}
	}
	return rules
}
