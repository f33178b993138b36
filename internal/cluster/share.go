package cluster

import (
	"encoding/binary"
	"hash/maphash"
	"reflect"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// sharedParts bounds what a Sharer remembers: twice as many parts of a
	// sort.
	sharedParts = 16_000
	// sharedString is the length up to which strings are likely to repeat.
	sharedString = 128
)

// Sharer makes objects share the parts in which they are equal: strings, label
// sets, probes, resource amounts and whatever else thousands of workloads have
// in common. A cluster's objects take less than half the memory then. It is
// safe for concurrent use; the objects must not be changed any more.
//
// It remembers parts of late only, and so forgets what no object has any more
// without counting who uses what. A part that it forgot is held twice, no more.
type Sharer struct {
	seeds [2]maphash.Seed

	mu sync.Mutex
	// Strings, of which there are most, and label sets do not push each other
	// and the rest out.
	strings, sets, others generations
}

// generations is what is remembered. A part that is asked for moves from
// earlier to recent; what is not until recent is full is forgotten.
type generations struct {
	recent, earlier map[partKey]reflect.Value
}

// partKey identifies a part by its type and contents.
type partKey struct {
	kind     reflect.Type
	contents contents
}

// contents is a hash that is long enough to stand for what was hashed.
type contents [2]uint64

// NewSharer returns a Sharer that remembers nothing yet.
func NewSharer() *Sharer {
	return &Sharer{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// Share makes the object share its parts with those of earlier calls, and
// returns what to hold: the object, or a smaller one that tables expand to it.
// Objects of types that are made to be small are left as they are.
func (s *Sharer) Share(object Object) Object {
	switch o := object.(type) {
	case *appsv1.ReplicaSet:
		if small, ok := compactReplicaSet(o); ok {
			return small
		}
	case *batchv1.Job:
		if small, ok := compactJob(o); ok {
			return small
		}
	}
	value := reflect.ValueOf(object)
	if value.Kind() != reflect.Pointer || value.IsNil() || !openStruct(value.Type().Elem()) {
		return object
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visit(value.Elem())
	return object
}

// visit replaces the parts of a value by those that it can share and returns
// what the value contains. It is false for what cannot be looked into.
func (s *Sharer) visit(v reflect.Value) (contents, bool) {
	switch v.Kind() {
	case reflect.String:
		return s.visitString(v), true
	case reflect.Bool:
		if v.Bool() {
			return contents{1}, true
		}
		return contents{2}, true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return s.number(uint64(v.Int())), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return s.number(v.Uint()), true
	case reflect.Struct:
		return s.visitStruct(v)
	case reflect.Pointer:
		if v.IsNil() {
			return contents{3}, true
		}
		return s.part(v, func() (contents, bool) { return s.visit(v.Elem()) })
	case reflect.Slice:
		return s.visitSlice(v)
	case reflect.Map:
		return s.visitMap(v)
	default:
		return contents{}, false
	}
}

// part shares a pointer, slice or map by what it contains.
func (s *Sharer) part(v reflect.Value, visit func() (contents, bool)) (contents, bool) {
	c, ok := visit()
	if !ok {
		return contents{}, false
	}
	key := partKey{v.Type(), c}
	parts := &s.others
	if v.Type() == setType {
		parts = &s.sets
	}
	if known, ok := parts.known(key); ok {
		v.Set(known)
		return c, true
	}
	if v.Kind() == reflect.Slice && v.Cap() > v.Len() {
		exact := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(exact, v)
		v.Set(exact)
	}
	// The value itself would keep the object alive in which it lies.
	copied := reflect.New(v.Type()).Elem()
	copied.Set(v)
	parts.remember(key, copied)
	return c, true
}

func (g *generations) known(key partKey) (reflect.Value, bool) {
	known, ok := g.recent[key]
	if !ok {
		if known, ok = g.earlier[key]; ok {
			g.remember(key, known)
		}
	}
	return known, ok
}

func (g *generations) remember(key partKey, v reflect.Value) {
	if g.recent == nil || len(g.recent) >= sharedParts {
		g.earlier, g.recent = g.recent, map[partKey]reflect.Value{}
	}
	g.recent[key] = v
}

func (s *Sharer) visitString(v reflect.Value) contents {
	text := v.String()
	c := s.text(text)
	if text == "" || len(text) > sharedString || v.Type() == uidType {
		return c
	}
	key := partKey{stringType, c}
	known, ok := s.strings.known(key)
	if !ok {
		known = reflect.ValueOf(text)
		s.strings.remember(key, known)
	}
	v.SetString(known.String())
	return c
}

func (s *Sharer) visitSlice(v reflect.Value) (contents, bool) {
	if v.IsNil() {
		return contents{4}, true
	}
	return s.part(v, func() (contents, bool) {
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return s.join(contents{5}, s.text(string(v.Bytes()))), true
		}
		c, all := s.join(contents{6}, s.number(uint64(v.Len()))), true
		for i := range v.Len() {
			element, ok := s.visit(v.Index(i))
			c, all = s.join(c, element), all && ok
		}
		return c, all
	})
}

func (s *Sharer) visitMap(v reflect.Value) (contents, bool) {
	if v.IsNil() {
		return contents{7}, true
	}
	return s.part(v, func() (contents, bool) {
		// Entries come in any order, so that what they contain is added up.
		c, all := s.join(contents{8}, s.number(uint64(v.Len()))), true
		shared := reflect.MakeMapWithSize(v.Type(), v.Len())
		for entries := v.MapRange(); entries.Next(); {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			key.Set(entries.Key())
			value.Set(entries.Value())
			keyContents, keyOK := s.visit(key)
			valueContents, valueOK := s.visit(value)
			entry := s.join(keyContents, valueContents)
			c[0] += entry[0]
			c[1] += entry[1]
			all = all && keyOK && valueOK
			shared.SetMapIndex(key, value)
		}
		v.Set(shared)
		return c, all
	})
}

var (
	stringType    = reflect.TypeFor[string]()
	setType       = reflect.TypeFor[map[string]string]()
	uidType       = reflect.TypeFor[types.UID]()
	quantityType  = reflect.TypeFor[resource.Quantity]()
	timeType      = reflect.TypeFor[metav1.Time]()
	microTimeType = reflect.TypeFor[metav1.MicroTime]()
)

func (s *Sharer) visitStruct(v reflect.Value) (contents, bool) {
	switch v.Type() {
	case quantityType:
		quantity := v.Interface().(resource.Quantity)
		return s.text(quantity.String() + string(quantity.Format)), true
	case timeType:
		return s.moment(v.Interface().(metav1.Time).Time), true
	case microTimeType:
		return s.moment(v.Interface().(metav1.MicroTime).Time), true
	}
	if !openStruct(v.Type()) {
		return contents{}, false
	}
	c, all := contents{9}, true
	for i := range v.NumField() {
		field, ok := s.visit(v.Field(i))
		c, all = s.join(c, field), all && ok
	}
	return c, all
}

// openStructs has which struct types can be looked into: API types can, as all
// their fields are exported.
var openStructs sync.Map

func openStruct(t reflect.Type) bool {
	if open, ok := openStructs.Load(t); ok {
		return open.(bool)
	}
	open := t.Kind() == reflect.Struct
	for i := 0; open && i < t.NumField(); i++ {
		open = t.Field(i).IsExported()
	}
	openStructs.Store(t, open)
	return open
}

func (s *Sharer) text(text string) contents {
	return contents{maphash.String(s.seeds[0], text), maphash.String(s.seeds[1], text)}
}

func (s *Sharer) number(n uint64) contents { return s.join(contents{10}, contents{n}) }

// moment tells times of other zones apart, as their fields are.
func (s *Sharer) moment(t time.Time) contents {
	_, offset := t.Zone()
	return s.join(s.number(uint64(t.UnixNano())), s.number(uint64(offset)))
}

// join returns the contents of one after the other.
func (s *Sharer) join(x, y contents) contents {
	var both [32]byte
	for i, word := range [4]uint64{x[0], x[1], y[0], y[1]} {
		binary.LittleEndian.PutUint64(both[8*i:], word)
	}
	return contents{maphash.Bytes(s.seeds[0], both[:]), maphash.Bytes(s.seeds[1], both[:])}
}
