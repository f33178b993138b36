package requestpath

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiserver/pkg/admission"
	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

// expressions are the CEL expressions of one list of a configuration, such as
// the match conditions of a webhook. They are compiled once.
type expressions struct {
	// all evaluates the list as the API server does.
	all celplugin.ConditionEvaluator
	// each evaluates one of them, to find out which one depends on what is not
	// known. An entry is nil where the list has none.
	each  []celplugin.ConditionEvaluator
	reads []reads
}

// compile compiles a list of expressions. variables is what the variables of a
// policy read, for the expressions that name them.
func compile(compiler celplugin.ConditionCompiler, list []celplugin.ExpressionAccessor, declared celplugin.OptionalVariableDeclarations, variables map[string]reads) *expressions {
	x := &expressions{
		all:   compiler.CompileCondition(list, declared, environment.StoredExpressions),
		each:  make([]celplugin.ConditionEvaluator, len(list)),
		reads: make([]reads, len(list)),
	}
	for i, expression := range list {
		if expression == nil {
			continue
		}
		x.each[i] = compiler.CompileCondition([]celplugin.ExpressionAccessor{expression}, declared, environment.StoredExpressions)
		x.reads[i] = readsOf(expression.GetExpression()).with(variables)
	}
	return x
}

// with adds what the variables read that are named.
func (r reads) with(variables map[string]reads) reads {
	for _, chain := range slices.Clone(r.chains) {
		name, _, _ := strings.Cut(strings.TrimPrefix(chain, "variables."), ".")
		if inner, ok := variables[name]; ok && strings.HasPrefix(chain, "variables.") {
			r.chains = append(r.chains, inner.chains...)
			r.sizes, r.wholeSizes, r.compares = r.sizes || inner.sizes, r.wholeSizes || inner.wholeSizes, r.compares || inner.compares
		}
	}
	return r
}

// input is what expressions are evaluated over.
type input struct {
	ctx       context.Context
	attr      *admission.VersionedAttributes
	request   *admissionv1.AdmissionRequest
	bindings  celplugin.OptionalVariableBindings
	namespace *corev1.Namespace
	// blind are the paths that cannot be read.
	blind []blindness
	trace *trace
}

// blindness is a path that cannot be read, and why.
type blindness struct {
	path, why string
	// present: there is a value, and has() can be answered.
	present bool
}

// results are the results of a list of expressions; those that are not known
// have an unknown for a result.
type results struct {
	list []celplugin.EvaluationResult
	// remaining is what is left of the budget.
	remaining int64
	// err is what ended the evaluation of the whole list.
	err error
	// paths and why say what was not known.
	paths []string
	why   string
}

// unknown tells whether any of the results is not known.
func (r *results) unknown() bool {
	return slices.ContainsFunc(r.list, func(one celplugin.EvaluationResult) bool { return types.IsUnknown(one.EvalResult) })
}

// missing says for people what was not known.
func (r *results) missing() string {
	text := strings.Join(r.paths, ", ") + " is not known"
	if len(r.paths) > 1 {
		text = strings.Join(r.paths, ", ") + " are not known"
	}
	if r.why != "" {
		text += ": " + r.why
	}
	return text
}

// evaluate evaluates the list.
func (x *expressions) evaluate(in *input, budget int64) *results {
	in.trace.reset()
	for _, r := range x.reads {
		in.trace.watch(r)
	}
	r := &results{}
	r.list, r.remaining, r.err = x.all.ForInput(in.ctx, in.attr, in.request, in.bindings, in.namespace, budget)
	if in.trace.tainted {
		x.attribute(in, r, budget)
	}
	for i := range r.list {
		for _, blind := range in.blind {
			if r.list[i].ExpressionAccessor != nil && x.reads[i].of(blind) {
				in.trace.note(blind.path, blind.why)
				r.list[i].EvalResult, r.list[i].Error = types.NewUnknown(1, types.NewAttributeTrail(blind.path)), nil
			}
		}
	}
	r.paths, r.why = slices.Clone(in.trace.paths), in.trace.why
	slices.Sort(r.paths)
	return r
}

// attribute finds which of the results depend on what is not known, by
// evaluating one by one.
func (x *expressions) attribute(in *input, r *results, budget int64) {
	if r.err != nil {
		r.list, r.err = make([]celplugin.EvaluationResult, len(x.each)), nil
	}
	for i, one := range x.each {
		if one == nil {
			continue
		}
		in.trace.tainted = false
		single, _, err := one.ForInput(in.ctx, in.attr, in.request, in.bindings, in.namespace, budget)
		switch {
		case err != nil:
			r.list[i].Error = err
		case in.trace.tainted:
			r.list[i] = single[0]
			r.list[i].EvalResult, r.list[i].Error = types.NewUnknown(1, types.NewAttributeTrail(strings.Join(in.trace.paths, ","))), nil
		default:
			r.list[i] = single[0]
		}
	}
}

// world is what an unknown result is taken to be.
type world int

const (
	worldTrue world = iota
	worldFalse
	worldError
)

// worlds are all that an unknown condition can turn out to be.
var worlds = []world{worldTrue, worldFalse, worldError}

// in returns an evaluator that gives the results, with those that are not known
// as they are in a world.
func (r *results) in(w world) celplugin.ConditionEvaluator {
	list := slices.Clone(r.list)
	for i := range list {
		if !types.IsUnknown(list[i].EvalResult) {
			continue
		}
		switch w {
		case worldTrue:
			list[i].EvalResult = types.True
		case worldFalse:
			list[i].EvalResult = types.False
		case worldError:
			list[i].EvalResult, list[i].Error = nil, fmt.Errorf("%s", r.missing())
		}
	}
	return given{list, r.remaining, r.err}
}

// given is an evaluator whose results are known already.
type given struct {
	list      []celplugin.EvaluationResult
	remaining int64
	err       error
}

// ForInput returns the results.
func (g given) ForInput(context.Context, *admission.VersionedAttributes, *admissionv1.AdmissionRequest, celplugin.OptionalVariableBindings, *corev1.Namespace, int64) ([]celplugin.EvaluationResult, int64, error) {
	return g.list, g.remaining, g.err
}

// CompilationErrors returns nothing: those are among the results.
func (g given) CompilationErrors() []error { return nil }
