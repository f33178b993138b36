package stored

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"

	"github.com/extant-project/extant/pkg/apis/extant"
)

func TestAConfigurationIsStoredAsJSONWhateverTheWire(t *testing.T) {
	encoded, err := direct.Marshal(map[string]any{"maxPods": 110})
	if err != nil {
		t.Fatal(err)
	}
	// The decoder marks what it keeps raw as CBOR.
	cbor := append([]byte{0xd9, 0xd9, 0xf7}, encoded...)
	for name, test := range map[string]struct {
		raw  []byte
		want string
	}{
		"CBOR":   {cbor, `{"maxPods":110}`},
		"JSON":   {[]byte(` {"maxPods": 110} `), `{"maxPods": 110}`},
		"absent": {nil, ""},
		"null":   {[]byte("null"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, write := range []func(*extant.ComponentConfiguration){
				func(c *extant.ComponentConfiguration) {
					specStrategy[*extant.ComponentConfiguration]{componentConfigurations}.PrepareForCreate(t.Context(), c)
				},
				func(c *extant.ComponentConfiguration) {
					specStrategy[*extant.ComponentConfiguration]{componentConfigurations}.PrepareForUpdate(t.Context(), c, &extant.ComponentConfiguration{})
				},
			} {
				c := &extant.ComponentConfiguration{Spec: extant.ComponentConfigurationSpec{Configuration: runtime.RawExtension{Raw: test.raw}}}
				write(c)
				if got := string(c.Spec.Configuration.Raw); got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
			}
		})
	}
}
