package requestpath

import (
	"slices"
	"strings"
)

// index finds the hooks whose rules can match a resource, without going over
// all of them.
type index[T any] struct {
	all []T
	// byResource holds positions in all, by group and resource of the rules,
	// either of which can be "*".
	byResource map[[2]string][]int
}

func (x *index[T]) add(hook T, c *criteria) {
	if x.byResource == nil {
		x.byResource = map[[2]string][]int{}
	}
	position := len(x.all)
	x.all = append(x.all, hook)
	for _, key := range c.keys() {
		if known := x.byResource[key]; len(known) == 0 || known[len(known)-1] != position {
			x.byResource[key] = append(known, position)
		}
	}
}

// keys are the groups and resources of the rules.
func (c *criteria) keys() [][2]string {
	if len(c.resources.ResourceRules) == 0 {
		if c.everything {
			return [][2]string{{"*", "*"}}
		}
		return nil
	}
	var keys [][2]string
	for _, rule := range c.resources.ResourceRules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				resource, _, _ = strings.Cut(resource, "/")
				keys = append(keys, [2]string{group, resource})
			}
		}
	}
	return keys
}

// candidates returns the hooks whose rules name any of the equivalents, in
// their order.
func (x *index[T]) candidates(e *equivalents, r *request) []T {
	var positions []int
	collect := func(group, resource string) {
		for _, key := range [...][2]string{{group, resource}, {group, "*"}, {"*", resource}, {"*", "*"}} {
			positions = append(positions, x.byResource[key]...)
		}
	}
	collect(r.resource.Group, r.resource.Resource)
	for _, one := range e.resources {
		if one.Group != r.resource.Group {
			collect(one.Group, one.Resource)
		}
	}
	slices.Sort(positions)
	positions = slices.Compact(positions)
	hooks := make([]T, len(positions))
	for i, position := range positions {
		hooks[i] = x.all[position]
	}
	return hooks
}
