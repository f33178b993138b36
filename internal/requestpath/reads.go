package requestpath

import (
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"k8s.io/apiserver/pkg/cel/environment"
)

// The variables request and namespaceObject are typed structures of the
// library, in which nothing can be marked as unknown. What an expression reads
// of them is read off the expression instead.

// reads is what an expression reads, as far as its text tells.
type reads struct {
	// chains are the variables with the fields that are selected from them, such
	// as request.userInfo.groups. A variable alone is used as a whole, and a chain
	// that ends in a question mark is only asked whether it is there.
	chains []string
	// sizes: the expression asks for the size of something, or compares what may
	// be objects, which begins with their sizes; wholeSizes: of a variable as a
	// whole, or of what does not show. compares: it compares.
	sizes, wholeSizes, compares bool
}

// baseEnvironment is the environment in which API servers compile what is
// stored: everything that any supported version offers.
var baseEnvironment = sync.OnceValue(func() *environment.EnvSet {
	return environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
})

var parser = sync.OnceValues(func() (*cel.Env, error) { return baseEnvironment().Env(environment.StoredExpressions) })

// readsOf returns what an expression reads. One that can't be parsed does not
// compile either, and is never evaluated.
func readsOf(expression string) reads {
	env, err := parser()
	if err != nil {
		return reads{}
	}
	parsed, issues := env.Parse(expression)
	if issues.Err() != nil {
		return reads{}
	}
	var r reads
	ast.PostOrderVisit(ast.NavigateAST(parsed.NativeRep()), ast.NewExprVisitor(func(e ast.Expr) {
		node, ok := e.(ast.NavigableExpr)
		if !ok {
			return
		}
		switch node.Kind() {
		case ast.IdentKind:
			if chain, used := chainOf(node); used {
				r.chains = append(r.chains, chain)
			}
		case ast.CallKind:
			call := node.AsCall()
			compares := comparesObjects(call)
			if r.compares = r.compares || compares; compares || call.FunctionName() == "size" {
				r.sizes, r.wholeSizes = true, r.wholeSizes || sizeOfWhole(call)
			}
		}
	}))
	return r
}

// chainOf follows the fields that are selected from a variable. A variable that
// is only compared with null is not used: whether it is null is known.
func chainOf(node ast.NavigableExpr) (chain string, used bool) {
	chain = node.AsIdent()
	for {
		parent, ok := node.Parent()
		if !ok {
			return chain, true
		}
		field, ok := selected(parent, node)
		if !ok {
			return chain, !comparesWithNull(parent)
		}
		chain += "." + field
		if parent.Kind() == ast.SelectKind && parent.AsSelect().IsTestOnly() {
			return chain + asked, true
		}
		node = parent
	}
}

// asked ends the chain of a has().
const asked = "?"

// sizeOfWhole tells whether a call of size is about a variable as a whole.
func sizeOfWhole(call ast.CallExpr) bool {
	about := call.Args()
	if call.IsMemberFunction() {
		about = append(about, call.Target())
	}
	return slices.ContainsFunc(about, func(e ast.Expr) bool { return e.Kind() == ast.IdentKind })
}

// comparesObjects tells whether both sides of a comparison may be objects, or
// lists of them. A list that is written down on the right is compared by the
// one on the left.
func comparesObjects(call ast.CallExpr) bool {
	args := call.Args()
	switch name := call.FunctionName(); {
	case len(args) != 2 || slices.ContainsFunc(args, func(arg ast.Expr) bool { return arg.Kind() == ast.LiteralKind }):
		return false
	case name == operators.In:
		return args[1].Kind() == ast.ListKind // others compare by themselves
	default:
		return (name == operators.Equals || name == operators.NotEquals) && args[1].Kind() != ast.ListKind
	}
}

func comparesWithNull(e ast.NavigableExpr) bool {
	if e.Kind() != ast.CallKind {
		return false
	}
	call := e.AsCall()
	if name := call.FunctionName(); name != operators.Equals && name != operators.NotEquals {
		return false
	}
	return slices.ContainsFunc(call.Args(), func(arg ast.Expr) bool {
		return arg.Kind() == ast.LiteralKind && arg.AsLiteral() == types.NullValue
	})
}

// selected returns the field that a node selects from another.
func selected(parent, from ast.NavigableExpr) (string, bool) {
	switch parent.Kind() {
	case ast.SelectKind:
		return parent.AsSelect().FieldName(), true
	case ast.CallKind:
		call := parent.AsCall()
		switch call.FunctionName() {
		case operators.Index, operators.OptIndex, operators.OptSelect:
			args := call.Args()
			if len(args) != 2 || args[0].ID() != from.ID() || args[1].Kind() != ast.LiteralKind {
				return "", false
			}
			name, ok := args[1].AsLiteral().(types.String)
			return string(name), ok
		}
	}
	return "", false
}

// of tells whether the expression reads what cannot be read, a part of it, or
// something that it is a part of.
func (r reads) of(blind blindness) bool {
	path := blind.path
	for _, chain := range r.chains {
		if chain == path+asked && blind.present {
			continue
		}
		chain = strings.TrimSuffix(chain, asked)
		if chain == path || strings.HasPrefix(chain, path+".") || strings.HasPrefix(path, chain+".") {
			return true
		}
	}
	return false
}
