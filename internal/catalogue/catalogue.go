// Package catalogue holds the built-in extension points as data: one YAML file
// a pattern, embedded. It decodes them and does nothing else; writing them into
// the API is the duty of internal/controller/catalogue.
package catalogue

import (
	"bufio"
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
)

//go:embed points/*.yaml
var points embed.FS

// Points returns the built-in extension points in the order of the catalogue.
// They must not be changed.
var Points = sync.OnceValue(func() []*extant.ExtensionPoint {
	all, err := read(points)
	if err != nil {
		// The data is compiled in, and a test reads it.
		panic(err)
	}
	return all
})

// files are the catalogue's, in the order of the extension-point map's
// patterns.
var files = []string{"configuration", "policy-api", "api", "webhook", "controller", "binary-plugin"}

func read(from fs.FS) ([]*extant.ExtensionPoint, error) {
	codecs := serializer.NewCodecFactory(install.Scheme, serializer.EnableStrict)
	var all []*extant.ExtensionPoint
	for _, file := range files {
		data, err := fs.ReadFile(from, "points/"+file+".yaml")
		if err != nil {
			return nil, err
		}
		documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
		for {
			document, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("could not read %s.yaml: %w", file, err)
			}
			object, err := runtime.Decode(codecs.UniversalDecoder(extant.SchemeGroupVersion), document)
			if err != nil {
				return nil, fmt.Errorf("could not decode %s.yaml: %w", file, err)
			}
			point, ok := object.(*extant.ExtensionPoint)
			if !ok {
				return nil, fmt.Errorf("%s.yaml has a %T", file, object)
			}
			metav1.SetMetaDataLabel(&point.ObjectMeta, extant.LabelOrigin, extant.OriginBuiltin)
			all = append(all, point)
		}
	}
	return all, nil
}
