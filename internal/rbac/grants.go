package rbac

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/extant-project/extant/internal/cluster"
)

// grants are the bindings of a snapshot by whom they bind, so that a decision
// looks at the bindings of its user and at no others.
type grants struct {
	byHolder map[holder][]*grant
}

// holder is a user or a group, cluster-wide or in one namespace. A service
// account is the user that it authenticates as.
type holder struct {
	namespace, kind, name string
}

// grant is a binding with the rules of its role.
type grant struct {
	kind, namespace, name string
	role                  rbacv1.RoleRef
	subjects              []rbacv1.Subject
	rules                 []rbacv1.PolicyRule
	// unresolved is why there are no rules.
	unresolved error
	// missing is the resource that would have had the role.
	missing schema.GroupResource
	// aggregated tells whether the rules were put together from those
	// ClusterRoles that the snapshot shows.
	aggregated bool
}

func grantsOf(snapshot *cluster.Snapshot) *grants {
	g := &grants{byHolder: map[holder][]*grant{}}
	resolve := resolver{snapshot: snapshot, resolved: map[string]aggregate{}}
	for binding := range snapshot.ClusterRoleBindings().All() {
		g.add(resolve, &grant{kind: "ClusterRoleBinding", name: binding.Name, role: binding.RoleRef, subjects: binding.Subjects})
	}
	for binding := range snapshot.RoleBindings().All() {
		g.add(resolve, &grant{kind: "RoleBinding", namespace: binding.Namespace, name: binding.Name, role: binding.RoleRef, subjects: binding.Subjects})
	}
	return g
}

func (g *grants) add(resolve resolver, one *grant) {
	resolve.rules(one)
	holders := map[holder]struct{}{}
	for i := range one.subjects {
		if h, ok := one.holder(&one.subjects[i]); ok {
			holders[h] = struct{}{}
		}
	}
	for h := range holders {
		g.byHolder[h] = append(g.byHolder[h], one)
	}
}

// holder returns whom a subject of the binding means, if anybody: the kind
// decides, and the API group is not looked at.
func (b *grant) holder(subject *rbacv1.Subject) (holder, bool) {
	switch subject.Kind {
	case rbacv1.UserKind, rbacv1.GroupKind:
		return holder{b.namespace, subject.Kind, subject.Name}, true
	case rbacv1.ServiceAccountKind:
		namespace := subject.Namespace
		if namespace == "" {
			namespace = b.namespace
		}
		return holder{b.namespace, rbacv1.UserKind, serviceaccount.MakeUsername(namespace, subject.Name)}, namespace != ""
	default:
		return holder{}, false
	}
}

// of yields the bindings of a user that count in a namespace, cluster-wide ones
// first; a binding may come twice.
func (g *grants) of(who user.Info, namespace string) iter.Seq[*grant] {
	scopes := []string{"", namespace}
	if namespace == "" {
		scopes = scopes[:1]
	}
	return func(yield func(*grant) bool) {
		for _, scope := range scopes {
			for _, one := range g.byHolder[holder{scope, rbacv1.UserKind, who.GetName()}] {
				if !yield(one) {
					return
				}
			}
			for _, group := range who.GetGroups() {
				for _, one := range g.byHolder[holder{scope, rbacv1.GroupKind, group}] {
					if !yield(one) {
						return
					}
				}
			}
		}
	}
}

// to describes the grant as kube-apiserver does, with the first subject that
// means the user.
func (b *grant) to(who user.Info) string {
	name := b.name
	if b.namespace != "" {
		name += "/" + b.namespace
	}
	for i := range b.subjects {
		subject := &b.subjects[i]
		h, ok := b.holder(subject)
		if !ok || (h.kind == rbacv1.UserKind && h.name != who.GetName()) ||
			(h.kind == rbacv1.GroupKind && !slices.Contains(who.GetGroups(), h.name)) {
			continue
		}
		whom := subject.Name
		if subject.Kind == rbacv1.ServiceAccountKind {
			if subject.Namespace != "" {
				whom += "/" + subject.Namespace
			} else {
				whom += "/" + b.namespace
			}
		}
		return fmt.Sprintf("%s %q of %s %q to %s %q", b.kind, name, b.role.Kind, b.role.Name, subject.Kind, whom)
	}
	return fmt.Sprintf("%s %q of %s %q", b.kind, name, b.role.Kind, b.role.Name)
}

// authorizeRBAC allows what a rule of the user's roles allows. Rules only ever
// add: what a visible rule allows, nothing unseen can take away.
func (a *Authorizer) authorizeRBAC(attributes authorizer.Attributes) answer {
	who, namespace := attributes.GetUser(), attributes.GetNamespace()
	needed := []schema.GroupResource{clusterRoleBindings}
	if namespace != "" {
		needed = append(needed, roleBindings)
	}
	if !a.bootstrapped {
		needed = append(needed, clusterRoles)
	}
	var unresolved []error
	for one := range a.grants.of(who, namespace) {
		for i := range one.rules {
			if allows(&one.rules[i], attributes) {
				return allowed("RBAC: allowed by " + one.to(who))
			}
		}
		if one.aggregated {
			needed = append(needed, clusterRoles)
		}
		if one.unresolved != nil {
			unresolved = append(unresolved, one.unresolved)
			needed = append(needed, one.missing)
		}
	}
	for _, resource := range needed {
		if gap, hidden := a.snapshot.DecidingGap(resource); hidden {
			return unknown("%s cannot be seen: %s", resource, gap.Message)
		}
	}
	if len(unresolved) == 0 {
		return answer{}
	}
	// The cluster has no order here; ours is always the same. The aggregate says
	// each thing once.
	slices.SortFunc(unresolved, func(x, y error) int { return strings.Compare(x.Error(), y.Error()) })
	return silent("RBAC: %v", utilerrors.NewAggregate(unresolved))
}

// resolver finds the rules of roles.
type resolver struct {
	snapshot *cluster.Snapshot
	resolved map[string]aggregate
}

// rules fills in the rules of a binding's role.
func (r resolver) rules(b *grant) {
	switch b.role.Kind {
	case "Role":
		if role, ok := r.snapshot.Roles().Get(b.namespace, b.role.Name); ok && b.namespace != "" {
			b.rules = role.Rules
			return
		}
		b.missing, b.unresolved = roles, apierrors.NewNotFound(rbacv1.Resource("role"), b.role.Name)
	case "ClusterRole":
		if role, ok := r.snapshot.ClusterRoles().Get("", b.role.Name); ok {
			together := r.clusterRole(role)
			b.rules, b.aggregated = together.rules, together.made
			return
		}
		b.missing, b.unresolved = clusterRoles, apierrors.NewNotFound(rbacv1.Resource("clusterrole"), b.role.Name)
	default:
		b.unresolved = fmt.Errorf("unsupported role reference kind: %q", b.role.Kind)
	}
}
