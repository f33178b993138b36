package customresource

import (
	"maps"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
)

// Decode returns what decoding makes of an object: pruned, with the defaults of
// its schema, its metadata and that of embedded objects coerced. This is what
// mutating policies and webhooks see, but for managed fields. The object is not
// changed. An error other than ErrNoSchema is one that the API server refuses
// the request with.
func (s *Schemas) Decode(definition *apiextensionsv1.CustomResourceDefinition, version string, object map[string]any) (map[string]any, error) {
	structural, err := s.get(definition, version).structural()
	if err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(object)}
	u.SetAPIVersion(definition.Spec.Group + "/" + version)
	u.SetKind(definition.Spec.Names.Kind)
	apiVersion, kind := u.GetAPIVersion(), u.GetKind()
	metadata, found, err := objectmeta.GetObjectMeta(u.Object, false)
	if err != nil {
		return nil, err
	}
	if !definition.Spec.PreserveUnknownFields {
		pruning.Prune(u.Object, structural, true)
		defaulting.PruneNonNullableNullsWithoutDefaults(u.Object, structural)
	}
	if err := objectmeta.Coerce(nil, u.Object, structural, false, false); err != nil {
		return nil, err
	}
	u.SetKind(kind)
	u.SetAPIVersion(apiVersion)
	if found {
		if err := objectmeta.SetObjectMeta(u.Object, metadata); err != nil {
			return nil, err
		}
	}
	defaulting.Default(u.Object, structural)
	return u.Object, nil
}

// Store returns what the registry makes of a decoded object after mutating
// admission; this is what validating policies and webhooks see. An update needs
// the old object, in the same version: without it, keepsFromOld says what the
// API server takes from it and so is not known. The objects are not changed.
func Store(definition *apiextensionsv1.CustomResourceDefinition, version, subresource string, operation admission.Operation, object, old map[string]any) (stored map[string]any, keepsFromOld []string) {
	hasStatus := servesStatus(definition, version)
	switch {
	case operation == admission.Create:
		stored = maps.Clone(object)
		if hasStatus {
			delete(stored, "status")
		}
		return withGeneration(stored, 1), nil
	case subresource == "status" && old == nil:
		return object, []string{"metadata", "spec"}
	case subresource == "status":
		return statusOf(object, old), nil
	case old == nil && hasStatus:
		return object, []string{"status", "metadata.generation"}
	case old == nil:
		return object, []string{"metadata.generation"}
	}
	stored = maps.Clone(object)
	if hasStatus {
		delete(stored, "status")
		if status, ok := old["status"]; ok {
			stored["status"] = status
		}
	}
	before := &unstructured.Unstructured{Object: old}
	generation := before.GetGeneration()
	if !equality.Semantic.DeepEqual(withoutMetadata(stored), withoutMetadata(old)) {
		generation++
	}
	return withGeneration(stored, generation), nil
}

// servesStatus tells whether the status is a subresource.
func servesStatus(definition *apiextensionsv1.CustomResourceDefinition, version string) bool {
	for _, v := range definition.Spec.Versions {
		if v.Name == version {
			return v.Subresources != nil && v.Subresources.Status != nil
		}
	}
	return false
}

// statusOf returns the old object with the status and the managed fields of the
// new one.
func statusOf(object, old map[string]any) map[string]any {
	stored := maps.Clone(old)
	delete(stored, "status")
	if status, ok := object["status"]; ok {
		stored["status"] = status
	}
	metadata, _ := old["metadata"].(map[string]any)
	metadata = maps.Clone(metadata)
	delete(metadata, "managedFields")
	if managed, ok, _ := unstructured.NestedFieldNoCopy(object, "metadata", "managedFields"); ok {
		metadata["managedFields"] = managed
	}
	stored["metadata"] = metadata
	return stored
}

func withoutMetadata(object map[string]any) map[string]any {
	rest := maps.Clone(object)
	delete(rest, "metadata")
	return rest
}

func withGeneration(object map[string]any, generation int64) map[string]any {
	metadata, _ := object["metadata"].(map[string]any)
	if metadata = maps.Clone(metadata); metadata == nil {
		metadata = map[string]any{}
	}
	metadata["generation"] = generation
	if generation == 0 {
		delete(metadata, "generation")
	}
	object["metadata"] = metadata
	return object
}

// Convert returns an object in another version of its definition, and whether
// that is known: only a webhook knows what it makes of objects. Nothing is
// pruned or defaulted by the schema of the other version.
func Convert(definition *apiextensionsv1.CustomResourceDefinition, version string, object map[string]any) (converted map[string]any, known bool) {
	apiVersion := definition.Spec.Group + "/" + version
	if object["apiVersion"] == apiVersion {
		return object, true
	}
	if conversion := definition.Spec.Conversion; conversion != nil && conversion.Strategy != apiextensionsv1.NoneConverter {
		return nil, false
	}
	converted = maps.Clone(object)
	converted["apiVersion"] = apiVersion
	return converted, true
}
