package builtin

import (
	"cmp"
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Node says what may become of one field of an object, and of what is in it. A
// nil Node says that nothing does. Nodes are shared and never changed.
type Node struct {
	// Appears: where the field is absent (or null), it may come.
	Appears bool
	// Constant is what it always comes with where it is absent; nil where that
	// differs or is not for sure. It is shared by the objects that it is added to.
	Constant any
	// Changes: where the field is there, it may become another or vanish, with
	// all that is in it.
	Changes bool
	// ZeroChanges: it may change, but only where it is 0, false or "".
	ZeroChanges bool
	// Because names who does it, for people; empty for decoding.
	Because string
	// Rounds: it is a quantity, which is rounded up to thousandths.
	Rounds bool
	// Fields are the fields of an object, by name.
	Fields map[string]*Node
	// Items is what may become of each element of a list, or each value of a
	// map whose keys are free and not in Fields.
	Items *Node
}

// Field returns the node of a field, nil where nothing becomes of it.
func (n *Node) Field(name string) *Node {
	if n == nil {
		return nil
	}
	if field, ok := n.Fields[name]; ok {
		return field
	}
	return n.Items
}

// Or returns what may become of a field to which both may happen.
func (n *Node) Or(other *Node) *Node {
	if n == nil {
		return other
	}
	if other == nil {
		return n
	}
	both := &Node{
		Appears: n.Appears || other.Appears, Changes: n.Changes || other.Changes,
		ZeroChanges: n.ZeroChanges || other.ZeroChanges, Rounds: n.Rounds || other.Rounds,
		Because: cmp.Or(n.Because, other.Because), Items: n.Items.Or(other.Items),
	}
	// What one of them always adds, the other finds there, and may change it.
	switch {
	case n.Constant != nil && !other.Appears && !other.Changes:
		both.Constant = n.Constant
	case other.Constant != nil && !n.Appears && !n.Changes:
		both.Constant = other.Constant
	}
	if len(n.Fields)+len(other.Fields) > 0 {
		both.Fields = make(map[string]*Node, len(n.Fields)+len(other.Fields))
		for name, field := range n.Fields {
			both.Fields[name] = field.Or(other.Fields[name])
		}
		for name, field := range other.Fields {
			if _, ok := n.Fields[name]; !ok {
				both.Fields[name] = field
			}
		}
	}
	return both
}

// Settle adds to an object what comes for sure and rounds its quantities. It
// returns the object, a copy where anything was added, and what is then left in
// doubt: nothing is constant or rounded any more, and zero values that may
// change are marked as such.
func (n *Node) Settle(content map[string]any) (map[string]any, *Node) {
	settled, left := n.settle(content)
	return settled.(map[string]any), left
}

func (n *Node) settle(content any) (any, *Node) {
	if n == nil {
		return content, nil
	}
	left := &Node{Because: n.Because}
	if n.Changes || n.ZeroChanges && isZero(content) {
		left.Changes = true
		return content, left
	}
	switch content := content.(type) {
	case map[string]any:
		return n.settleObject(content)
	case []any:
		return n.settleList(content)
	}
	if n.Rounds {
		return rounded(content), nil
	}
	return content, nil
}

func (n *Node) settleObject(content map[string]any) (any, *Node) {
	settled := make(map[string]any, len(content)+len(n.Fields))
	left := &Node{Because: n.Because, Fields: map[string]*Node{}}
	for name, value := range content {
		settled[name] = value
		if value == nil {
			continue
		}
		var field *Node
		settled[name], field = n.Field(name).settle(value)
		if field != nil {
			left.Fields[name] = field
		} else if n.Items != nil {
			left.Fields[name] = nil // not what is left of Items
		}
	}
	for name, field := range n.Fields {
		if content[name] != nil {
			continue
		}
		if field.Constant != nil {
			// Who comes after decoding may add to it.
			var within *Node
			if settled[name], within = field.settle(field.Constant); within != nil {
				left.Fields[name] = within
			}
		} else if field.Appears {
			_, null := content[name]
			left.Fields[name] = &Node{Appears: true, Changes: null, Because: field.Because} // null is there, too
		}
	}
	if n.Items != nil && n.Items.Appears {
		left.Items = &Node{Appears: true, Because: n.Items.Because}
	}
	return settled, left.orNil()
}

func (n *Node) settleList(content []any) (any, *Node) {
	if n.Items == nil {
		return content, nil
	}
	settled := make([]any, len(content))
	left := &Node{Because: n.Because}
	for i, item := range content {
		var node *Node
		settled[i], node = n.Items.settle(item)
		left.Items = left.Items.Or(node)
	}
	return settled, left.orNil()
}

// orNil drops what says nothing.
func (n *Node) orNil() *Node {
	if n.Appears || n.Changes || n.Items != nil {
		return n
	}
	for _, field := range n.Fields {
		if field != nil {
			return n
		}
	}
	return nil
}

func isZero(value any) bool {
	switch value := value.(type) {
	case string:
		return value == ""
	case bool:
		return !value
	case int64:
		return value == 0
	case float64:
		return value == 0
	}
	return false
}

// rounded rounds a quantity as the API server does.
func rounded(value any) any {
	quantity, err := resource.ParseQuantity(fmt.Sprint(value))
	if err != nil {
		return value
	}
	quantity.RoundUp(resource.Milli)
	return quantity.String()
}
