package validation

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

const (
	maxSettings           = 1024
	maxSettingValue       = 64 * 1024
	maxConfigurationBytes = 256 * 1024
)

// ValidateComponentConfiguration validates a new configuration.
func ValidateComponentConfiguration(configuration *extant.ComponentConfiguration) field.ErrorList {
	errs := apimachineryvalidation.ValidateObjectMeta(&configuration.ObjectMeta, false, validateName, field.NewPath("metadata"))
	return append(errs, validateComponentConfigurationSpec(&configuration.Spec, configuration.Name, field.NewPath("spec"))...)
}

// ValidateComponentConfigurationUpdate validates a change of metadata and spec.
func ValidateComponentConfigurationUpdate(configuration, old *extant.ComponentConfiguration) field.ErrorList {
	errs := apimachineryvalidation.ValidateObjectMetaUpdate(&configuration.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	return append(errs, validateComponentConfigurationSpec(&configuration.Spec, configuration.Name, field.NewPath("spec"))...)
}

// ValidateComponentConfigurationStatusUpdate validates a change of status.
func ValidateComponentConfigurationStatusUpdate(configuration, old *extant.ComponentConfiguration) field.ErrorList {
	path := field.NewPath("status")
	status := &configuration.Status
	errs := apimachineryvalidation.ValidateObjectMetaUpdate(&configuration.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	errs = append(errs, uniqueBy(status.DriftsFrom, itself, path.Child("driftsFrom"))...)
	errs = append(errs, uniqueBy(status.Deprecated, itself, path.Child("deprecated"))...)
	return append(errs, uniqueBy(status.Changed, itself, path.Child("changed"))...)
}

func validateComponentConfigurationSpec(spec *extant.ComponentConfigurationSpec, name string, path *field.Path) field.ErrorList {
	errs := validateCaller(spec.Component, path.Child("component"))
	if spec.Instance == "" {
		errs = append(errs, field.Required(path.Child("instance"), "the node or pod that the component runs on or as"))
	} else if wanted := spec.Component + "." + spec.Instance; spec.Component != "" && name != wanted {
		errs = append(errs, field.Invalid(path.Child("instance"), spec.Instance, fmt.Sprintf("the name of the object must be <component>.<instance>, here %q", wanted)))
	}
	errs = append(errs, text(spec.Version, 256, path.Child("version"))...)
	errs = append(errs, text(spec.Source, 256, path.Child("source"))...)
	errs = append(errs, settings(spec.Flags, path.Child("flags"))...)
	for _, flag := range slices.Sorted(maps.Keys(spec.Flags)) {
		errs = append(errs, text(spec.Flags[flag], maxSettingValue, path.Child("flags").Key(flag))...)
	}
	errs = append(errs, settings(spec.FeatureGates, path.Child("featureGates"))...)
	return append(errs, jsonObject(spec.Configuration.Raw, path.Child("configuration"))...)
}

// settings bounds the number of settings and the length of their names.
func settings[V any](set map[string]V, path *field.Path) field.ErrorList {
	if len(set) > maxSettings {
		return field.ErrorList{field.TooMany(path, len(set), maxSettings)}
	}
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(set)) {
		errs = append(errs, required(name, path.Key(name))...)
		errs = append(errs, text(name, 256, path.Key(name))...)
	}
	return errs
}

// jsonObject requires a JSON object of bounded size, or nothing.
func jsonObject(raw []byte, path *field.Path) field.ErrorList {
	switch {
	case len(raw) == 0:
		return nil
	case len(raw) > maxConfigurationBytes:
		return field.ErrorList{field.TooLong(path, "", maxConfigurationBytes)}
	case !json.Valid(raw) || raw[0] != '{':
		return field.ErrorList{field.Invalid(path, field.OmitValueType{}, "must be an object, as JSON or CBOR")}
	}
	return nil
}
