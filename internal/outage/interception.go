package outage

import (
	"cmp"
	"maps"
	"slices"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// interceptionKey is a kind of operation as rules of hooks are written.
type interceptionKey struct {
	operation                             extant.RequestOperation
	group, version, resource, subresource string
	// conditional: only some objects.
	conditional bool
	// namespaced: the operations in namespaces. Cluster-scoped ones are apart:
	// no selector of namespaces excludes them.
	namespaced bool
}

// interception is the hooks that are registered for one kind of operation.
type interception struct {
	key   interceptionKey
	where *namespaceSet
	hooks []*inventory.Hook
}

// namespaceSet is some namespaces.
type namespaceSet struct {
	all   bool
	names bitset
}

// interceptions are collected from hooks.
type interceptions struct {
	*analysis
	index *namespaceIndex
	found map[interceptionKey]*interception
}

func newInterceptions(a *analysis) *interceptions {
	return &interceptions{a, a.namespaceIndex(), map[interceptionKey]*interception{}}
}

// matching is what narrows the rules of a hook.
type matching struct {
	namespaces, objects *metav1.LabelSelector
	conditions          bool
}

func isEmpty(selector *metav1.LabelSelector) bool {
	return selector == nil || len(selector.MatchLabels) == 0 && len(selector.MatchExpressions) == 0
}

// addRules adds the operations of rules.
func (l *interceptions) addRules(hook *inventory.Hook, rules []admissionregistrationv1.RuleWithOperations, policy *admissionregistrationv1.MatchPolicyType, m matching) {
	equivalent := policy == nil || *policy == admissionregistrationv1.Equivalent
	webhook := hook.MutatingConfiguration != nil || hook.ValidatingConfiguration != nil
	for i := range rules {
		rule := &rules[i]
		for _, group := range rule.APIGroups {
			for _, written := range rule.Resources {
				resource, subresource := splitResource(written)
				if webhook && l.exempt(group, resource) {
					continue
				}
				for _, gv := range l.versions(schema.GroupResource{Group: group, Resource: resource}, rule.APIVersions, equivalent) {
					for _, o := range operationsOf(rule.Operations) {
						key := interceptionKey{operation: o, group: gv.Group, version: gv.Version, resource: resource, subresource: subresource}
						key.conditional = m.conditions || !isEmpty(m.objects)
						l.addScoped(hook, key, valueOr(rule.Scope, admissionregistrationv1.AllScopes), m.namespaces)
					}
				}
			}
		}
	}
}

func splitResource(written string) (resource, subresource string) {
	for i := range written {
		if written[i] == '/' {
			return written[:i], written[i+1:]
		}
	}
	return written, ""
}

func operationsOf(written []admissionregistrationv1.OperationType) []extant.RequestOperation {
	if slices.Contains(written, admissionregistrationv1.OperationAll) {
		return allOperations[:4]
	}
	var operations []extant.RequestOperation
	for _, o := range written {
		operations = append(operations, extant.RequestOperation(o))
	}
	return operations
}

// versions are the versions of a rule, and those that the API server takes for
// equivalent: an Equivalent rule matches every version in which the same
// resource is served, and events of both groups.
func (l *interceptions) versions(resource schema.GroupResource, written []string, equivalent bool) []schema.GroupVersion {
	groups := []string{resource.Group}
	if equivalent && resource.Resource == "events" {
		groups = []string{"", "events.k8s.io"}
	}
	if slices.Contains(written, "*") || resource.Group == "*" || resource.Resource == "*" {
		var all []schema.GroupVersion
		for _, group := range groups {
			for _, v := range written {
				if v == "*" {
					v = ""
				}
				all = append(all, schema.GroupVersion{Group: group, Version: v})
			}
		}
		return all
	}
	if equivalent && !l.registered(resource, written) {
		equivalent = false
	}
	var all []schema.GroupVersion
	for _, group := range groups {
		served := l.snapshot().Discovery.Versions(schema.GroupResource{Group: group, Resource: resource.Resource})
		for _, one := range served {
			if equivalent || slices.Contains(written, one.Version) {
				all = append(all, schema.GroupVersion{Group: group, Version: one.Version})
			}
		}
		if len(served) == 0 && group == resource.Group {
			for _, v := range written {
				all = append(all, schema.GroupVersion{Group: group, Version: v})
			}
		}
	}
	return all
}

// registered tells whether the API server knows a resource in any of the
// versions of a rule. What it never heard of is equivalent to nothing; of a
// custom resource it also knows the versions that it does not serve.
func (l *interceptions) registered(resource schema.GroupResource, versions []string) bool {
	for _, served := range l.snapshot().Discovery.Versions(resource) {
		if slices.Contains(versions, served.Version) {
			return true
		}
	}
	definition, ok := l.snapshot().CustomResourceDefinitions().Get("", resource.String())
	return ok && slices.ContainsFunc(definition.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool {
		return slices.Contains(versions, v.Name)
	})
}

// reviews are asked with every request; webhooks do not see them from 1.37 on.
var reviews = map[schema.GroupResource]bool{
	{Group: "authentication.k8s.io", Resource: "tokenreviews"}:             true,
	{Group: "authentication.k8s.io", Resource: "selfsubjectreviews"}:       true,
	{Group: "authorization.k8s.io", Resource: "subjectaccessreviews"}:      true,
	{Group: "authorization.k8s.io", Resource: "localsubjectaccessreviews"}: true,
	{Group: "authorization.k8s.io", Resource: "selfsubjectaccessreviews"}:  true,
	{Group: "authorization.k8s.io", Resource: "selfsubjectrulesreviews"}:   true,
}

// exempt tells whether webhooks never see a resource.
func (l *interceptions) exempt(group, resource string) bool {
	if group == "admissionregistration.k8s.io" {
		return true
	}
	return reviews[schema.GroupResource{Group: group, Resource: resource}] && l.snapshot().Version().AtLeast(version.MajorMinor(1, 37))
}

// addScoped adds operations in the namespaces that a selector selects, and
// those outside of namespaces.
func (l *interceptions) addScoped(hook *inventory.Hook, key interceptionKey, scope admissionregistrationv1.ScopeType, selector *metav1.LabelSelector) {
	namespaced, cluster := scope != admissionregistrationv1.ClusterScope, scope != admissionregistrationv1.NamespacedScope
	if key.group != "*" && key.resource != "*" {
		if is, known := l.isNamespaced(key); known {
			namespaced, cluster = namespaced && is, cluster && !is
		}
	}
	if key.group == "" && key.resource == "namespaces" && cluster {
		l.addNamespaces(hook, key, selector)
		return
	}
	if namespaced {
		l.add(hook, key, l.selected(selector))
	}
	if cluster && (!namespaced || !isEmpty(selector)) {
		l.add(hook, key, nil)
	}
}

// addNamespaces adds operations on Namespaces, to which the selector applies as
// to what is in them. A namespace that is created is judged by the labels that
// are sent.
func (l *interceptions) addNamespaces(hook *inventory.Hook, key interceptionKey, selector *metav1.LabelSelector) {
	if key.operation != extant.OperationCreate || isEmpty(selector) {
		l.add(hook, key, l.selected(selector))
		return
	}
	key.conditional = true
	l.add(hook, key, l.everywhere())
}

// isNamespaced tells whether a resource is in namespaces, where that is known.
func (l *interceptions) isNamespaced(key interceptionKey) (namespaced, known bool) {
	for served := range l.snapshot().Discovery.Of(schema.GroupResource{Group: key.group, Resource: key.resource}) {
		return served.Namespaced, true
	}
	return false, false
}

func (l *interceptions) everywhere() *namespaceSet { return l.selected(nil) }

func (l *interceptions) selected(selector *metav1.LabelSelector) *namespaceSet {
	return l.index.selected(selector)
}

// add adds operations of one hook. Those in no namespace are left out.
func (l *interceptions) add(hook *inventory.Hook, key interceptionKey, where *namespaceSet) {
	if where != nil && !where.all && where.names.count() == 0 {
		return
	}
	key.namespaced = where != nil
	found, ok := l.found[key]
	if !ok {
		found = &interception{key: key}
		if where != nil {
			found.where = &namespaceSet{names: l.index.empty()}
		}
		l.found[key] = found
	}
	if where != nil {
		found.where.all = found.where.all || where.all
		found.where.names.or(where.names)
	}
	if n := len(found.hooks); n == 0 || found.hooks[n-1] != hook {
		found.hooks = append(found.hooks, hook)
	}
}

// ordered are the interceptions in order of group, resource and operation.
func (l *interceptions) ordered() []*interception {
	return slices.SortedFunc(maps.Values(l.found), func(x, y *interception) int {
		return cmp.Or(
			cmp.Compare(x.key.group, y.key.group), cmp.Compare(x.key.resource, y.key.resource), cmp.Compare(x.key.subresource, y.key.subresource),
			cmp.Compare(x.key.version, y.key.version),
			cmp.Compare(slices.Index(allOperations, x.key.operation), slices.Index(allOperations, y.key.operation)),
			compareBool(x.key.conditional, y.key.conditional), compareBool(x.key.namespaced, y.key.namespaced),
		)
	})
}

func compareBool(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}

func (l *interceptions) operations() []extant.InterceptedOperation {
	var all []extant.InterceptedOperation
	for _, one := range l.ordered() {
		all = append(all, l.operation(one))
	}
	return all
}

// maxNames is how many namespaces a summary names.
const maxNames = 10

func (l *interceptions) operation(i *interception) extant.InterceptedOperation {
	o := extant.InterceptedOperation{
		Operation: i.key.operation, Group: i.key.group, Version: i.key.version, Resource: i.key.resource, Subresource: i.key.subresource,
		Conditional: i.key.conditional,
	}
	if i.where != nil {
		most := len(l.index.names)
		if l.spec.Detail != extant.DetailFull {
			most = min(most, maxNames)
		}
		o.Namespaces = &extant.NamespaceSet{All: i.where.all, Count: int32(i.where.names.count()), Names: l.index.in(i.where.names, most)}
	}
	for _, hook := range i.hooks {
		o.By = append(o.By, referenceOf(hook))
	}
	sortReferences(o.By)
	return o
}

func referenceOf(hook *inventory.Hook) extant.HookReference {
	return extant.HookReference{Configuration: hook.Object, Hook: hook.Name, Backend: hook.Backend}
}

func sortReferences(all []extant.HookReference) {
	slices.SortFunc(all, func(x, y extant.HookReference) int {
		return cmp.Or(cmp.Compare(x.Configuration, y.Configuration), cmp.Compare(x.Hook, y.Hook), cmp.Compare(x.Backend, y.Backend))
	})
}

func duration(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }
