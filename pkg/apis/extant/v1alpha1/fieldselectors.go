package v1alpha1

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
)

// fieldLabels are the fields that a field selector may name, by kind.
var fieldLabels = map[string]sets.Set[string]{
	"Backend":                sets.New("metadata.name", "status.available", "status.reason"),
	"ComponentConfiguration": sets.New("metadata.name", "spec.component"),
	"Extension":              sets.New("metadata.name", "status.failureMode", "status.recoversUnaided"),
	"ExtensionPoint":         sets.New("metadata.name", "spec.caller", "spec.pattern", "spec.region"),
	"ExtensionPolicy":        sets.New("metadata.name"),
	"Finding":                sets.New("metadata.name", "spec.accepted", "spec.extension", "spec.policy", "spec.severity"),
	"NodePluginReport":       sets.New("metadata.name"),
}

func addFieldLabels(scheme *runtime.Scheme) error {
	for kind, supported := range fieldLabels {
		convert := func(label, value string) (string, string, error) {
			if !supported.Has(label) {
				return "", "", fmt.Errorf("field label not supported for %s: %q; supported are %v", kind, label, sets.List(supported))
			}
			return label, value, nil
		}
		if err := scheme.AddFieldLabelConversionFunc(SchemeGroupVersion.WithKind(kind), convert); err != nil {
			return err
		}
	}
	return nil
}
