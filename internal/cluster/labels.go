package cluster

import (
	"maps"
	"slices"
	"strings"
	"unique"

	"k8s.io/apimachinery/pkg/labels"
)

var _ labels.Labels = Labels{}

// Labels is an immutable label set. Equal sets share their memory: most pods
// of a cluster have the labels of their siblings.
type Labels struct {
	// canonical is "key\x00value\x00" for each label in order of the keys.
	canonical unique.Handle[string]
}

// LabelsOf interns a label set.
func LabelsOf(set map[string]string) Labels {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(set)) {
		b.WriteString(key)
		b.WriteByte(0)
		b.WriteString(set[key])
		b.WriteByte(0)
	}
	return Labels{unique.Make(b.String())}
}

// Lookup returns the value of a key and whether the set has it.
func (l Labels) Lookup(key string) (string, bool) {
	for k, v := range l.all {
		if k == key {
			return v, true
		}
	}
	return "", false
}

// Has tells whether the set has the key.
func (l Labels) Has(key string) bool { _, ok := l.Lookup(key); return ok }

// Get returns the value of a key, empty where the set lacks it.
func (l Labels) Get(key string) string { v, _ := l.Lookup(key); return v }

// Map returns the set as a new map.
func (l Labels) Map() map[string]string { return maps.Collect(l.all) }

func (l Labels) all(yield func(string, string) bool) {
	if l == (Labels{}) {
		return
	}
	for rest := l.canonical.Value(); rest != ""; {
		var key, value string
		key, rest, _ = strings.Cut(rest, "\x00")
		value, rest, _ = strings.Cut(rest, "\x00")
		if !yield(key, value) {
			return
		}
	}
}
