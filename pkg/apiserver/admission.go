package apiserver

import (
	"context"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle"
	mutatingpolicy "k8s.io/apiserver/pkg/admission/plugin/policy/mutating"
	validatingpolicy "k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	mutatingwebhook "k8s.io/apiserver/pkg/admission/plugin/webhook/mutating"
	validatingwebhook "k8s.io/apiserver/pkg/admission/plugin/webhook/validating"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
)

// admissionOffByDefault are the plugins that --enable-admission-plugins turns
// on. A dead webhook with wildcard rules must not stop discovery or findings
// in the middle of the outage that it caused. All kinds are cluster-scoped, so
// that namespace lifecycle has nothing to do.
func admissionOffByDefault() sets.Set[string] {
	return sets.New(lifecycle.PluginName, mutatingwebhook.PluginName, validatingwebhook.PluginName)
}

// requirement is what a part of the library reads from the cluster. Without it
// that part would keep the server unready, or refuse every write, for ever.
type requirement struct {
	// name is what is turned off, in the words of the warning.
	name      string
	group     string
	version   string
	resources []string
	turnOff   func(*Options)
}

var requirements = []requirement{
	{
		name:  "in-process validating admission policies",
		group: "admissionregistration.k8s.io", version: "v1",
		resources: []string{"validatingadmissionpolicies", "validatingadmissionpolicybindings"},
		turnOff:   disablePlugin(validatingpolicy.PluginName),
	},
	{
		name:  "in-process mutating admission policies",
		group: "admissionregistration.k8s.io", version: "v1",
		resources: []string{"mutatingadmissionpolicies", "mutatingadmissionpolicybindings"},
		turnOff:   disablePlugin(mutatingpolicy.PluginName),
	},
	{
		name:  "priority and fairness",
		group: "flowcontrol.apiserver.k8s.io", version: "v1",
		resources: []string{"flowschemas", "prioritylevelconfigurations"},
		turnOff:   func(o *Options) { o.Recommended.Features.EnablePriorityAndFairness = false },
	},
}

func disablePlugin(name string) func(*Options) {
	return func(o *Options) {
		o.Recommended.Admission.DisablePlugins = append(o.Recommended.Admission.DisablePlugins, name)
	}
}

// turnOffUnservable turns off what the cluster lacks or forbids, with one
// named warning each. What cannot be found out stays on.
func (o *Options) turnOffUnservable(ctx context.Context, client kubernetes.Interface) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, r := range requirements {
		if missing := r.missing(ctx, client); missing != "" {
			klog.FromContext(ctx).Info("Turned off what the cluster does not offer", "feature", r.name, "because", missing)
			r.turnOff(o)
		}
	}
}

// missing says why a requirement is not met, or nothing.
func (r requirement) missing(ctx context.Context, client kubernetes.Interface) string {
	gv := schema.GroupVersion{Group: r.group, Version: r.version}
	served, err := client.Discovery().ServerResourcesForGroupVersion(gv.String())
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Sprintf("%s is not served", gv)
	case err != nil:
		return ""
	}
	names := sets.New[string]()
	for _, resource := range served.APIResources {
		names.Insert(resource.Name)
	}
	for _, resource := range r.resources {
		if !names.Has(resource) {
			return fmt.Sprintf("%s is not served in %s", resource, gv)
		}
		for _, verb := range []string{"list", "watch"} {
			review, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
				Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
					Group: r.group, Version: r.version, Resource: resource, Verb: verb,
				}},
			}, metav1.CreateOptions{})
			if err == nil && !review.Status.Allowed {
				return fmt.Sprintf("%s %s is forbidden", verb, resource)
			}
		}
	}
	return ""
}
