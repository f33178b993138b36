package dump

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/version"

	"github.com/extant-project/extant/internal/cluster"
)

// everywhere is a group that each API server has: discovery documents with it
// name all groups; without it they are an addition to what is assumed.
const everywhere = "apps"

// discoveryDocuments is what the discovery documents of a dump say.
type discoveryDocuments struct {
	// resources is what each version serves.
	resources map[schema.GroupVersion][]cluster.APIResource
	// versions is all versions of a group in their order of preference.
	versions map[string][]string
}

func isDiscovery(kind schema.GroupVersionKind) bool {
	switch kind.GroupKind() {
	case schema.GroupKind{Group: "apidiscovery.k8s.io", Kind: "APIGroupDiscovery"},
		schema.GroupKind{Kind: "APIResourceList"}, schema.GroupKind{Kind: "APIGroupList"}, schema.GroupKind{Kind: "APIGroup"},
		schema.GroupKind{Kind: "APIVersions"}:
		return true
	default:
		return false
	}
}

// add reads a discovery document.
func (d *discoveryDocuments) add(kind string, data []byte) error {
	switch kind {
	case "APIGroupDiscovery":
		var group apidiscoveryv2.APIGroupDiscovery
		if err := utiljson.Unmarshal(data, &group); err != nil {
			return err
		}
		d.addGroupDiscovery(&group)
	case "APIResourceList":
		var list metav1.APIResourceList
		if err := utiljson.Unmarshal(data, &list); err != nil {
			return err
		}
		return d.addResourceList(&list)
	case "APIGroupList":
		var list metav1.APIGroupList
		if err := utiljson.Unmarshal(data, &list); err != nil {
			return err
		}
		for i := range list.Groups {
			d.addGroup(&list.Groups[i])
		}
	case "APIGroup":
		var group metav1.APIGroup
		if err := utiljson.Unmarshal(data, &group); err != nil {
			return err
		}
		d.addGroup(&group)
	}
	return nil // APIVersions say nothing that is not known
}

// addGroupDiscovery reads a group of aggregated discovery, which has the same
// shape in v2beta1 and v2.
func (d *discoveryDocuments) addGroupDiscovery(group *apidiscoveryv2.APIGroupDiscovery) {
	var versions []string
	for _, v := range group.Versions {
		gv := schema.GroupVersion{Group: group.Name, Version: v.Version}
		versions = append(versions, v.Version)
		resources := []cluster.APIResource{}
		for _, r := range v.Resources {
			one := cluster.APIResource{
				Group: gv.Group, Version: gv.Version, Resource: r.Resource, Kind: kindOf(gv, r.ResponseKind),
				Namespaced: r.Scope == apidiscoveryv2.ScopeNamespace, Verbs: r.Verbs,
			}
			resources = append(resources, one)
			for _, s := range r.Subresources {
				sub := one
				sub.Subresource, sub.Kind, sub.Verbs = s.Subresource, kindOf(gv, s.ResponseKind), s.Verbs
				resources = append(resources, sub)
			}
		}
		d.set(gv, resources)
	}
	d.setVersions(group.Name, versions)
}

func kindOf(gv schema.GroupVersion, kind *metav1.GroupVersionKind) schema.GroupVersionKind {
	switch {
	case kind == nil:
		return gv.WithKind("")
	case kind.Version == "":
		return gv.WithKind(kind.Kind)
	default:
		return schema.GroupVersionKind{Group: kind.Group, Version: kind.Version, Kind: kind.Kind}
	}
}

func (d *discoveryDocuments) addResourceList(list *metav1.APIResourceList) error {
	gv, err := schema.ParseGroupVersion(list.GroupVersion)
	if err != nil {
		return err
	}
	if gv.Version == "" {
		return fmt.Errorf("an APIResourceList has no groupVersion")
	}
	resources := []cluster.APIResource{}
	for _, r := range list.APIResources {
		name, subresource, _ := strings.Cut(r.Name, "/")
		resources = append(resources, cluster.APIResource{
			Group: gv.Group, Version: gv.Version, Resource: name, Subresource: subresource,
			Kind:       kindOf(gv, &metav1.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}),
			Namespaced: r.Namespaced, Verbs: r.Verbs,
		})
	}
	d.set(gv, resources)
	return nil
}

func (d *discoveryDocuments) addGroup(group *metav1.APIGroup) {
	versions := []string{group.PreferredVersion.Version}
	for _, v := range group.Versions {
		if v.Version != group.PreferredVersion.Version {
			versions = append(versions, v.Version)
		}
	}
	d.setVersions(group.Name, slices.DeleteFunc(versions, func(v string) bool { return v == "" }))
}

func (d *discoveryDocuments) set(gv schema.GroupVersion, resources []cluster.APIResource) {
	if d.resources == nil {
		d.resources = map[schema.GroupVersion][]cluster.APIResource{}
	}
	d.resources[gv] = resources
}

func (d *discoveryDocuments) setVersions(group string, versions []string) {
	if d.versions == nil {
		d.versions = map[string][]string{}
	}
	d.versions[group] = versions
}

// merge adds what other documents say, which come later.
func (d *discoveryDocuments) merge(later discoveryDocuments) {
	for gv, resources := range later.resources {
		d.set(gv, resources)
	}
	for group, versions := range later.versions {
		d.setVersions(group, versions)
	}
}

// mayServe tells whether the documents leave room for a version that they do not
// describe.
func (d *discoveryDocuments) mayServe(gv schema.GroupVersion) bool {
	if _, described := d.resources[gv]; described {
		return false
	}
	if versions, named := d.versions[gv.Group]; named {
		return slices.Contains(versions, gv.Version)
	}
	_, complete := d.versions[everywhere]
	return !complete || gv.Group == ""
}

// discovery is what the documents say, completed by what a plain API server of
// the version serves and by the definitions.
func (d *discoveryDocuments) discovery(gitVersion string, definitions []*apiextensionsv1.CustomResourceDefinition) *cluster.Discovery {
	var all []cluster.APIResource
	for _, gv := range slices.SortedFunc(maps.Keys(d.resources), func(x, y schema.GroupVersion) int { return cmp.Compare(x.String(), y.String()) }) {
		all = append(all, d.resources[gv]...)
	}
	assumed := cluster.BuiltinDiscovery(gitVersion).All()
	for _, definition := range definitions {
		assumed = append(slices.Clip(assumed), resourcesOf(definition)...)
	}
	for _, r := range assumed {
		if d.mayServe(schema.GroupVersion{Group: r.Group, Version: r.Version}) {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(x, y cluster.APIResource) int {
		return cmp.Or(cmp.Compare(x.Group, y.Group), cmp.Compare(d.rank(x), d.rank(y)), -version.CompareKubeAwareVersionStrings(x.Version, y.Version))
	})
	return cluster.NewDiscovery(all)
}

// rank is the place of a resource's version in the order of preference; where
// the documents do not say, versions go by their names.
func (d *discoveryDocuments) rank(r cluster.APIResource) int {
	return slices.Index(d.versions[r.Group], r.Version)
}

// resourcesOf is what the API server serves for a definition that it accepted.
// Rendered ones have no status; they are taken to be accepted.
func resourcesOf(definition *apiextensionsv1.CustomResourceDefinition) []cluster.APIResource {
	for _, condition := range definition.Status.Conditions {
		if condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionFalse {
			return nil
		}
	}
	var resources []cluster.APIResource
	spec := &definition.Spec
	for i := range spec.Versions {
		v := &spec.Versions[i]
		if !v.Served {
			continue
		}
		one := cluster.APIResource{
			Group: spec.Group, Version: v.Name, Resource: spec.Names.Plural,
			Kind:       schema.GroupVersionKind{Group: spec.Group, Version: v.Name, Kind: spec.Names.Kind},
			Namespaced: spec.Scope == apiextensionsv1.NamespaceScoped,
			Verbs:      []string{"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"},
		}
		resources = append(resources, one)
		if v.Subresources == nil {
			continue
		}
		sub := one
		sub.Verbs = []string{"get", "patch", "update"}
		if v.Subresources.Status != nil {
			sub.Subresource = "status"
			resources = append(resources, sub)
		}
		if v.Subresources.Scale != nil {
			sub.Subresource, sub.Kind = "scale", schema.GroupVersionKind{Group: "autoscaling", Version: "v1", Kind: "Scale"}
			resources = append(resources, sub)
		}
	}
	return resources
}
