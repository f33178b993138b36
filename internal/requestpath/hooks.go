package requestpath

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// hooks are all that is registered in a cluster for requests to pass, compiled
// and indexed.
type hooks struct {
	inventory *inventory.Inventory
	revision  uint64
	version   *version.Version
	// gaps are those of the cluster that can have to do with an answer.
	gaps []extant.Gap

	mutatingWebhooks, validatingWebhooks index[*registered]
	mutatingPolicies                     index[bindings[*mutatingPolicy]]
	validatingPolicies                   index[bindings[*validatingPolicy]]
	backends                             map[string]*extant.Backend
	// facts is what the inventory says of each hook.
	facts map[inventory.HookKey]*inventory.Hook

	// compiled is everything by the immutable object that it was compiled from,
	// so that the next hooks share what did not change.
	compiled map[any]any
	before   map[any]any
}

var (
	mutatingConfigurations    = registration("mutatingwebhookconfigurations")
	validatingConfigurations  = registration("validatingwebhookconfigurations")
	mutatingPolicyResource    = registration("mutatingadmissionpolicies")
	mutatingBindingResource   = registration("mutatingadmissionpolicybindings")
	validatingPolicyResource  = registration("validatingadmissionpolicies")
	validatingBindingResource = registration("validatingadmissionpolicybindings")
	registrations             = []schema.GroupResource{
		mutatingConfigurations, validatingConfigurations,
		mutatingPolicyResource, mutatingBindingResource, validatingPolicyResource, validatingBindingResource,
	}
)

func registration(resource string) schema.GroupResource {
	return schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: resource}
}

// hooksOf returns the hooks of a cluster: those of the call before where the
// cluster registers the same.
func (e *Engine) hooksOf(observed Observed) *hooks {
	e.mu.Lock()
	defer e.mu.Unlock()
	revision := observed.Snapshot.Revision(registrations...)
	if e.current == nil || e.current.inventory != observed.Inventory || e.current.revision != revision {
		e.current = newHooks(observed, revision, e.current)
	}
	return e.current
}

func newHooks(observed Observed, revision uint64, before *hooks) *hooks {
	h := &hooks{
		inventory: observed.Inventory, revision: revision, version: observed.Snapshot.Version(), gaps: gapsOf(observed.Snapshot),
		backends: map[string]*extant.Backend{}, facts: map[inventory.HookKey]*inventory.Hook{}, compiled: map[any]any{},
	}
	if before != nil {
		h.before = before.compiled
	}
	for i := range observed.Inventory.Backends {
		backend := &observed.Inventory.Backends[i]
		h.backends[backend.Name] = backend
	}
	for i := range observed.Inventory.Hooks {
		hook := &observed.Inventory.Hooks[i]
		h.facts[hook.Key()] = hook
	}
	h.addWebhooks(observed.Snapshot)
	h.addPolicies(observed.Snapshot)
	h.before = nil
	return h
}

// addWebhooks adds the webhooks in the order in which they are called: those of
// static manifests come first.
func (h *hooks) addWebhooks(snapshot *cluster.Snapshot) {
	for _, static := range []bool{true, false} {
		for configuration := range snapshot.MutatingWebhookConfigurations().All() {
			if h.static(configuration.Name) == static {
				for i := range configuration.Webhooks {
					one := &configuration.Webhooks[i]
					w := compiledOnce(h, one, func() *webhook { return newMutatingWebhook(configuration.Name, i, one) })
					h.mutatingWebhooks.add(&registered{w, static, w.hop(h.facts)}, w.criteria)
				}
			}
		}
		for configuration := range snapshot.ValidatingWebhookConfigurations().All() {
			if h.static(configuration.Name) == static {
				for i := range configuration.Webhooks {
					one := &configuration.Webhooks[i]
					w := compiledOnce(h, one, func() *webhook { return newValidatingWebhook(configuration.Name, i, one) })
					h.validatingWebhooks.add(&registered{w, static, w.hop(h.facts)}, w.criteria)
				}
			}
		}
	}
}

// addPolicies adds the policies with their bindings, likewise.
func (h *hooks) addPolicies(snapshot *cluster.Snapshot) {
	for _, static := range []bool{true, false} {
		bound := map[string][]*binding{}
		for one := range snapshot.MutatingAdmissionPolicyBindings().All() {
			if h.static(one.Name) == static {
				b := compiledOnce(h, one, func() *binding { return newMutatingBinding(one) })
				bound[one.Spec.PolicyName] = append(bound[one.Spec.PolicyName], b)
			}
		}
		for one := range snapshot.MutatingAdmissionPolicies().All() {
			if h.static(one.Name) == static {
				p := compiledOnce(h, one, func() *mutatingPolicy { return newMutatingPolicy(one) })
				h.mutatingPolicies.add(bindings[*mutatingPolicy]{p, static, bound[one.Name]}, p.criteria)
			}
		}
		clear(bound)
		for one := range snapshot.ValidatingAdmissionPolicyBindings().All() {
			if h.static(one.Name) == static {
				b := compiledOnce(h, one, func() *binding { return newValidatingBinding(one) })
				bound[one.Spec.PolicyName] = append(bound[one.Spec.PolicyName], b)
			}
		}
		for one := range snapshot.ValidatingAdmissionPolicies().All() {
			if h.static(one.Name) == static {
				p := compiledOnce(h, one, func() *validatingPolicy { return newValidatingPolicy(one) })
				h.validatingPolicies.add(bindings[*validatingPolicy]{p, static, bound[one.Name]}, p.criteria)
			}
		}
	}
}

// static tells whether a registration is one of a manifest beside the API
// server, by its name.
func (h *hooks) static(name string) bool { return isStatic(h.version, name) }

// compiledOnce compiles an immutable object, or returns what was made of it
// before.
func compiledOnce[T any](h *hooks, object any, make func() T) T {
	known, ok := h.before[object].(T)
	if !ok {
		known = make()
	}
	h.compiled[object] = known
	return known
}

// bindings is a policy with what binds it.
type bindings[P any] struct {
	policy P
	static bool
	bound  []*binding
}
