package outage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// refused says in one line what the API server refuses while backends are lost,
// such as "create, update of 6 resources in 14 of 15 namespaces". It is empty
// where nothing is refused.
func (p *pass) refused(lost map[string]bool) string {
	list := newInterceptions(p.seen)
	for i := range p.seen.observed.Inventory.Hooks {
		hook := &p.seen.observed.Inventory.Hooks[i]
		if lost[hook.Backend] && hook.FailurePolicy != "Ignore" {
			list.addHook(hook)
		}
	}
	if len(list.found) == 0 {
		return ""
	}
	line := list.verbs() + " of " + list.resources()
	if where := list.namespaces(); where != "" {
		line += " in " + where
	}
	for _, one := range list.found {
		if !one.key.conditional {
			return line
		}
	}
	return line + ", some objects only"
}

// verbs are the operations, in the order of the API.
func (l *interceptions) verbs() string {
	var verbs []string
	for _, o := range allOperations {
		for _, one := range l.found {
			if one.key.operation == o {
				verbs = append(verbs, strings.ToLower(string(o)))
				break
			}
		}
	}
	return strings.Join(verbs, ", ")
}

// resources names the resource, or counts them: those that are served, where
// rules have wildcards.
func (l *interceptions) resources() string {
	named, parts := map[schema.GroupResource]bool{}, map[string]bool{}
	for _, one := range l.found {
		key := one.key
		if key.group == "*" && key.resource == "*" {
			return "all resources"
		}
		for _, resource := range l.served(schema.GroupResource{Group: key.group, Resource: key.resource}) {
			named[resource] = true
		}
		parts[key.subresource] = true
	}
	if len(named) == 1 {
		return single(slices.Collect(maps.Keys(named))[0], slices.Collect(maps.Keys(parts)))
	}
	return fmt.Sprintf("%d resources", len(named))
}

// single names one resource, or the only part of it.
func single(resource schema.GroupResource, parts []string) string {
	if len(parts) == 1 && parts[0] != "" && parts[0] != "*" {
		resource.Resource += "/" + parts[0]
	}
	if resource.Resource == "*" {
		return "all resources of " + resource.Group
	}
	return resource.String()
}

// served are the resources that a rule names; it itself where none is served.
func (l *interceptions) served(written schema.GroupResource) []schema.GroupResource {
	if written.Group != "*" && written.Resource != "*" {
		return []schema.GroupResource{written}
	}
	var all []schema.GroupResource
	for _, one := range l.snapshot().Discovery.All() {
		resource := schema.GroupResource{Group: one.Group, Resource: one.Resource}
		if (written.Group == "*" || written.Group == one.Group) && (written.Resource == "*" || written.Resource == one.Resource) && !slices.Contains(all, resource) {
			all = append(all, resource)
		}
	}
	if len(all) == 0 {
		return []schema.GroupResource{written}
	}
	return all
}

// namespaces says in which namespaces; nothing where all that is refused is
// outside of them.
func (l *interceptions) namespaces() string {
	union, all, within := l.index.empty(), false, false
	for _, one := range l.found {
		if one.where != nil {
			within, all = true, all || one.where.all
			union.or(one.where.names)
		}
	}
	total := len(l.index.names)
	switch {
	case !within:
		return ""
	case total == 0:
		return "all namespaces"
	case total == 1:
		return "the only namespace"
	case all || union.count() == total:
		return fmt.Sprintf("all %d namespaces", total)
	}
	return fmt.Sprintf("%d of %d namespaces", union.count(), total)
}
