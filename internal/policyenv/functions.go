package policyenv

import (
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// HookFunctions answers the functions of a hook. An error is one of the
// expression: what is not known is never false.
type HookFunctions interface {
	// Intercepts tells whether some object of a resource in a namespace would
	// be sent to the hook. The resource may have a subresource behind a slash;
	// the namespace is empty for cluster-scoped resources.
	Intercepts(operation, group, resource, namespace string) (bool, error)
	// InterceptsEvery tells whether each object would.
	InterceptsEvery(operation, group, resource, namespace string) (bool, error)
	// InterceptsOwnBackend tells whether the creation of a pod of the hook's own
	// backend would be sent to it.
	InterceptsOwnBackend() (bool, error)
}

// BackendFunctions answers the functions of a backend.
type BackendFunctions interface {
	// CertificateExpiresIn returns how long the serving certificate is valid
	// yet; negative where it has expired.
	CertificateExpiresIn() (time.Duration, error)
	// HasDisruptionBudget tells whether a PodDisruptionBudget selects the pods
	// of each workload behind the backend.
	HasDisruptionBudget() (bool, error)
}

// functionsOf declares the functions of a variable.
func functionsOf(variable string, of *cel.Type) []cel.EnvOption {
	switch variable {
	case "hook":
		question := []*cel.Type{of, cel.StringType, cel.StringType, cel.StringType, cel.StringType}
		return []cel.EnvOption{
			cel.Function("intercepts", cel.MemberOverload("hook_intercepts", question, cel.BoolType,
				cel.FunctionBinding(asking(HookFunctions.Intercepts)))),
			cel.Function("interceptsEvery", cel.MemberOverload("hook_intercepts_every", question, cel.BoolType,
				cel.FunctionBinding(asking(HookFunctions.InterceptsEvery)))),
			cel.Function("interceptsOwnBackend", cel.MemberOverload("hook_intercepts_own_backend", []*cel.Type{of}, cel.BoolType,
				cel.UnaryBinding(func(value ref.Val) ref.Val {
					hook, ok := value.(hookValue)
					if !ok {
						return types.MaybeNoSuchOverloadErr(value)
					}
					return answer(hook.InterceptsOwnBackend())
				}))),
		}
	case "backend":
		return []cel.EnvOption{
			cel.Function("certificateExpiresIn", cel.MemberOverload("backend_certificate_expires_in", []*cel.Type{of}, cel.DurationType,
				cel.UnaryBinding(func(value ref.Val) ref.Val {
					backend, ok := value.(backendValue)
					if !ok {
						return types.MaybeNoSuchOverloadErr(value)
					}
					left, err := backend.CertificateExpiresIn()
					if err != nil {
						return types.WrapErr(err)
					}
					return types.Duration{Duration: left}
				}))),
			cel.Function("hasDisruptionBudget", cel.MemberOverload("backend_has_disruption_budget", []*cel.Type{of}, cel.BoolType,
				cel.UnaryBinding(func(value ref.Val) ref.Val {
					backend, ok := value.(backendValue)
					if !ok {
						return types.MaybeNoSuchOverloadErr(value)
					}
					return answer(backend.HasDisruptionBudget())
				}))),
		}
	}
	return nil
}

// asking binds a function of a hook that asks for a kind of request.
func asking(ask func(hook HookFunctions, operation, group, resource, namespace string) (bool, error)) functions.FunctionOp {
	return func(arguments ...ref.Val) ref.Val {
		hook, ok := arguments[0].(hookValue)
		if !ok {
			return types.MaybeNoSuchOverloadErr(arguments[0])
		}
		var words [4]string
		for i, argument := range arguments[1:] {
			word, ok := argument.(types.String)
			if !ok {
				return types.MaybeNoSuchOverloadErr(argument)
			}
			words[i] = string(word)
		}
		return answer(ask(hook, words[0], words[1], words[2], words[3]))
	}
}

func answer(is bool, err error) ref.Val {
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Bool(is)
}
