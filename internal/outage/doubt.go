package outage

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Doubts are why it cannot be told what the outage takes: something that says so
// cannot be seen. Then more may be lost than is known. What is refused or stuck
// stays so, for losing more brings nothing back; that something comes back, or
// goes through, is not known.

var (
	// registrationResources register hooks, and with them backends.
	registrationResources = []schema.GroupResource{
		{Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations"},
		{Group: "admissionregistration.k8s.io", Resource: "mutatingwebhookconfigurations"},
		{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"},
		{Group: "apiregistration.k8s.io", Resource: "apiservices"},
	}
	// policyResources refuse, some of them for lack of a param.
	policyResources = []schema.GroupResource{
		{Group: "admissionregistration.k8s.io", Resource: "validatingadmissionpolicies"},
		{Group: "admissionregistration.k8s.io", Resource: "validatingadmissionpolicybindings"},
		{Group: "admissionregistration.k8s.io", Resource: "mutatingadmissionpolicies"},
		{Group: "admissionregistration.k8s.io", Resource: "mutatingadmissionpolicybindings"},
	}
	// workloadResources are what extensions are made of.
	workloadResources = []schema.GroupResource{deploymentResource, statefulSetResource, daemonSetResource, replicaSetResource, jobResource}
)

// doubt adds a doubt, once.
func (a *analysis) doubt(why string) {
	if !slices.Contains(a.loss.doubts, why) {
		a.loss.doubts = append(a.loss.doubts, why)
	}
}

// doubted adds a doubt for each of the resources that cannot be seen, and tells
// whether there are any.
func (a *analysis) doubted(what string, resources ...schema.GroupResource) bool {
	found := false
	for _, resource := range resources {
		if why := a.unseen(resource); why != "" {
			a.doubt(what + ": " + why)
			found = true
		}
	}
	return found
}

// doubtLoss doubts which pods are lost where any are meant to be, and who needs
// what is deleted.
func (a *analysis) doubtLoss() {
	down := &a.spec.Down
	if len(down.Deleted) > 0 {
		a.doubted("who needs what is deleted is not known", slices.Concat(registrationResources, policyResources)...)
	}
	if down.Everything || len(down.Backends)+len(down.Services)+len(down.Namespaces)+len(down.Nodes)+len(down.Extensions) > 0 {
		a.doubted("which pods are lost is not known", podResource)
	}
	if down.Everything || len(down.Namespaces)+len(down.Extensions) > 0 {
		a.doubted("which pods are wanted is not known", workloadResources...)
	}
}
