package random

import (
	"fmt"
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// customGroup is the group of the custom kinds.
const customGroup = "random.example"

// Cluster is what requests meet.
type Cluster struct {
	Namespaces []*corev1.Namespace
	Params     []*corev1.ConfigMap

	MutatingWebhooks   []*admissionregistrationv1.MutatingWebhookConfiguration
	ValidatingWebhooks []*admissionregistrationv1.ValidatingWebhookConfiguration
	MutatingPolicies   []*admissionregistrationv1.MutatingAdmissionPolicy
	MutatingBindings   []*admissionregistrationv1.MutatingAdmissionPolicyBinding
	ValidatingPolicies []*admissionregistrationv1.ValidatingAdmissionPolicy
	ValidatingBindings []*admissionregistrationv1.ValidatingAdmissionPolicyBinding
}

// Cluster makes a cluster with so many of each kind of configuration.
func (g *Generator) Cluster(configurations, policies int) *Cluster {
	c := &Cluster{}
	for i := range 3 {
		c.Namespaces = append(c.Namespaces, g.namespace(i))
	}
	c.Params = g.params(c.Namespaces)
	for range configurations {
		c.MutatingWebhooks = append(c.MutatingWebhooks, g.mutatingConfiguration())
		c.ValidatingWebhooks = append(c.ValidatingWebhooks, g.validatingConfiguration())
	}
	for range policies {
		policy := g.validatingPolicy()
		c.ValidatingPolicies = append(c.ValidatingPolicies, policy)
		for range g.between(0, 2) + 1 {
			c.ValidatingBindings = append(c.ValidatingBindings, g.validatingBinding(policy, c.Namespaces))
		}
	}
	for range (policies + 1) / 2 {
		policy := g.mutatingPolicy()
		c.MutatingPolicies = append(c.MutatingPolicies, policy)
		if g.chance(90) {
			c.MutatingBindings = append(c.MutatingBindings, g.mutatingBinding(policy, c.Namespaces))
		}
	}
	return c
}

func (g *Generator) namespace(i int) *corev1.Namespace {
	labels := g.labels("env", "team", "app")
	if labels == nil {
		labels = map[string]string{}
	}
	switch i {
	case 1:
		labels["pod-security.kubernetes.io/enforce"] = pick(g, "baseline", "restricted")
	case 2:
		labels["pod-security.kubernetes.io/warn"] = "restricted"
	}
	return &corev1.Namespace{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("n%d-%s", i, g.round), Labels: labels},
	}
}

// params are the ConfigMaps that policies read. Not every namespace has each.
func (g *Generator) params(namespaces []*corev1.Namespace) []*corev1.ConfigMap {
	var all []*corev1.ConfigMap
	for _, namespace := range namespaces {
		for _, name := range []string{"params-a", "params-b"} {
			if !g.chance(70) {
				continue
			}
			data := map[string]string{"mode": pick(g, "lax", "strict"), "max": fmt.Sprint(g.between(0, 4))}
			if g.chance(30) {
				delete(data, "mode")
			}
			all = append(all, &corev1.ConfigMap{
				TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: name, Labels: g.labels("tier")},
				Data:       data,
			})
		}
	}
	return all
}

// Definitions are the CustomResourceDefinitions of every cluster: Widget in two
// versions that are served and one that is not, and Gadget without namespace.
func Definitions() []*apiextensionsv1.CustomResourceDefinition {
	version := func(name string, served, stored bool, color string) apiextensionsv1.CustomResourceDefinitionVersion {
		properties := map[string]apiextensionsv1.JSONSchemaProps{
			"replicas": {Type: "integer"}, "size": {Type: "integer"}, "color": {Type: "string"},
		}
		if color != "" {
			properties["color"] = apiextensionsv1.JSONSchemaProps{Type: "string", Default: &apiextensionsv1.JSON{Raw: []byte(`"` + color + `"`)}}
		}
		selector := ".status.selector"
		return apiextensionsv1.CustomResourceDefinitionVersion{
			Name: name, Served: served, Storage: stored,
			Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
				Type: "object",
				Properties: map[string]apiextensionsv1.JSONSchemaProps{
					"spec":   {Type: "object", Properties: properties},
					"status": {Type: "object", XPreserveUnknownFields: new(true)},
				},
			}},
			Subresources: &apiextensionsv1.CustomResourceSubresources{
				Status: &apiextensionsv1.CustomResourceSubresourceStatus{},
				Scale:  &apiextensionsv1.CustomResourceSubresourceScale{SpecReplicasPath: ".spec.replicas", StatusReplicasPath: ".status.replicas", LabelSelectorPath: &selector},
			},
		}
	}
	definition := func(plural, kind string, scope apiextensionsv1.ResourceScope, versions ...apiextensionsv1.CustomResourceDefinitionVersion) *apiextensionsv1.CustomResourceDefinition {
		return &apiextensionsv1.CustomResourceDefinition{
			TypeMeta:   metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"},
			ObjectMeta: metav1.ObjectMeta{Name: plural + "." + customGroup},
			Spec: apiextensionsv1.CustomResourceDefinitionSpec{
				Group: customGroup, Scope: scope, Versions: versions,
				Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Kind: kind},
			},
		}
	}
	gadget := version("v1", true, true, "")
	gadget.Subresources = nil
	return []*apiextensionsv1.CustomResourceDefinition{
		definition("widgets", "Widget", apiextensionsv1.NamespaceScoped,
			version("v1", true, true, "green"), version("v1beta1", true, false, ""), version("v1alpha1", false, false, "")),
		definition("gadgets", "Gadget", apiextensionsv1.ClusterScoped, gadget),
	}
}

// Users are those who make the requests, each with what RBAC gives them.
func Users() []authenticationv1.UserInfo {
	return []authenticationv1.UserInfo{
		{Username: "alice", Groups: []string{"dev", Group}},
		{Username: "bob", Groups: []string{Group, "ops"}},
		{Username: "viewer", Groups: []string{"guests", Group}},
		{Username: "system:serviceaccount:ci:deployer", Groups: []string{Group, "system:serviceaccounts", "system:serviceaccounts:ci"}},
	}
}

// Group is a group that every user is in.
const Group = "random:users"

// Access is what the users may do: alice and the service account everything,
// bob most of it, the viewer nothing that passes admission.
func Access() []runtime.Object {
	role := func(name string, rules ...rbacv1.PolicyRule) *rbacv1.ClusterRole {
		return &rbacv1.ClusterRole{TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"}, ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
	}
	binding := func(name string, subjects ...rbacv1.Subject) *rbacv1.ClusterRoleBinding {
		for i := range subjects {
			subjects[i].APIGroup = rbacv1.GroupName
		}
		return &rbacv1.ClusterRoleBinding{
			TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"},
			ObjectMeta: metav1.ObjectMeta{Name: name}, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		}
	}
	return []runtime.Object{
		role("random:everything",
			rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}},
			rbacv1.PolicyRule{NonResourceURLs: []string{"*"}, Verbs: []string{"get"}}),
		binding("random:everything",
			rbacv1.Subject{Kind: rbacv1.GroupKind, Name: "dev"}, rbacv1.Subject{Kind: rbacv1.GroupKind, Name: "system:serviceaccounts:ci"}),
		role("random:most",
			rbacv1.PolicyRule{APIGroups: []string{"", "apps", "batch", customGroup, "autoscaling", "networking.k8s.io", "policy", "coordination.k8s.io", "storage.k8s.io"}, Resources: []string{"*"}, Verbs: []string{"get", "create", "update", "patch", "delete"}}),
		binding("random:most", rbacv1.Subject{Kind: rbacv1.UserKind, Name: "bob"}),
		role("random:view", rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"get", "list", "watch"}}),
		binding("random:view", rbacv1.Subject{Kind: rbacv1.GroupKind, Name: "guests"}),
	}
}

// Configurations are all webhooks, then all policies, then all bindings.
func (c *Cluster) Configurations() []runtime.Object {
	return slices.Concat(objects(c.MutatingWebhooks), objects(c.ValidatingWebhooks), objects(c.MutatingPolicies), objects(c.ValidatingPolicies),
		objects(c.MutatingBindings), objects(c.ValidatingBindings))
}

func objects[T runtime.Object](typed []T) []runtime.Object {
	all := make([]runtime.Object, 0, len(typed))
	for _, object := range typed {
		all = append(all, object)
	}
	return all
}

// All is everything in the cluster, with what all clusters have.
func (c *Cluster) All() []runtime.Object {
	return slices.Concat(Access(), objects(Definitions()), objects(c.Namespaces), objects(c.Params), c.Configurations())
}
