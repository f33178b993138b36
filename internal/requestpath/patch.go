package requestpath

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/google/cel-go/common/types"
	jsonpatch "gomodules.xyz/jsonpatch/v2"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured/unstructuredscheme"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"
)

// difference returns what changed as a JSON patch, or nothing.
func difference(before, after *document) string {
	x, errX := json.Marshal(before.contents().fields)
	y, errY := json.Marshal(after.contents().fields)
	if errX != nil || errY != nil {
		return ""
	}
	operations, err := jsonpatch.CreatePatch(x, y)
	if err != nil || len(operations) == 0 {
		return ""
	}
	// The fields of an object come in no order; what is done to a list has one.
	slices.SortStableFunc(operations, func(x, y jsonpatch.Operation) int { return cmp.Compare(listOf(x.Path), listOf(y.Path)) })
	text, err := json.Marshal(operations)
	if err != nil {
		return ""
	}
	return string(text)
}

// listOf returns a JSON pointer up to the first list in it.
func listOf(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if _, err := strconv.Atoi(segment); err == nil {
			return strings.Join(segments[:i], "/")
		}
	}
	return path
}

// knownOnly evaluates a mutation over the objects as they are known, and ends
// it where the result is not known.
type knownOnly struct {
	celplugin.MutatingEvaluator
	in        *input
	evaluated bool
}

// ForInput evaluates the mutation.
func (k *knownOnly) ForInput(ctx context.Context, _ *admission.VersionedAttributes, request *admissionv1.AdmissionRequest, bindings celplugin.OptionalVariableBindings, namespace *corev1.Namespace, budget int64) (celplugin.EvaluationResult, int64, error) {
	result, remaining, err := k.MutatingEvaluator.ForInput(ctx, k.in.attr, request, bindings, namespace, budget)
	if err == nil && (types.IsUnknown(result.EvalResult) || k.in.trace.tainted) {
		return result, remaining, errUnknownMutation
	}
	k.evaluated = err == nil && result.Error == nil
	return result, remaining, err
}

// unstructuredInterfaces make the library patch objects without their types.
type unstructuredInterfaces struct{ admission.ObjectInterfaces }

func (unstructuredInterfaces) GetObjectCreater() runtime.ObjectCreater {
	return unstructuredscheme.NewUnstructuredCreator()
}

func (unstructuredInterfaces) GetObjectTyper() runtime.ObjectTyper {
	return unstructuredscheme.NewUnstructuredObjectTyper()
}
