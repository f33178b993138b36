package builtin

import "sync"

// keeping is what KeepsLabels was asked.
type keeping struct {
	request Request
	phase   Phase
}

// kept is what it answered.
type kept struct {
	sure   bool
	unless []string
}

var keepings sync.Map // of keeping to kept

// KeepsLabels tells whether hooks of the phase see an object with exactly the
// labels that were sent, unless it has one of the fields that are named, such as
// spec.nodeName: then Changes has to be asked. Selectors are what most hooks
// look at an object with, and most kinds keep their labels, so that the whole
// object need not be settled for them. The kind is one of Kubernetes' own.
func (r Request) KeepsLabels(phase Phase) (sure bool, unless []string) {
	asked := keeping{r, phase}
	if known, ok := keepings.Load(asked); ok {
		return known.(kept).sure, known.(kept).unless
	}
	found := kept{sure: !Decoded(r.Kind).touchesLabels()}
	for i := range rules() {
		rule := &rules()[i]
		if rule.phase > phase || !rule.concerns(r, r.named()) || !rule.node.touchesLabels() {
			continue
		}
		if rule.Where == "" {
			found.sure = false
		} else {
			found.unless = append(found.unless, rule.Where)
		}
	}
	keepings.Store(asked, found)
	return found.sure, found.unless
}

// touchesLabels tells whether something becomes of an object's labels.
func (n *Node) touchesLabels() bool {
	if n == nil {
		return false
	}
	for _, name := range []string{"metadata", "labels"} {
		if n.Changes || n.ZeroChanges || n.Constant != nil || n.Items != nil {
			return true
		}
		field, ok := n.Fields[name]
		if !ok {
			return false
		}
		n = field
	}
	return true
}
