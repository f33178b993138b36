package policyenv

import (
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/cel/openapi"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// schema is the library's schema with its properties at hand: the library
// makes a map of them anew each time that an expression selects a field.
type schema struct {
	openapi.Schema
	properties map[string]common.Schema
	items      common.Schema
}

func newSchema(of *spec.Schema) *schema {
	s := &schema{Schema: openapi.Schema{Schema: of}}
	if len(of.Properties) > 0 {
		s.properties = make(map[string]common.Schema, len(of.Properties))
		for name, property := range of.Properties {
			s.properties[name] = newSchema(&property)
		}
	}
	if of.Items != nil && of.Items.Schema != nil {
		s.items = newSchema(of.Items.Schema)
	}
	return s
}

// Properties returns the fields of an object.
func (s *schema) Properties() map[string]common.Schema { return s.properties }

// Items returns the schema of the items of a list.
func (s *schema) Items() common.Schema { return s.items }
