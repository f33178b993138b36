package outage

import (
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// blocked are the operations that are refused while the backends are lost: what
// their hooks that fail closed are registered for, and what policies refuse
// whose params are deleted.
func (a *analysis) blocked() []extant.InterceptedOperation {
	list := newInterceptions(a)
	for i := range a.observed.Inventory.Hooks {
		hook := &a.observed.Inventory.Hooks[i]
		if a.hookDeleted(hook) {
			continue
		}
		if b := a.loss.backends[hook.Backend]; b != nil && hook.FailurePolicy != "Ignore" {
			list.addHook(hook)
		}
		if a.paramDeleted(hook) {
			list.addPolicy(hook)
		}
	}
	return list.operations()
}

// degraded are the operations that go through without a hook that would have
// run, or after waiting for it.
func (a *analysis) degraded() []extant.DegradedOperation {
	list := newInterceptions(a)
	for i := range a.observed.Inventory.Hooks {
		hook := &a.observed.Inventory.Hooks[i]
		if b := a.loss.backends[hook.Backend]; b != nil && hook.FailurePolicy == "Ignore" && !a.hookDeleted(hook) {
			list.addHook(hook)
		}
	}
	var all []extant.DegradedOperation
	for _, one := range list.ordered() {
		degraded := extant.DegradedOperation{InterceptedOperation: list.operation(one), Effect: extant.EffectSkipped}
		if a.loss.Mode == extant.ModeUnreachable {
			degraded.Effect, degraded.Delay = extant.EffectDelayed, duration(one.delay())
		}
		all = append(all, degraded)
	}
	return all
}

// delay is how long the hooks of an interception keep an operation waiting.
func (i *interception) delay() time.Duration {
	var total, longest time.Duration
	for _, hook := range i.hooks {
		timeout := time.Duration(hook.TimeoutSeconds) * time.Second
		if hook.MutatingConfiguration != nil {
			total += timeout
		} else {
			longest = max(longest, timeout)
		}
	}
	return total + longest
}

// addHook adds what a hook that calls a backend is registered for.
func (l *interceptions) addHook(hook *inventory.Hook) {
	switch {
	case hook.MutatingWebhook() != nil:
		w := hook.MutatingWebhook()
		l.addRules(hook, w.Rules, w.MatchPolicy, matching{w.NamespaceSelector, w.ObjectSelector, len(w.MatchConditions) > 0})
	case hook.ValidatingWebhook() != nil:
		w := hook.ValidatingWebhook()
		l.addRules(hook, w.Rules, w.MatchPolicy, matching{w.NamespaceSelector, w.ObjectSelector, len(w.MatchConditions) > 0})
	case hook.APIService != nil:
		l.addAggregated(hook)
	case hook.Definition != nil:
		l.addConversion(hook)
	}
}

// allOperations are the operations of a request of any kind.
var allOperations = []extant.RequestOperation{
	extant.OperationCreate, extant.OperationUpdate, extant.OperationDelete, extant.OperationConnect,
	extant.OperationGet, extant.OperationList, extant.OperationWatch,
}

// addAggregated adds everything that a server behind an APIService serves.
func (l *interceptions) addAggregated(hook *inventory.Hook) {
	spec := &hook.APIService.Spec
	for _, o := range allOperations {
		l.add(hook, interceptionKey{operation: o, group: spec.Group, version: spec.Version, resource: "*", subresource: "*"}, l.everywhere())
	}
}

// addConversion adds what needs the conversion of a custom resource: all that
// is asked for in another version than the stored one. Lists and watches go on
// from the watch cache until it has to be filled again.
func (l *interceptions) addConversion(hook *inventory.Hook) {
	definition := hook.Definition
	stored := ""
	for i := range definition.Spec.Versions {
		if version := &definition.Spec.Versions[i]; version.Storage {
			stored = version.Name
		}
	}
	operations := []extant.RequestOperation{extant.OperationCreate, extant.OperationUpdate, extant.OperationDelete, extant.OperationGet}
	if l.spec.Assume.WatchCache == extant.WatchCacheCold {
		operations = append(operations, extant.OperationList, extant.OperationWatch)
	}
	var where *namespaceSet
	if definition.Spec.Scope == "Namespaced" {
		where = l.everywhere()
	}
	for i := range definition.Spec.Versions {
		version := &definition.Spec.Versions[i]
		if !version.Served || version.Name == stored {
			continue
		}
		for _, o := range operations {
			key := interceptionKey{operation: o, group: definition.Spec.Group, version: version.Name, resource: definition.Spec.Names.Plural, subresource: "*"}
			l.add(hook, key, where)
		}
	}
}

// paramDeleted tells whether a policy refuses what it matches because its param
// is among what is deleted.
func (a *analysis) paramDeleted(hook *inventory.Hook) bool {
	var kind *admissionregistrationv1.ParamKind
	var reference *admissionregistrationv1.ParamRef
	switch {
	case hook.ValidatingPolicy != nil && hook.ValidatingBinding != nil:
		kind, reference = hook.ValidatingPolicy.Spec.ParamKind, hook.ValidatingBinding.Spec.ParamRef
	case hook.MutatingPolicy != nil && hook.MutatingBinding != nil:
		kind, reference = hook.MutatingPolicy.Spec.ParamKind, hook.MutatingBinding.Spec.ParamRef
	}
	if kind == nil || reference == nil || reference.Name == "" || hook.FailurePolicy == "Ignore" {
		return false
	}
	if action := reference.ParameterNotFoundAction; action == nil || *action != admissionregistrationv1.DenyAction {
		return false
	}
	for gone := range a.deleted.objects {
		if gone.Name == reference.Name && (reference.Namespace == "" || reference.Namespace == gone.Namespace) && a.isOfKind(gone, kind) {
			return true
		}
	}
	return a.deleted.namespaces[reference.Namespace] && reference.Namespace != ""
}

// addPolicy adds what a policy with a binding matches.
func (l *interceptions) addPolicy(hook *inventory.Hook) {
	var constraints, narrowed *admissionregistrationv1.MatchResources
	conditions := false
	if hook.ValidatingPolicy != nil {
		constraints, narrowed = hook.ValidatingPolicy.Spec.MatchConstraints, hook.ValidatingBinding.Spec.MatchResources
		conditions = len(hook.ValidatingPolicy.Spec.MatchConditions) > 0
	} else {
		constraints, narrowed = hook.MutatingPolicy.Spec.MatchConstraints, hook.MutatingBinding.Spec.MatchResources
		conditions = len(hook.MutatingPolicy.Spec.MatchConditions) > 0
	}
	if constraints == nil {
		return
	}
	m := matching{constraints.NamespaceSelector, constraints.ObjectSelector, conditions || len(constraints.ExcludeResourceRules) > 0}
	if narrowed != nil {
		if isEmpty(m.namespaces) {
			m.namespaces = narrowed.NamespaceSelector
		}
		m.conditions = m.conditions || !isEmpty(narrowed.ObjectSelector) || len(narrowed.ResourceRules) > 0 || len(narrowed.ExcludeResourceRules) > 0
	}
	var rules []admissionregistrationv1.RuleWithOperations
	for i := range constraints.ResourceRules {
		rule := constraints.ResourceRules[i].RuleWithOperations
		m.conditions = m.conditions || len(constraints.ResourceRules[i].ResourceNames) > 0
		rules = append(rules, rule)
	}
	l.addRules(hook, rules, constraints.MatchPolicy, m)
}

// isOfKind tells whether an object is of a param kind.
func (a *analysis) isOfKind(reference extant.ObjectReference, kind *admissionregistrationv1.ParamKind) bool {
	gv, err := schema.ParseGroupVersion(kind.APIVersion)
	if err != nil || gv.Group != reference.Group {
		return false
	}
	served, ok := a.snapshot().Discovery.ResourceOf(schema.GroupKind{Group: gv.Group, Kind: kind.Kind})
	return ok && served.Resource == reference.Resource
}
