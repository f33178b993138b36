// Package apply is what controllers share that write by server-side apply: how
// a value becomes the fields that are applied, when a condition changed, and
// which objects people asked to leave alone. It writes nothing itself.
package apply

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// LeftAlone tells whether people asked for an object to be left alone.
func LeftAlone(object metav1.Object) bool {
	return object.GetAnnotations()[extant.AnnotationReconcile] == "false"
}

// ConfigurationOf turns a value into the apply configuration of its type: the
// fields that are set are the fields that are applied.
func ConfigurationOf[C any](value any) (*C, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	configuration := new(C)
	return configuration, json.Unmarshal(data, configuration)
}

// Transition completes wanted conditions: the time is that of the last change
// of the status, which is now where it differs from what is stored.
func Transition(wanted, stored []metav1.Condition, generation int64, now metav1.Time) []metav1.Condition {
	completed := make([]metav1.Condition, 0, len(wanted))
	for _, condition := range wanted {
		condition.ObservedGeneration = generation
		condition.LastTransitionTime = now
		if before := meta.FindStatusCondition(stored, condition.Type); before != nil && before.Status == condition.Status {
			condition.LastTransitionTime = before.LastTransitionTime
		}
		completed = append(completed, condition)
	}
	return completed
}

// Own returns the conditions among stored of the types in wanted.
func Own(stored, wanted []metav1.Condition) []metav1.Condition {
	kept := make([]metav1.Condition, 0, len(wanted))
	for _, condition := range wanted {
		if before := meta.FindStatusCondition(stored, condition.Type); before != nil {
			kept = append(kept, *before)
		}
	}
	return kept
}
