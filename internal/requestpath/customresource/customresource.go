// Package customresource makes of objects of custom resources what an API
// server makes of them before hooks see them: it prunes, defaults and coerces
// them by the schema of their definition and keeps status and specification
// apart, with the API server's own packages. It knows no cluster: a definition
// is given to it, as internal/cluster keeps it. Where the schema was not seen,
// or an object is converted by a webhook, it says so.
package customresource

import (
	"errors"
	"fmt"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/utils/lru"

	"github.com/extant-project/extant/internal/cluster"
)

// ErrNoSchema says that the schema of a definition was not seen.
var ErrNoSchema = errors.New("the schema of the custom resource is not known")

// kept is how many compiled schemas are kept.
const kept = 128

// Schemas makes and keeps what definitions mean. A definition is known by its
// address: those of snapshots are never changed. It is safe for concurrent use.
type Schemas struct {
	compiled *lru.Cache
}

// NewSchemas returns Schemas that know none yet.
func NewSchemas() *Schemas { return &Schemas{compiled: lru.New(kept)} }

// key is a version of a definition.
type key struct {
	definition *apiextensionsv1.CustomResourceDefinition
	version    string
}

// compiled is what a version's schema means, each made when it is asked for.
type compiled struct {
	structural func() (*schema.Structural, error)
	converter  func() (managedfields.TypeConverter, error)
}

func (s *Schemas) get(definition *apiextensionsv1.CustomResourceDefinition, version string) *compiled {
	k := key{definition, version}
	if known, ok := s.compiled.Get(k); ok {
		return known.(*compiled)
	}
	c := &compiled{
		structural: sync.OnceValues(func() (*schema.Structural, error) { return structural(definition, version) }),
		converter:  sync.OnceValues(func() (managedfields.TypeConverter, error) { return typeConverter(definition, version) }),
	}
	s.compiled.Add(k, c)
	return c
}

// structural returns the schema as the API server applies it; nil where a
// definition of old has none.
func structural(definition *apiextensionsv1.CustomResourceDefinition, version string) (*schema.Structural, error) {
	props, err := cluster.Schema(definition, version)
	if err != nil {
		return nil, err
	}
	if props == nil {
		if definition.Spec.PreserveUnknownFields {
			return nil, nil
		}
		return nil, ErrNoSchema // today's definitions have one
	}
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(props, internal, nil); err != nil {
		return nil, fmt.Errorf("could not read the schema of %s, version %s: %w", definition.Name, version, err)
	}
	s, err := schema.NewStructural(internal)
	if definition.Spec.PreserveUnknownFields {
		// The API server takes what it got, which is nothing where it failed.
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the schema of %s, version %s, is not structural: %w", definition.Name, version, err)
	}
	s = s.DeepCopy()
	if err := defaulting.PruneDefaults(s); err != nil {
		return nil, fmt.Errorf("the defaults of %s, version %s, are not as its schema wants them: %w", definition.Name, version, err)
	}
	return s, nil
}
