package policyenv

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// What an expression costs is known after each call. A few functions make in one
// call a string many times as long as what they are given, which would fill the
// memory of the server before that: these look at how long it will be first.

// maxString bounds the strings that such a function makes.
const maxString = 256 << 10

var errString = fmt.Errorf("the string would be longer than %d bytes", maxString)

// boundedStrings are the functions that can tell, declared again with the
// signatures that they have.
func boundedStrings() []cel.EnvOption {
	text := cel.StringType
	return []cel.EnvOption{
		cel.Function("replace",
			cel.MemberOverload("string_replace_string_string", []*cel.Type{text, text, text}, text,
				cel.FunctionBinding(func(args ...ref.Val) ref.Val {
					return replace(args[0].(types.String), args[1].(types.String), args[2].(types.String), -1)
				})),
			cel.MemberOverload("string_replace_string_string_int", []*cel.Type{text, text, text, cel.IntType}, text,
				cel.FunctionBinding(func(args ...ref.Val) ref.Val {
					return replace(args[0].(types.String), args[1].(types.String), args[2].(types.String), args[3].(types.Int))
				}))),
		cel.Function("join",
			cel.MemberOverload("list_join", []*cel.Type{cel.ListType(text)}, text,
				cel.UnaryBinding(func(list ref.Val) ref.Val { return join(list, "") })),
			cel.MemberOverload("list_join_string", []*cel.Type{cel.ListType(text), text}, text,
				cel.BinaryBinding(func(list, separator ref.Val) ref.Val { return join(list, separator.(types.String)) }))),
	}
}

func replace(in, old, replacement types.String, n types.Int) ref.Val {
	count := strings.Count(string(in), string(old))
	if n >= 0 {
		count = min(count, int(min(n, types.Int(count))))
	}
	if len(in)+count*max(0, len(replacement)-len(old)) > maxString {
		return types.WrapErr(errString)
	}
	return types.String(strings.Replace(string(in), string(old), string(replacement), count))
}

func join(list ref.Val, separator types.String) ref.Val {
	var joined strings.Builder
	for i, next := 0, list.(traits.Iterable).Iterator(); next.HasNext() == types.True; i++ {
		element, ok := next.Next().(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(list)
		}
		if i > 0 {
			joined.WriteString(string(separator))
		}
		joined.WriteString(string(element))
		if joined.Len() > maxString {
			return types.WrapErr(errString)
		}
	}
	return types.String(joined.String())
}

// maxClauses bounds the clauses of a format, each of which may hold a long
// string.
const maxClauses = 32

var errFormat = fmt.Errorf("format is called on a literal string with at most %d clauses", maxClauses)

// checkFormats refuses formats of which it cannot be told how long what they
// make may be.
func checkFormats(checked *cel.Ast) error {
	var errs []error
	ast.PreOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != "format" || !e.AsCall().IsMemberFunction() {
			return
		}
		literal := e.AsCall().Target()
		if literal.Kind() == ast.LiteralKind {
			if format, ok := literal.AsLiteral().(types.String); ok && strings.Count(string(format), "%") <= maxClauses {
				return
			}
		}
		errs = append(errs, errFormat)
	}))
	return errors.Join(errs...)
}
