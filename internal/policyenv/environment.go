// Package policyenv is the language of ExtensionPolicy rules: the variables
// that expressions have, their types with documented fields, and their
// functions, over cel-go with the libraries of Kubernetes' admission policies.
// It compiles rules and says what is wrong with them. It evaluates nothing and
// knows no cluster: what a function answers is up to the value it is called on.
package policyenv

import (
	"fmt"
	"slices"
	"sync"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/util/version"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/openapi"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	generated "github.com/extant-project/extant/pkg/generated/openapi"
)

// Variable is what the expressions of a rule see: one variable, named after
// what the rule applies to.
type Variable struct {
	// Name is the variable's.
	Name string
	// Schema documents the fields.
	Schema *spec.Schema

	environment *cel.Env
	valueType   *cel.Type
	fields      *schema
}

// subjects are the names of the variables and, unless it is no object of the
// API, the kind of their values.
var subjects = map[extant.PolicySubject]struct{ variable, kind string }{
	extant.PolicySubjectHook:                   {variable: "hook"},
	extant.PolicySubjectBackend:                {"backend", "Backend"},
	extant.PolicySubjectExtension:              {"extension", "Extension"},
	extant.PolicySubjectNodePluginReport:       {"report", "NodePluginReport"},
	extant.PolicySubjectComponentConfiguration: {"component", "ComponentConfiguration"},
}

// Of returns the variable of the rules that apply to a subject, and false where
// there is no such subject.
func Of(subject extant.PolicySubject) (*Variable, bool) {
	v, ok := variables()[subject]
	return v, ok
}

// variables are all of them. They are made once, of data that is compiled in
// and that a test reads.
var variables = sync.OnceValue(func() map[extant.PolicySubject]*Variable {
	schemas := resolver.NewDefinitionsSchemaResolver(generated.GetOpenAPIDefinitions, scheme())
	all := map[extant.PolicySubject]*Variable{}
	for subject, s := range subjects {
		variable := &Variable{Name: s.variable, Schema: hookSchema()}
		if s.kind != "" {
			resolved, err := schemas.ResolveSchema(v1alpha1.SchemeGroupVersion.WithKind(s.kind))
			if err != nil {
				panic(err)
			}
			variable.Schema = resolved
		}
		environment, err := newEnvironment(variable)
		if err != nil {
			panic(fmt.Errorf("could not declare the variable %s: %w", s.variable, err))
		}
		variable.environment = environment
		all[subject] = variable
	}
	return all
})

// newEnvironment declares a variable with its functions.
func newEnvironment(v *Variable) (*cel.Env, error) {
	declared := openapi.SchemaDeclType(v.Schema, false)
	if declared == nil {
		return nil, fmt.Errorf("its schema has no type")
	}
	declared = declared.MaybeAssignTypeName("extant.dev." + v.Name)
	set, err := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()).Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions: slices.Concat([]cel.EnvOption{cel.Variable(v.Name, declared.CelType())},
			functionsOf(v.Name, declared.CelType()), boundedStrings()),
		DeclTypes: []*apiservercel.DeclType{declared},
	})
	if err != nil {
		return nil, err
	}
	v.valueType, v.fields = declared.CelType(), newSchema(v.Schema)
	return set.NewExpressionsEnv(), nil
}
