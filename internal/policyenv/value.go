package policyenv

import (
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"k8s.io/apiserver/pkg/cel/common"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Hook returns a value of the variable hook. The fields are those of its
// schema.
func Hook(fields map[string]any, functions HookFunctions) ref.Val {
	return hookValue{valueOf(extant.PolicySubjectHook, fields), functions}
}

// Backend returns a value of the variable backend: a served object, in the form
// of JSON.
func Backend(object map[string]any, functions BackendFunctions) ref.Val {
	return backendValue{valueOf(extant.PolicySubjectBackend, object), functions}
}

// Object returns a value of a variable without functions: a served object, in
// the form of JSON.
func Object(subject extant.PolicySubject, object map[string]any) ref.Val {
	return valueOf(subject, object)
}

func valueOf(subject extant.PolicySubject, fields map[string]any) value {
	variable := variables()[subject]
	// Every schema is one of an object, of which the library makes a mapper.
	mapper, _ := common.UnstructuredToVal(fields, variable.fields).(traits.Mapper)
	return value{mapper, variable.valueType}
}

// value is an object with the type that it is declared with, by which its
// functions are found.
type value struct {
	traits.Mapper
	declared ref.Type
}

func (v value) Type() ref.Type { return v.declared }

type hookValue struct {
	value
	HookFunctions
}

type backendValue struct {
	value
	BackendFunctions
}
