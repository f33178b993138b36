package inventory

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// Admission policies. Each binding is a hook: a policy without one does
// nothing. A policy and its bindings belong together. They run in the API
// server, and so call no backend: their loss is no outage. A policy that says
// nothing about itself belongs to no extension; an administrator wrote it.

var validatingAdmissionPolicy = mechanism{
	point:     "validating-admission-policy",
	pattern:   extant.PatternPolicyAPI,
	onFailure: extant.OnFailureConfigurable,
	reads:     []schema.GroupResource{validatingPolicies, validatingBindings},
	register:  registerValidatingPolicies,
}

var mutatingAdmissionPolicy = mechanism{
	point:     "mutating-admission-policy",
	pattern:   extant.PatternPolicyAPI,
	onFailure: extant.OnFailureConfigurable,
	reads:     []schema.GroupResource{mutatingPolicies, mutatingBindings},
	register:  registerMutatingPolicies,
}

func registerValidatingPolicies(t *taker, point string) {
	for policy := range t.snapshot.ValidatingAdmissionPolicies().All() {
		t.addRegistration(point, t.add(validatingPolicies, policy), 0)
	}
	for binding := range t.snapshot.ValidatingAdmissionPolicyBindings().All() {
		hook := Hook{
			Point: point, Resource: validatingPolicies.Resource, Object: binding.Spec.PolicyName, Name: binding.Name,
			ValidatingBinding: binding,
		}
		if policy, ok := t.snapshot.ValidatingAdmissionPolicies().Get("", binding.Spec.PolicyName); ok {
			hook.ValidatingPolicy = policy
			hook.FailurePolicy = string(valueOr(policy.Spec.FailurePolicy, admissionregistrationv1.Fail))
		}
		t.addBinding(hook, validatingBindings, binding, validatingPolicies)
	}
}

func registerMutatingPolicies(t *taker, point string) {
	for policy := range t.snapshot.MutatingAdmissionPolicies().All() {
		t.addRegistration(point, t.add(mutatingPolicies, policy), 0)
	}
	for binding := range t.snapshot.MutatingAdmissionPolicyBindings().All() {
		hook := Hook{
			Point: point, Resource: mutatingPolicies.Resource, Object: binding.Spec.PolicyName, Name: binding.Name,
			MutatingBinding: binding,
		}
		if policy, ok := t.snapshot.MutatingAdmissionPolicies().Get("", binding.Spec.PolicyName); ok {
			hook.MutatingPolicy = policy
			hook.FailurePolicy = string(valueOr(policy.Spec.FailurePolicy, admissionregistrationv1.Fail))
		}
		t.addBinding(hook, mutatingBindings, binding, mutatingPolicies)
	}
}

// addBinding adds the hook of a binding. A binding that says something about
// itself may belong to another extension than its policy: an administrator
// binds what a product ships. One that says nothing goes with its policy.
func (t *taker) addBinding(hook Hook, resource schema.GroupResource, binding cluster.Object, policies schema.GroupResource) {
	hook.part = t.add(resource, binding)
	t.addHook(hook, nil)
	t.addRegistration(hook.Point, hook.part, 1)
	policy, ok := t.partOf[extant.ObjectReference{Group: policies.Group, Resource: policies.Resource, Name: hook.Object}]
	if ok && len(t.parts[hook.part].keys) == 0 {
		t.union(hook.part, policy)
	}
}
