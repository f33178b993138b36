package customresource

import (
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder"
	"k8s.io/apimachinery/pkg/util/managedfields"

	"github.com/extant-project/extant/internal/cluster"
)

// TypeConverter returns what knows the structure of a version's objects, which
// policies that apply configurations need. It is made as the API server makes
// it, from the OpenAPI that it publishes of the definition.
func (s *Schemas) TypeConverter(definition *apiextensionsv1.CustomResourceDefinition, version string) (managedfields.TypeConverter, error) {
	return s.get(definition, version).converter()
}

func typeConverter(definition *apiextensionsv1.CustomResourceDefinition, version string) (managedfields.TypeConverter, error) {
	props, err := cluster.Schema(definition, version)
	if err != nil {
		return nil, err
	}
	if props == nil && !definition.Spec.PreserveUnknownFields {
		return nil, ErrNoSchema
	}
	whole := definition.DeepCopy()
	for i := range whole.Spec.Versions {
		if v := &whole.Spec.Versions[i]; v.Name == version && props != nil {
			v.Schema = &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: props}
		}
	}
	openAPI, err := builder.BuildOpenAPIV3(whole, version, builder.Options{})
	if err != nil {
		return nil, fmt.Errorf("could not make the OpenAPI of %s, version %s: %w", definition.Name, version, err)
	}
	return managedfields.NewTypeConverter(openAPI.Components.Schemas, definition.Spec.PreserveUnknownFields)
}
