package cluster

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"
)

// builtinText is every resource of Kubernetes itself with the minor versions
// that serve it. Its first lines say what the columns are.
//
//go:generate ../../hack/update-discovery.sh
//go:embed builtin.txt
var builtinText string

// builtinResource is a resource and the minor versions that serve it.
type builtinResource struct {
	APIResource
	// since is the first minor version with it, removed the first one without
	// it, or 0.
	since, removed uint
	// off resources are served only by API servers that were told to.
	off bool
}

var builtinResources = sync.OnceValue(func() []builtinResource {
	var all []builtinResource
	for line := range strings.Lines(builtinText) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		r, err := parseBuiltin(line)
		if err != nil {
			panic(err)
		}
		all = append(all, r)
	}
	return all
})

// BuiltinDiscovery is what a kube-apiserver of that version serves when it is
// given no options, no CustomResourceDefinitions and no APIServices. A version
// newer than the newest known, or that is none, is taken to be the newest known.
func BuiltinDiscovery(gitVersion string) *Discovery {
	newest := version.MustParseGeneric(NewestVersion)
	v, err := version.ParseGeneric(gitVersion)
	if err != nil || v.GreaterThan(newest) {
		v = newest
	}
	var served []APIResource
	for _, r := range builtinResources() {
		if !r.off && r.since <= v.Minor() && (r.removed == 0 || v.Minor() < r.removed) {
			served = append(served, r.APIResource)
		}
	}
	return NewDiscovery(served)
}

func parseBuiltin(line string) (builtinResource, error) {
	fields := strings.Fields(line)
	if len(fields) < 6 {
		return builtinResource{}, fmt.Errorf("a line of builtin.txt has too few columns: %q", line)
	}
	served, err := parseServed(fields)
	if err != nil {
		return builtinResource{}, fmt.Errorf("could not read the line %q of builtin.txt: %w", line, err)
	}
	r := builtinResource{APIResource: served, off: len(fields) > 6}
	since, removed, _ := strings.Cut(fields[5], "-")
	for _, minor := range []struct {
		text string
		into *uint
	}{{since, &r.since}, {removed, &r.removed}} {
		if minor.text == "" {
			continue
		}
		number, err := strconv.ParseUint(minor.text, 10, 8)
		if err != nil {
			return builtinResource{}, fmt.Errorf("could not read the line %q of builtin.txt: %w", line, err)
		}
		*minor.into = uint(number)
	}
	return r, nil
}

// parseServed reads the columns that say what is served.
func parseServed(fields []string) (APIResource, error) {
	gv, err := schema.ParseGroupVersion(fields[0])
	if err != nil {
		return APIResource{}, err
	}
	r := APIResource{Group: gv.Group, Version: gv.Version, Namespaced: fields[3] == "namespaced", Verbs: strings.Split(fields[4], ",")}
	r.Resource, r.Subresource, _ = strings.Cut(fields[1], "/")
	if kind, _ := schema.ParseKindArg(fields[2]); kind != nil {
		r.Kind = *kind
	} else {
		r.Kind = gv.WithKind(fields[2])
	}
	if fields[4] == "all" {
		r.Verbs = []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
	}
	return r, nil
}
