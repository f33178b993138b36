// Package catalogue holds the built-in extension points as data, one YAML file
// a pattern, and the policies that are shipped, one file each, embedded. It
// decodes them and does nothing else; writing them into the API is the duty of
// internal/controller/catalogue.
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

//go:embed points/*.yaml policies/*.yaml
var data embed.FS

// Points returns the built-in extension points in the order of the catalogue.
// They must not be changed.
var Points = sync.OnceValue(func() []*extant.ExtensionPoint {
	// In the order of the extension-point map's patterns.
	return must[*extant.ExtensionPoint]("points/", "configuration", "policy-api", "api", "webhook", "controller", "binary-plugin")
})

// Policies returns the policies that are shipped. They must not be changed.
var Policies = sync.OnceValue(func() []*extant.ExtensionPolicy {
	return must[*extant.ExtensionPolicy]("policies/", "baseline", "strict")
})

// builtin is an object of the catalogue.
type builtin interface {
	runtime.Object
	metav1.Object
}

// must reads files of the data that is compiled in, and that a test reads.
func must[T builtin](folder string, files ...string) []T {
	all, err := read[T](data, folder, files...)
	if err != nil {
		panic(err)
	}
	return all
}

func read[T builtin](from fs.FS, folder string, files ...string) ([]T, error) {
	codecs := serializer.NewCodecFactory(install.Scheme, serializer.EnableStrict)
	var all []T
	for _, file := range files {
		data, err := fs.ReadFile(from, folder+file+".yaml")
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
			decoded, err := runtime.Decode(codecs.UniversalDecoder(extant.SchemeGroupVersion), document)
			if err != nil {
				return nil, fmt.Errorf("could not decode %s.yaml: %w", file, err)
			}
			object, ok := decoded.(T)
			if !ok {
				return nil, fmt.Errorf("%s.yaml has a %T", file, decoded)
			}
			labels := object.GetLabels()
			if labels == nil {
				labels = map[string]string{}
			}
			labels[extant.LabelOrigin] = extant.OriginBuiltin
			object.SetLabels(labels)
			all = append(all, object)
		}
	}
	return all, nil
}
