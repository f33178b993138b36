package inventory

import (
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// claims is what people say about membership. An object that several
// Extensions name belongs to the first by name.
type claims struct {
	components map[extant.ObjectReference]string
	// byLabel finds the selectors that ask for a certain value of a label, so
	// that an object is not held against every selector.
	byLabel map[string]map[string][]selection
	// others are the selectors that ask for no certain value.
	others []selection
}

type selection struct {
	extension string
	selector  labels.Selector
}

func newClaims(extensions []*extant.Extension) claims {
	c := claims{components: map[extant.ObjectReference]string{}, byLabel: map[string]map[string][]selection{}}
	sorted := slices.Clone(extensions)
	slices.SortFunc(sorted, func(x, y *extant.Extension) int { return strings.Compare(x.Name, y.Name) })
	for _, extension := range sorted {
		for _, ref := range extension.Spec.Components {
			if _, taken := c.components[ref]; !taken {
				c.components[ref] = extension.Name
			}
		}
		c.addSelector(extension.Name, extension.Spec.ComponentSelector)
	}
	return c
}

func (c *claims) addSelector(extension string, declared *metav1.LabelSelector) {
	if declared == nil || (len(declared.MatchLabels) == 0 && len(declared.MatchExpressions) == 0) {
		// An empty selector would match every object; validation refuses it.
		return
	}
	selector, err := metav1.LabelSelectorAsSelector(declared)
	if err != nil {
		// Validation refuses it as well.
		return
	}
	s := selection{extension, selector}
	if len(declared.MatchLabels) == 0 {
		c.others = append(c.others, s)
		return
	}
	label := slices.Min(slices.Collect(maps.Keys(declared.MatchLabels)))
	values := c.byLabel[label]
	if values == nil {
		values = map[string][]selection{}
		c.byLabel[label] = values
	}
	value := declared.MatchLabels[label]
	values[value] = append(values[value], s)
}

// of returns the Extension that names an object, or nothing.
func (c *claims) of(ref extant.ObjectReference, set map[string]string) string {
	if len(c.components) > 0 {
		if extension, ok := c.components[ref]; ok {
			return extension
		}
	}
	found := ""
	consider := func(selections []selection) {
		for _, s := range selections {
			if (found == "" || s.extension < found) && s.selector.Matches(labels.Set(set)) {
				found = s.extension
			}
		}
	}
	for label, values := range c.byLabel {
		if value, ok := set[label]; ok {
			consider(values[value])
		}
	}
	consider(c.others)
	return found
}

func (c *claims) empty() bool {
	return len(c.components) == 0 && len(c.byLabel) == 0 && len(c.others) == 0
}
