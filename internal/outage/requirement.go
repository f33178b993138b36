package outage

import (
	"fmt"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// requirement is one thing without which a workload does not come back. One of
// its fields says what.
type requirement struct {
	// passage is an operation that must be allowed.
	passage *passage
	// component must run.
	component *controlComponent
	// workload must be up: it provides what is needed.
	workload *workload
	// backend must answer.
	backend string
	// otherwise: it can be met by none of that. It never is (no), or whether it
	// is cannot be told (unknown).
	otherwise truth
	// because says for people what is needed for what.
	because reason
}

// reason is words for people, put together only where somebody reads them, and
// for the workload that these are about: others of its kind share the reason.
type reason struct {
	format string
	args   []any
}

// say is a reason. Arguments that are functions are asked for the words of the
// workload.
func say(format string, args ...any) reason { return reason{format, args} }

// it names the workload that a reason is about.
var it = (*workload).String

// of is the words for a workload; nil for what is about none.
func (r reason) of(w *workload) string {
	args := make([]any, len(r.args))
	for i, arg := range r.args {
		switch arg := arg.(type) {
		case func(*workload) string:
			args[i] = arg(w)
		case reason:
			args[i] = arg.of(w)
		default:
			args[i] = arg
		}
	}
	return fmt.Sprintf(r.format, args...)
}

func never(format string, args ...any) requirement {
	return requirement{otherwise: no, because: say(format, args...)}
}

func cannotTell(format string, args ...any) requirement {
	return requirement{otherwise: unknown, because: say(format, args...)}
}

// met tells whether a requirement is met at a moment of a recovery.
func (r *run) met(q *requirement) truth {
	switch {
	case q.passage != nil:
		return r.now(q.passage).allowed(r.answers)
	case q.component != nil:
		return r.running(q.component)
	case q.workload != nil:
		return r.isUp(q.workload).or(q.otherwise)
	case q.backend != "":
		return r.answers(q.backend)
	}
	return q.otherwise
}

// lacking returns the requirements of lists that are not met for sure.
func (r *run) lacking(lists ...[]requirement) []*requirement {
	var lacking []*requirement
	for _, all := range lists {
		for i := range all {
			if !r.met(&all[i]).believe(r.hopeful) {
				lacking = append(lacking, &all[i])
			}
		}
	}
	return lacking
}

// blockers are the hooks because of which a requirement is not met.
func (r *run) blockers(q *requirement) []extant.HookReference {
	switch {
	case q.passage != nil:
		return r.now(q.passage).blockers(r.answers)
	case q.component != nil:
		var all []extant.HookReference
		for _, p := range r.needsOf(q.component) {
			if p.allowed(r.answers) != yes {
				all = append(all, p.blockers(r.answers)...)
			}
		}
		return all
	}
	return nil
}
