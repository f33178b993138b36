package plugin

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// stdin is the path that stands for the standard input.
const stdin = "-"

// strict refuses fields that no review has: they are typing errors.
var strict = serializer.NewCodecFactory(install.Scheme, serializer.EnableStrict).UniversalDeserializer()

// readReview reads the one review in a file.
func readReview[S, H runtime.Object](k kind[S, H], path string, in io.Reader) (review S, err error) {
	name, text, err := readFile(path, in)
	if err != nil {
		return review, err
	}
	document, err := onlyDocument(text)
	if err != nil {
		return review, fmt.Errorf("%s: %w", name, err)
	}
	var meta runtime.TypeMeta
	if err := yaml.Unmarshal(document, &meta); err != nil {
		return review, fmt.Errorf("%s is neither YAML nor JSON: %w", name, err)
	}
	wanted := v1alpha1.SchemeGroupVersion.WithKind(k.kind)
	if meta.GroupVersionKind() != wanted {
		return review, fmt.Errorf("%s holds %s, not %s of %s", name, described(meta), withArticle(wanted.Kind), wanted.GroupVersion())
	}
	object, _, err := strict.Decode(document, nil, nil)
	if err != nil {
		return review, fmt.Errorf("%s: %w", name, err)
	}
	return object.(S), nil
}

// withArticle puts the indefinite article before a kind.
func withArticle(kind string) string {
	if strings.ContainsAny(kind[:1], "AEIOU") {
		return "an " + kind
	}
	return "a " + kind
}

func described(meta runtime.TypeMeta) string {
	if meta.Kind == "" || meta.APIVersion == "" {
		return "something without apiVersion or kind"
	}
	return fmt.Sprintf("%s of %s", withArticle(meta.Kind), meta.APIVersion)
}

func readFile(path string, in io.Reader) (name string, text []byte, err error) {
	if path == stdin {
		text, err := io.ReadAll(in)
		return "the standard input", text, err
	}
	text, err = os.ReadFile(path)
	var wrong *fs.PathError
	if errors.As(err, &wrong) {
		err = fmt.Errorf("could not read %s: %w", path, wrong.Err)
	}
	return path, text, err
}

// onlyDocument returns the one YAML document of a text.
func onlyDocument(text []byte) ([]byte, error) {
	var only []byte
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		var content any
		if yaml.Unmarshal(document, &content) == nil && content == nil {
			continue // comments alone
		}
		if only != nil {
			return nil, errors.New("it holds several documents: ask for one review at a time")
		}
		only = document
	}
	if only == nil {
		return nil, errors.New("it is empty")
	}
	return only, nil
}
