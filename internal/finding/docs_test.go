package finding

import (
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/validation"
)

func TestTheExamplesOfTheDocumentationCompile(t *testing.T) {
	page, err := os.ReadFile("../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```yaml\n")[1:]
	if len(blocks) == 0 {
		t.Fatal("the page has no examples")
	}
	decoder := serializer.NewCodecFactory(install.Scheme, serializer.EnableStrict).UniversalDecoder(extant.SchemeGroupVersion)
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		object, err := runtime.Decode(decoder, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if errs := validation.ValidateExtensionPolicy(object.(*extant.ExtensionPolicy)); len(errs) > 0 {
			t.Error(errs.ToAggregate())
		}
	}
}
