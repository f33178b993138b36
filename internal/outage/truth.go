package outage

// truth is what can be said of a statement: no, unknown, or yes, in this order,
// so that of several that must hold the least one decides.
type truth int8

const (
	no truth = iota
	unknown
	yes
)

func (t truth) and(other truth) truth { return min(t, other) }

func (t truth) or(other truth) truth { return max(t, other) }

func (t truth) not() truth { return yes - t }

// believe turns unknown into yes for who hopes, and into no for who does not.
func (t truth) believe(hopeful bool) bool {
	return t == yes || hopeful && t == unknown
}
