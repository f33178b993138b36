package builtin

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"sigs.k8s.io/yaml"
)

// Phase is a part of admission.
type Phase int

// The phases, in their order. What is true of one is of the next.
const (
	// Mutating is what mutating policies and webhooks see.
	Mutating Phase = iota
	// Validating is what validating policies and webhooks see.
	Validating
)

// serverText is what the server changes after decoding. Its first lines say how
// it is written.
//
//go:embed server.yaml
var serverText []byte

// rule is one thing that the server does to objects.
type rule struct {
	// By is who does it, for people.
	By string `json:"by"`
	// Resources are "resource.group" or "resource.group/subresource"; without
	// any, all.
	Resources []string `json:"resources"`
	// Subresources are those of any resource to which it is done; Except and
	// ExceptSubresources those to which it is not.
	Subresources       []string `json:"subresources"`
	Except             []string `json:"except"`
	ExceptSubresources []string `json:"exceptSubresources"`
	// Operations are CREATE and UPDATE, or one of them.
	Operations []admission.Operation `json:"operations"`
	// Before is the phase from which on it is seen.
	Before string `json:"before"`
	// Where is a field that an object has to have.
	Where string `json:"where"`
	// Within are paths under which those that follow are.
	Within []string `json:"within"`
	// Adds are paths of fields that may come where they are absent, Changes of
	// those that may become others or vanish, Sets of those to which both may
	// happen.
	Adds    []string `json:"adds"`
	Changes []string `json:"changes"`
	Sets    []string `json:"sets"`

	node  *Node
	phase Phase
	where []string
}

var rules = sync.OnceValue(func() []rule {
	var all []rule
	if err := yaml.UnmarshalStrict(serverText, &all); err != nil {
		panic(fmt.Sprintf("could not read server.yaml: %v", err))
	}
	for i := range all {
		if err := all[i].complete(); err != nil {
			panic(fmt.Sprintf("could not read server.yaml: rule %d (%s): %v", i, all[i].By, err))
		}
	}
	if len(all) > 64*len(combination{}.rules) {
		panic("server.yaml has more rules than a combination holds")
	}
	return all
})

func (r *rule) complete() error {
	switch r.Before {
	case "Mutating":
		r.phase = Mutating
	case "Validating":
		r.phase = Validating
	default:
		return fmt.Errorf("%q is no phase", r.Before)
	}
	if len(r.Within) == 0 {
		r.Within = []string{""}
	}
	if r.Where != "" {
		r.where = strings.Split(r.Where, ".")
	}
	r.node = &Node{}
	for _, of := range []struct {
		paths []string
		mark  Node
	}{{r.Adds, Node{Appears: true}}, {r.Changes, Node{Changes: true}}, {r.Sets, Node{Appears: true, Changes: true}}} {
		for _, path := range of.paths {
			for _, within := range r.Within {
				mark := of.mark
				mark.Because = r.By
				if err := r.node.mark(within+"."+path, mark); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// mark adds to a tree what may become of the field at a path, such as
// spec.containers[].image or metadata.labels["a.b/c"].
func (n *Node) mark(path string, mark Node) error {
	rest := path
	for rest != "" {
		var name string
		if quoted, ok := strings.CutPrefix(rest, `["`); ok {
			if name, rest, ok = strings.Cut(quoted, `"]`); !ok {
				return fmt.Errorf("the path %s does not end", path)
			}
			n = n.child(name)
		} else if after, ok := strings.CutPrefix(rest, "[]"); ok {
			if n.Items == nil {
				n.Items = &Node{}
			}
			n, rest = n.Items, after
		} else {
			if rest = strings.TrimLeft(rest, "."); rest[:1] == "[" {
				continue
			}
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return fmt.Errorf("the path %s has a field without a name", path)
			}
			name, rest = rest[:end], rest[end:]
			n = n.child(name)
		}
	}
	n.Appears, n.Changes, n.Because = n.Appears || mark.Appears, n.Changes || mark.Changes, mark.Because
	return nil
}

func (n *Node) child(name string) *Node {
	if n.Fields == nil {
		n.Fields = map[string]*Node{}
	}
	if n.Fields[name] == nil {
		n.Fields[name] = &Node{}
	}
	return n.Fields[name]
}

// Request is what decides, with the object, what an API server makes of it: a
// CREATE or UPDATE of one of its own resources. Kind is that of the object.
// Other operations have the object as it is stored, or options, which only
// decoding changes.
type Request struct {
	Resource    schema.GroupResource
	Subresource string
	Operation   admission.Operation
	Kind        schema.GroupVersionKind
}

// combination is what becomes of the objects of a kind, which is the same for
// all requests to which the same rules apply.
type combination struct {
	kind  schema.GroupVersionKind
	rules [2]uint64
}

var combined sync.Map // of combination to *Node

// Changes returns what an API server adds to and changes in an object before
// hooks of the phase see it. It is relative to the object as the types of
// k8s.io/api have it.
func (r Request) Changes(object map[string]any, phase Phase) *Node {
	decoded := Decoded(r.Kind)
	key := combination{kind: r.Kind}
	if decoded == nil {
		key.kind = schema.GroupVersionKind{} // there is no end of kinds that are not known
	}
	name := r.named()
	for i := range rules() {
		if rule := &rules()[i]; rule.phase <= phase && rule.applies(r, name, object) {
			key.rules[i/64] |= 1 << (i % 64)
		}
	}
	if known, ok := combined.Load(key); ok {
		return known.(*Node)
	}
	node := decoded
	for i := range rules() {
		if key.rules[i/64]&(1<<(i%64)) != 0 {
			node = node.Or(rules()[i].node)
		}
	}
	combined.Store(key, node)
	return node
}

// named is the resource and subresource in the words of rules.
func (r Request) named() string {
	if r.Subresource == "" {
		return r.Resource.String()
	}
	return r.Resource.String() + "/" + r.Subresource
}

// applies tells whether the rule is about a request, of which name is the
// resource and subresource, with such an object.
func (r *rule) applies(request Request, name string, object map[string]any) bool {
	if !r.concerns(request, name) {
		return false
	}
	if len(r.where) == 0 {
		return true
	}
	_, found, err := unstructured.NestedFieldNoCopy(object, r.where...)
	return found && err == nil
}

// concerns tells whether the rule is about a request, if the object is one.
func (r *rule) concerns(request Request, name string) bool {
	switch {
	case !slices.Contains(r.Operations, request.Operation),
		len(r.Resources) > 0 && !slices.Contains(r.Resources, name),
		len(r.Subresources) > 0 && !slices.Contains(r.Subresources, request.Subresource),
		slices.Contains(r.Except, name),
		slices.Contains(r.ExceptSubresources, request.Subresource):
		return false
	}
	return true
}
