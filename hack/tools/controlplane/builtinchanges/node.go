package main

import (
	"encoding/json"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
)

var quantity = reflect.TypeFor[resource.Quantity]()

// node is what is known of a field after the objects that were tried.
type node struct {
	// absent counts how often the field was not there while its parent was,
	// appeared how often it then came.
	absent, appeared int
	// value is what it came with, and varied that it was not always that.
	value  []byte
	varied bool
	// changed tells that it became another or vanished; zeroChanged that it did
	// when it was 0, false or empty; rounded that it was rounded up to
	// thousandths, as quantities are.
	changed, zeroChanged, rounded bool

	fields        map[string]*node
	items, values *node
}

func (n *node) field(name string) *node {
	if n.fields == nil {
		n.fields = map[string]*node{}
	}
	if n.fields[name] == nil {
		n.fields[name] = &node{}
	}
	return n.fields[name]
}

// compare notes how a value of the type became another.
func (n *node) compare(t reflect.Type, c *constants, before, after any) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch b := before.(type) {
	case map[string]any:
		a, ok := after.(map[string]any)
		if !ok {
			n.changed = true
		} else if t.Kind() == reflect.Map {
			n.compareMaps(t, c, b, a)
		} else if t.Kind() == reflect.Struct {
			for _, f := range jsonFields(t) {
				n.compareField(f, c, b, a)
			}
		} else if !reflect.DeepEqual(b, a) {
			n.changed = true
		}
	case []any:
		a, ok := after.([]any)
		if !ok || len(a) != len(b) || t.Kind() != reflect.Slice {
			n.changed = n.changed || !reflect.DeepEqual(before, after)
			return
		}
		for i := range b {
			if n.items == nil {
				n.items = &node{}
			}
			n.items.compare(t.Elem(), c, b[i], a[i])
		}
	default:
		switch {
		case reflect.DeepEqual(before, after):
		case t == quantity && roundsTo(before, after):
			n.rounded = true
		case reflect.ValueOf(before).IsZero():
			n.zeroChanged = true
		default:
			n.changed = true
		}
	}
}

func roundsTo(before, after any) bool {
	q, err := resource.ParseQuantity(before.(string))
	if err != nil {
		return false
	}
	q.RoundUp(resource.Milli)
	return q.String() == after
}

func (n *node) compareField(f field, c *constants, before, after map[string]any) {
	// A nil pointer may be written as null.
	b, a := before[f.name], after[f.name]
	was, is := b != nil, a != nil
	child := n.field(f.name)
	switch {
	case was && is:
		child.compare(f.typ, c, b, a)
	case was && f.typ.Kind() == reflect.Map:
		child.compareMaps(f.typ, c, b.(map[string]any), nil) // each of its entries vanished
	case was && reflect.ValueOf(b).IsZero():
		child.zeroChanged = true
	case was:
		child.changed = true
	default:
		child.absent++
		if is {
			child.appear(a)
		}
	}
}

func (n *node) appear(value any) {
	n.appeared++
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	n.varied = n.varied || n.value != nil && string(n.value) != string(encoded)
	n.value = encoded
}

// compareMaps notes what became of the entries of a map. Those with keys that
// Kubernetes knows are as fields.
func (n *node) compareMaps(t reflect.Type, c *constants, before, after map[string]any) {
	for key, b := range before {
		if a, is := after[key]; is {
			n.entry(c, key).compare(t.Elem(), c, b, a)
		} else {
			n.entry(c, key).changed = true
		}
	}
	for key, a := range after {
		if _, was := before[key]; !was {
			entry := n.entry(c, key)
			entry.appear(a)
			entry.varied = true
		}
	}
}

func (n *node) entry(c *constants, key string) *node {
	if _, known := slices.BinarySearch(c.keys, key); known {
		return n.field(key)
	}
	if n.values == nil {
		n.values = &node{}
	}
	return n.values
}

// interesting tells whether anything happens to the field or in it.
func (n *node) interesting() bool {
	if n == nil {
		return false
	}
	if n.appeared > 0 || n.changed || n.zeroChanged || n.rounded || n.items.interesting() || n.values.interesting() {
		return true
	}
	for _, f := range n.fields {
		if f.interesting() {
			return true
		}
	}
	return false
}

// constant tells whether the field always comes with the same value.
func (n *node) constant() bool {
	return n.appeared > 0 && n.appeared == n.absent && !n.varied
}
