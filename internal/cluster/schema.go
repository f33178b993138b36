package cluster

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// The schemas of custom resources are most of their definitions: 30 KB each
// are common, and a cluster can have thousands. Few are ever asked for, so each
// is kept packed: without what is for people, compressed, and in the place of
// the default value of an otherwise empty schema, where it is compared and
// shared like any other part of the object.

// packSchema packs a schema in place. One that cannot be packed is dropped,
// and is then not known.
func packSchema(validation *apiextensionsv1.CustomResourceValidation) {
	if validation == nil || validation.OpenAPIV3Schema == nil || packed(validation.OpenAPIV3Schema) {
		return
	}
	forMachines(validation.OpenAPIV3Schema)
	data, err := compressed(validation.OpenAPIV3Schema)
	if err != nil {
		validation.OpenAPIV3Schema = nil
		return
	}
	validation.OpenAPIV3Schema = &apiextensionsv1.JSONSchemaProps{Type: packedType, Default: &apiextensionsv1.JSON{Raw: data}}
}

func compressed(schema *apiextensionsv1.JSONSchemaProps) ([]byte, error) {
	var b bytes.Buffer
	writer := compressors.Get().(*flate.Writer)
	defer compressors.Put(writer)
	writer.Reset(&b)
	if err := json.NewEncoder(writer).Encode(schema); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(b.Bytes()), nil
}

// packedType is the type of a packed schema; no schema has it.
const packedType = "packed"

func packed(schema *apiextensionsv1.JSONSchemaProps) bool { return schema.Type == packedType }

// compressors are large and quickly reused.
var compressors = sync.Pool{New: func() any {
	writer, err := flate.NewWriter(nil, flate.DefaultCompression)
	if err != nil {
		panic(err) // of a level that there isn't
	}
	return writer
}}

// Schema returns the schema of a version of a custom resource, without what is
// for people, for the caller to keep; nil if there is none, or none was seen.
func Schema(definition *apiextensionsv1.CustomResourceDefinition, version string) (*apiextensionsv1.JSONSchemaProps, error) {
	for i := range definition.Spec.Versions {
		v := &definition.Spec.Versions[i]
		if v.Name != version {
			continue
		}
		if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
			return nil, nil
		}
		if !packed(v.Schema.OpenAPIV3Schema) {
			return v.Schema.OpenAPIV3Schema.DeepCopy(), nil
		}
		data, err := io.ReadAll(flate.NewReader(bytes.NewReader(v.Schema.OpenAPIV3Schema.Default.Raw)))
		if err != nil {
			return nil, fmt.Errorf("could not unpack the schema of %s, version %s: %w", definition.Name, version, err)
		}
		schema := &apiextensionsv1.JSONSchemaProps{}
		if err := json.Unmarshal(data, schema); err != nil {
			return nil, fmt.Errorf("could not read the schema of %s, version %s: %w", definition.Name, version, err)
		}
		return schema, nil
	}
	return nil, fmt.Errorf("%s has no version %s", definition.Name, version)
}

// forMachines drops from a schema what says nothing of the form of objects.
func forMachines(schema *apiextensionsv1.JSONSchemaProps) {
	if schema == nil {
		return
	}
	schema.Description, schema.Title, schema.Example, schema.ExternalDocs = "", "", nil, nil
	// Rules refuse objects and change none.
	schema.XValidations = nil
	for _, within := range []map[string]apiextensionsv1.JSONSchemaProps{schema.Properties, schema.PatternProperties, schema.Definitions} {
		for name, property := range within {
			forMachines(&property)
			within[name] = property
		}
	}
	if schema.Items != nil {
		forMachines(schema.Items.Schema)
		eachForMachines(schema.Items.JSONSchemas)
	}
	for _, within := range [][]apiextensionsv1.JSONSchemaProps{schema.AllOf, schema.AnyOf, schema.OneOf} {
		eachForMachines(within)
	}
	forMachines(schema.Not)
	if schema.AdditionalProperties != nil {
		forMachines(schema.AdditionalProperties.Schema)
	}
	if schema.AdditionalItems != nil {
		forMachines(schema.AdditionalItems.Schema)
	}
}

func eachForMachines(schemas []apiextensionsv1.JSONSchemaProps) {
	for i := range schemas {
		forMachines(&schemas[i])
	}
}
