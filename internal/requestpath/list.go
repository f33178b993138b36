package requestpath

import (
	"fmt"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

var _ traits.Lister = (*doubtfulList)(nil)

// doubtfulList is a list whose items are in doubt. CEL's own list holds them as
// they are, and takes what is not known for a difference.
type doubtfulList struct {
	traits.Lister
	trace *trace
	path  string
	doubt *doubt
}

func (t *trace) list(path string, content []any, d *doubt) ref.Val {
	items := make([]ref.Val, len(content))
	for i, item := range content {
		items[i] = t.value(fmt.Sprintf("%s[%d]", path, i), item, d)
	}
	return &doubtfulList{types.DefaultTypeAdapter.NativeToValue(items).(traits.Lister), t, path, d}
}

// Size returns how many items there are, which is known.
func (l *doubtfulList) Size() ref.Val {
	size := l.Lister.Size()
	if l.trace.compares && size != types.IntZero {
		l.trace.taint(l.path, l.doubt.because)
	}
	return size
}

// Equal tells whether a value is the same list.
func (l *doubtfulList) Equal(other ref.Val) ref.Val {
	if types.IsUnknownOrError(other) {
		return other
	}
	list, ok := other.(traits.Lister)
	if !ok || l.Lister.Size() != list.Size() {
		return types.False
	}
	if l.Lister.Size() == types.IntZero {
		return types.True
	}
	l.trace.taint(l.path, l.doubt.because)
	return l.trace.unknown(l.path, l.doubt.because)
}

// Contains tells whether a value is among the items.
func (l *doubtfulList) Contains(value ref.Val) ref.Val {
	if types.IsUnknownOrError(value) {
		return value
	}
	var unknown ref.Val
	for it := l.Iterator(); it.HasNext() == types.True; {
		item := it.Next()
		switch equal := types.Equal(item, value); {
		case types.IsUnknown(item):
			unknown = item
		case types.IsUnknown(equal):
			unknown = equal
		case equal == types.True:
			return types.True
		}
	}
	if unknown != nil {
		return unknown
	}
	return types.False
}
