package requestpath

import (
	"reflect"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// The values of this file stand for objects of which a part is not known. CEL
// has unknowns of its own: a field that is one makes unknown what depends on it
// and nothing else, so that `false && object.spec.x` is still false. What an
// unknown can't be the answer of, such as the size of a map, leaves a trace
// instead.

// trace notes what is not known of what an expression reads.
type trace struct {
	// paths are what was read, such as object.spec.replicas.
	paths []string
	// why is the reason of the first.
	why string
	// tainted: the result of the expression at hand says nothing, because an
	// unknown was asked for what it cannot answer with an unknown.
	tainted bool
	// sizes: the expression at hand asks for sizes, wholeSizes: of variables as a
	// whole. Else sizes are asked for by the bookkeeping of costs only.
	sizes, wholeSizes bool
	// compares: it compares what may be objects. Whatever CEL's own objects and
	// lists compare themselves with, they take an unknown part for a difference.
	compares bool
}

// watch prepares for an expression.
func (t *trace) watch(r reads) {
	t.sizes, t.wholeSizes, t.compares = t.sizes || r.sizes, t.wholeSizes || r.wholeSizes, t.compares || r.compares
}

// reset forgets what was read so far.
func (t *trace) reset() { *t = trace{} }

// note notes a path, unless it is within one that is noted: which parts of that
// are read too can be a matter of the order in which a map is gone through.
func (t *trace) note(path, why string) {
	if !slices.ContainsFunc(t.paths, func(noted string) bool {
		return path == noted || strings.HasPrefix(path, noted+".") || strings.HasPrefix(path, noted+"[")
	}) {
		t.paths = append(t.paths, path)
	}
	if t.why == "" {
		t.why = why
	}
}

func (t *trace) taint(path, why string) {
	t.note(path, why)
	t.tainted = true
}

// unknown returns the unknown that stands for a path.
func (t *trace) unknown(path, why string) *types.Unknown {
	t.note(path, why)
	return types.NewUnknown(1, types.NewAttributeTrail(path))
}

// value returns a JSON value of which a part is not known as CEL sees it.
func (t *trace) value(path string, content any, d *doubt) ref.Val {
	if d.none() {
		return types.DefaultTypeAdapter.NativeToValue(content)
	}
	if d.changes {
		return t.unknown(path, d.because)
	}
	switch content := content.(type) {
	case map[string]any:
		return &doubtfulMap{trace: t, path: path, content: content, doubt: d}
	case []any:
		if d.items.none() {
			return types.DefaultTypeAdapter.NativeToValue(content)
		}
		return t.list(path, content, d.items)
	default:
		return types.DefaultTypeAdapter.NativeToValue(content)
	}
}

var _ interface {
	traits.Mapper
	traits.Iterable
} = (*doubtfulMap)(nil)

// doubtfulMap is a JSON object of which a part is not known.
type doubtfulMap struct {
	trace   *trace
	path    string
	content map[string]any
	doubt   *doubt
}

// Find returns a field; an unknown where there may be one, or another.
func (m *doubtfulMap) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key), true
	}
	path := m.path + "." + string(name)
	d := m.doubt.field(string(name))
	content, there := m.content[string(name)]
	switch {
	case there:
		return m.trace.value(path, content, d), true
	case d != nil && d.appears:
		return m.trace.unknown(path, d.because), true
	default:
		return nil, false
	}
}

// Get returns a field as Find does, and an error where there is none.
func (m *doubtfulMap) Get(key ref.Val) ref.Val {
	if value, ok := m.Find(key); ok {
		return value
	}
	return types.NewErr("no such key: %v", key)
}

// Contains tells whether there is a field.
func (m *doubtfulMap) Contains(key ref.Val) ref.Val {
	value, ok := m.Find(key)
	if ok && types.IsUnknownOrError(value) {
		return value
	}
	return types.Bool(ok)
}

// Size returns the number of fields that are there for sure.
func (m *doubtfulMap) Size() ref.Val {
	asked := m.trace.sizes
	if !strings.Contains(m.path, ".") {
		asked = m.trace.wholeSizes
	}
	if asked && (m.trace.compares || m.doubt.extends(m.content)) {
		m.trace.taint(m.path, m.doubt.because)
	}
	return types.Int(len(m.content))
}

// Iterator goes over the names of the fields that are there for sure.
func (m *doubtfulMap) Iterator() traits.Iterator {
	names := make([]ref.Val, 0, len(m.content))
	for name := range m.content {
		names = append(names, types.String(name))
	}
	slices.SortFunc(names, func(x, y ref.Val) int { return int(x.(types.String).Compare(y).(types.Int)) })
	if m.doubt.extends(m.content) {
		m.trace.taint(m.path, m.doubt.because)
	}
	return types.DefaultTypeAdapter.NativeToValue(names).(traits.Lister).Iterator()
}

// Equal tells whether a value is the same object.
func (m *doubtfulMap) Equal(other ref.Val) ref.Val {
	if types.IsUnknownOrError(other) {
		return other
	}
	if _, ok := other.(traits.Mapper); !ok {
		return types.False
	}
	m.trace.taint(m.path, m.doubt.because)
	return m.trace.unknown(m.path, m.doubt.because)
}

// ConvertToNative is what makes Go values of CEL's: nobody can of this.
func (m *doubtfulMap) ConvertToNative(to reflect.Type) (any, error) {
	m.trace.taint(m.path, m.doubt.because)
	if to.Kind() == reflect.Interface || to == reflect.TypeFor[map[string]any]() {
		return m.content, nil
	}
	return types.DefaultTypeAdapter.NativeToValue(m.content).ConvertToNative(to)
}

// ConvertToType returns the map itself, or its type.
func (m *doubtfulMap) ConvertToType(to ref.Type) ref.Val {
	switch to {
	case types.MapType:
		return m
	case types.TypeType:
		return types.MapType
	default:
		return types.NewErr("type conversion error from '%s' to '%s'", types.MapType, to)
	}
}

// Type is that of CEL's maps.
func (m *doubtfulMap) Type() ref.Type { return types.MapType }

// Value returns the fields that are there for sure.
func (m *doubtfulMap) Value() any {
	m.trace.taint(m.path, m.doubt.because)
	return m.content
}
