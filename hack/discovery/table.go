package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	kubernetes "k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/install"
)

// every is how the table spells all of these verbs.
const (
	every      = "all"
	everyVerbs = "create,delete,deletecollection,get,list,patch,update,watch"
)

// row is one line of the table.
type row struct {
	groupVersion, resource, kind string
	namespaced                   bool
	verbs                        string
	since, removed               int
	off                          bool
}

func (r row) String() string {
	minors := fmt.Sprintf("%d-", r.since)
	if r.removed > 0 {
		minors += fmt.Sprint(r.removed)
	}
	if r.off {
		minors += " off"
	}
	return r.served() + " " + minors
}

// served is the row without its history.
func (r row) served() string {
	scope := "cluster"
	if r.namespaced {
		scope = "namespaced"
	}
	return strings.Join([]string{r.groupVersion, r.resource, r.kind, scope, r.verbs}, " ")
}

func (r row) name() string { return r.groupVersion + " " + r.resource }

func (r row) gvk() schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(r.groupVersion, strings.Split(r.kind, ".")[0])
}

// parent is the resource without its subresource.
func (r row) parent() string { return strings.Split(r.resource, "/")[0] }

// rowsOf returns what was discovered, without histories and alpha versions.
func rowsOf(groups []apidiscoveryv2.APIGroupDiscovery) []row {
	var rows []row
	for _, group := range groups {
		for _, v := range group.Versions {
			if strings.Contains(v.Version, "alpha") {
				continue
			}
			gv := schema.GroupVersion{Group: group.Name, Version: v.Version}
			for _, r := range v.Resources {
				namespaced := r.Scope == apidiscoveryv2.ScopeNamespace
				rows = append(rows, rowOf(gv, r.Resource, r.ResponseKind.Kind, r.ResponseKind.Version, r.ResponseKind.Group, namespaced, r.Verbs))
				for _, s := range r.Subresources {
					rows = append(rows, rowOf(gv, r.Resource+"/"+s.Subresource, s.ResponseKind.Kind, s.ResponseKind.Version, s.ResponseKind.Group, namespaced, s.Verbs))
				}
			}
		}
	}
	return rows
}

func rowOf(gv schema.GroupVersion, resource, kind, kindVersion, kindGroup string, namespaced bool, verbs []string) row {
	if kindVersion != "" && (schema.GroupVersion{Group: kindGroup, Version: kindVersion}) != gv {
		kind += "." + kindVersion + "." + kindGroup
	}
	joined := strings.Join(slices.Sorted(slices.Values(verbs)), ",")
	if joined == everyVerbs {
		joined = every
	}
	return row{groupVersion: gv.String(), resource: resource, kind: kind, namespaced: namespaced, verbs: joined}
}

// complete adds the history to what can be served, and what is no longer
// served.
func complete(everything, defaults []row) []row {
	byDefault := map[string]bool{}
	for _, r := range defaults {
		byDefault[r.name()] = true
	}
	scheme := types()
	served := map[schema.GroupVersionKind]bool{}
	var table []row
	for _, r := range everything {
		served[r.gvk()] = true
		r.since, r.removed = lifecycle(scheme, parentOf(r, everything).gvk())
		r.since = max(r.since, since[r.name()])
		r.off = !byDefault[r.name()]
		table = append(table, r)
	}
	for gvk := range scheme.AllKnownTypes() {
		introduced, removed := lifecycle(scheme, gvk)
		if served[gvk] || removed <= oldest || strings.Contains(gvk.Version, "alpha") {
			continue
		}
		table = append(table, likewise(everything, gvk, introduced, removed)...)
	}
	table = append(table, gone...)
	for i := range table {
		if table[i].since <= oldest {
			table[i].since = 0
		}
	}
	slices.SortFunc(table, func(x, y row) int {
		return cmp.Or(cmp.Compare(x.gvk().Group, y.gvk().Group), cmp.Compare(x.parent(), y.parent()),
			-version.CompareKubeAwareVersionStrings(x.gvk().Version, y.gvk().Version), cmp.Compare(x.resource, y.resource))
	})
	return table
}

// likewise returns the rows of a kind that is no longer served, which are those
// of the same kind in the version, or group, that replaced it.
func likewise(everything []row, gvk schema.GroupVersionKind, introduced, removed int) []row {
	replaces := func(r row) bool {
		return r.gvk().Kind == gvk.Kind && !strings.Contains(r.resource, "/") &&
			(r.gvk().Group == gvk.Group || gvk.Group == "extensions") && !strings.Contains(r.gvk().Version, "beta")
	}
	at := slices.IndexFunc(everything, replaces)
	if at < 0 {
		return nil
	}
	model := everything[at]
	var rows []row
	for _, r := range everything {
		if r.groupVersion != model.groupVersion || since[r.name()] >= removed {
			continue
		}
		if r.parent() == model.resource {
			r.groupVersion = gvk.GroupVersion().String()
			r.since, r.removed = introduced, removed
			r.off = !betaOnByDefault(r.groupVersion, introduced)
			rows = append(rows, r)
		}
	}
	return rows
}

// parentOf returns the row of the resource that a subresource belongs to.
func parentOf(r row, rows []row) row {
	at := slices.IndexFunc(rows, func(other row) bool { return other.groupVersion == r.groupVersion && other.resource == r.parent() })
	if at < 0 {
		return r
	}
	return rows[at]
}

// types has every type of Kubernetes' own APIs.
func types() *runtime.Scheme {
	scheme := runtime.NewScheme()
	if err := kubernetes.AddToScheme(scheme); err != nil {
		panic(err)
	}
	apiextensions.Install(scheme)
	apiregistration.Install(scheme)
	return scheme
}

// lifecycle returns the minor versions in which a type was introduced and
// removed; zero where the type does not say.
func lifecycle(scheme *runtime.Scheme, gvk schema.GroupVersionKind) (introduced, removed int) {
	object, err := scheme.New(gvk)
	if err != nil {
		return 0, 0
	}
	if o, ok := object.(interface{ APILifecycleIntroduced() (int, int) }); ok {
		_, introduced = o.APILifecycleIntroduced()
	}
	if o, ok := object.(interface{ APILifecycleRemoved() (int, int) }); ok {
		_, removed = o.APILifecycleRemoved()
	}
	return introduced, removed
}
